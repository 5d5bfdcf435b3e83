package spec

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"aloft.dev/aloft/internal/diag"
)

// Load reads dir/aloft.yaml, sets defaults and validates. Without the file, it
// derives the spec from a folder that holds a Node.js application. It returns all
// mistakes at once as a diag.List.
func Load(dir string) (*Spec, error) { return LoadStage(dir, "") }

// LoadStage is Load for a stage of the application, "" if it has none.
func LoadStage(dir, stage string) (*Spec, error) {
	shown := filepath.Join(dir, FileName) // as the user named the folder
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder: %w", err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, diag.List{{
			Where: dir, Summary: "is not a folder", Hint: "give the folder that holds aloft.yaml or package.json",
		}}
	}
	file := filepath.Join(dir, FileName)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return ParseStage(nil, FileName, dir, stage) // from the application's files
	}
	if err != nil {
		return nil, diag.List{{
			Where: shown, Summary: "cannot be read", Detail: err.Error(),
			Hint: "check the file's permissions", Cause: err,
		}}
	}
	s, err := ParseStage(data, shown, dir, stage)
	if err != nil {
		return nil, err
	}
	s.File = file
	return s, nil
}

// Parse parses a spec. name is the file's name in the places of mistakes; relative
// paths start at dir.
func Parse(data []byte, name, dir string) (*Spec, error) { return ParseStage(data, name, dir, "") }

// ParseStage is Parse for a stage of the application, "" if it has none.
func ParseStage(data []byte, name, dir, stage string) (*Spec, error) {
	d := newDecoder(name)
	s := &Spec{Dir: dir}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	// A file that begins or ends with "---" has an empty document there.
	docs := slices.DeleteFunc(tree.Docs, func(doc *ast.DocumentNode) bool { return doc.Body == nil })
	switch len(docs) {
	case 0:
	case 1:
		d.decode(docs[0].Body, reflect.ValueOf(s).Elem(), "")
	default:
		d.problems.Add(d.where(docs[1].Body), "keep one document",
			"a spec is one YAML document, this file has %d", len(docs))
	}
	s.chooseStage(d, stage)
	s.setDefaults(d)
	s.validate(d)
	sortByPlace(d.problems)
	if err := d.problems.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// sortByPlace sorts mistakes by their order in the file. Those without a place come
// last.
func sortByPlace(problems diag.List) {
	place := func(d *diag.Diagnostic) (line, column int) {
		parts := strings.Split(d.Where, ":")
		if len(parts) < 3 {
			return math.MaxInt, 0
		}
		line, err := strconv.Atoi(parts[len(parts)-2])
		if err != nil {
			return math.MaxInt, 0
		}
		column, _ = strconv.Atoi(parts[len(parts)-1])
		return line, column
	}
	slices.SortStableFunc(problems, func(a, b *diag.Diagnostic) int {
		la, ca := place(a)
		lb, cb := place(b)
		return cmp.Or(cmp.Compare(la, lb), cmp.Compare(ca, cb))
	})
}

func syntaxError(name string, err error) error {
	const hint = "correct the line at this place: check its indentation, quotes and colons"
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		at := syntax.Token.Position
		where := fmt.Sprintf("%s:%d:%d", name, at.Line, at.Column)
		return diag.List{{Where: where, Summary: "not YAML: " + syntax.Message, Hint: hint}}
	}
	return diag.List{{Where: name, Summary: "not YAML: " + err.Error(), Hint: hint}}
}
