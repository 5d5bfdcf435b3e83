package store

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/golden"
)

// A row type that changes needs a new schema version: each version's types are
// in a golden file that no later change may rewrite. -update writes the file of
// a new version only.
func TestRowTypesAreThoseOfTheSchemaVersion(t *testing.T) {
	path := filepath.Join("testdata", "schema", fmt.Sprintf("version%d.golden", version(migrations)))
	got := describeTables()
	want, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && golden.Updating() {
		want, err = []byte(got), os.WriteFile(path, []byte(got), 0o600)
	}
	if err != nil {
		t.Fatalf("%v\nThis schema version is new: run the test with -update and commit the file.", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("The row types are not those of schema version %d (-version, +code):\n%s"+
			"Append a migration to the list in schemaversion.go.", version(migrations), diff)
	}
}

func TestADescriptionShowsEveryChangeOfARowType(t *testing.T) {
	type inner struct{ A string }
	type changedInner struct{ A, B string }
	base := describeTypes(reflect.TypeFor[struct {
		Name  string
		Inner []inner
	}]())
	for name, changed := range map[string]reflect.Type{
		"renamed": reflect.TypeFor[struct {
			Title string
			Inner []inner
		}](),
		"retyped": reflect.TypeFor[struct {
			Name  int32
			Inner []inner
		}](),
		"removed": reflect.TypeFor[struct{ Name string }](),
		"JSON name": reflect.TypeFor[struct {
			Name  string `json:"name"`
			Inner []inner
		}](),
		"nested": reflect.TypeFor[struct {
			Name  string
			Inner []changedInner
		}](),
	} {
		if describeTypes(changed) == base {
			t.Errorf("a %s field leaves the description unchanged", name)
		}
	}
}

// describeTables lists the tables with the stored fields of their rows.
func describeTables() string {
	var out strings.Builder
	byName := map[string]table{}
	for _, tb := range tables {
		byName[tb.name()] = tb
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		row := byName[name].(interface{ rowType() reflect.Type }).rowType()
		fmt.Fprintf(&out, "%s\n%s\n", name, describeTypes(row))
	}
	return out.String()
}

func (t Table[T]) rowType() reflect.Type { return reflect.TypeFor[T]() }

// describeTypes lists a struct's fields as JSON names them, with their types;
// fields of structs inside it follow their field.
func describeTypes(structType reflect.Type) string {
	var out strings.Builder
	describe(&out, structType, "\t")
	return out.String()
}

func describe(out *strings.Builder, structType reflect.Type, indent string) {
	for field := range fieldsOf(structType) {
		name := field.Name
		if tag := field.Tag.Get("json"); tag != "" {
			name = tag
		}
		inner := element(field.Type)
		typeName := field.Type.String()
		if inner.Kind() == reflect.Map {
			typeName = fmt.Sprintf("map[%s]%s", inner.Key(), inner.Elem())
		}
		if inner.Kind() == reflect.Struct {
			// The name of a struct's Go type is not stored.
			typeName = strings.TrimSuffix(typeName, inner.String()) + "struct"
			if isText(inner) {
				typeName = field.Type.String()
			}
		}
		fmt.Fprintf(out, "%s%s %s\n", indent, name, typeName)
		if inner.Kind() == reflect.Struct && !isText(inner) {
			describe(out, inner, indent+"\t")
		}
	}
}

func fieldsOf(structType reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range structType.NumField() {
			if !yield(structType.Field(i)) {
				return
			}
		}
	}
}

// element returns the type at the end of pointers and slices.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// isText reports whether JSON stores the type as one string.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
