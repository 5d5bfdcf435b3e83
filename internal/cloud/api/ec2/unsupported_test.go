package ec2

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// ignorable holds parameters that do not change the response, with the reason.
var ignorable = map[string]string{
	"AllAvailabilityZones":       "every zone is available without opting in",
	"AllRegions":                 "every region is available without opting in",
	"IncludeDeprecated":          "no image is ever deprecated",
	"IncludeDisabled":            "no image is ever disabled",
	"IncludeManagedResources":    "no service hides what it manages",
	"IncludeUnsupportedInRegion": "every type is offered in every region",
	"ServiceRegions":             "no region has endpoint services",
	"Latest":                     "the console is always read as it is now",
}

// operations calls visit for every operation with the type of its input.
func operations(visit func(name string, input reflect.Type)) {
	api := reflect.TypeFor[*API]()
	for i := range api.NumMethod() {
		m := api.Method(i)
		if m.Type.NumIn() == 3 && m.Type.NumOut() == 2 && m.Type.In(2).Kind() == reflect.Pointer &&
			strings.HasSuffix(m.Type.In(2).Elem().Name(), "Input") {
			visit(m.Name, m.Type.In(2).Elem())
		}
	}
}

// readParameters parses the package's sources. It returns the fields that they read, by
// the name of the input, and the inputs that they pass to supportOnly, which checks all
// fields. A function reads a field if it selects it from its parameter in, or converts
// in to an input whose field is read.
func readParameters(t *testing.T) (read map[string][]string, whole map[string]bool) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	read, whole = map[string][]string{}, map[string]bool{}
	converted := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "in" {
						read[inputOf(f)] = append(read[inputOf(f)], n.Sel.Name)
					}
				case *ast.CallExpr:
					if x, ok := n.Fun.(*ast.Ident); ok && x.Name == "supportOnly" {
						whole[inputOf(f)] = true
					}
					if to := conversionOfIn(n); to != "" {
						converted[inputOf(f)] = to
					}
				}
				return true
			})
		}
	}
	for from, to := range converted {
		read[from] = append(read[from], read[to]...)
	}
	return read, whole
}

// conversionOfIn returns the type name that a call of the form (*ec2.T)(in) converts
// to, or "" for any other call. T has the same fields, so who reads them reads in's.
func conversionOfIn(call *ast.CallExpr) string {
	paren, ok := call.Fun.(*ast.ParenExpr)
	if !ok || len(call.Args) != 1 {
		return ""
	}
	star, ok := paren.X.(*ast.StarExpr)
	if !ok {
		return ""
	}
	to, ok := star.X.(*ast.SelectorExpr)
	if arg, isName := call.Args[0].(*ast.Ident); !ok || !isName || arg.Name != "in" {
		return ""
	}
	return to.Sel.Name
}

// inputOf returns the type name of a function's parameter in.
func inputOf(f *ast.FuncDecl) string {
	for _, p := range f.Type.Params.List {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok || !slices.ContainsFunc(p.Names, func(n *ast.Ident) bool { return n.Name == "in" }) {
			continue
		}
		if s, ok := star.X.(*ast.SelectorExpr); ok {
			return s.Sel.Name
		}
	}
	return ""
}

func TestEveryParameterIsReadOrRefused(t *testing.T) {
	read, whole := readParameters(t)
	seen := 0
	operations(func(name string, input reflect.Type) {
		seen++
		for i := range input.NumField() {
			field := input.Field(i)
			if !field.IsExported() || whole[input.Name()] || slices.Contains(read[input.Name()], field.Name) ||
				ignorable[field.Name] != "" {
				continue
			}
			t.Errorf("%s neither reads nor refuses %s", name, field.Name)
		}
	})
	if seen < 70 {
		t.Errorf("found only %d operations", seen)
	}
}

// The test sets each field of RunInstancesInput alone. A field that launchParameters does
// not list must be refused by its name.
func TestRunInstancesRefusesEveryUnsupportedParameter(t *testing.T) {
	refusals, known := 0, map[string]bool{}
	var walk func(at reflect.Type, path string, wrap func(reflect.Value) *ec2.RunInstancesInput)
	check := func(path string, value string, in *ec2.RunInstancesInput) {
		err := checkSupported(in)
		listed := slices.ContainsFunc(launchParameters, func(parameter string) bool {
			return path == parameter || strings.HasPrefix(path, parameter+".") || path+"="+value == parameter
		})
		known[path] = true
		refused := err != nil && strings.Contains(err.Error(), "does not support the parameter "+parameterName(path))
		if refused == listed {
			t.Errorf("%s: %v", path, err)
		}
		if refused {
			refusals++
		}
	}
	walk = func(at reflect.Type, path string, wrap func(reflect.Value) *ec2.RunInstancesInput) {
		switch at.Kind() {
		case reflect.Pointer:
			walk(at.Elem(), path, func(v reflect.Value) *ec2.RunInstancesInput {
				p := reflect.New(at.Elem())
				p.Elem().Set(v)
				return wrap(p)
			})
		case reflect.Slice:
			walk(at.Elem(), path, func(v reflect.Value) *ec2.RunInstancesInput {
				return wrap(reflect.Append(reflect.MakeSlice(at, 0, 1), v))
			})
		case reflect.Struct:
			for i := range at.NumField() {
				if field := at.Field(i); field.IsExported() {
					walk(
						field.Type,
						strings.TrimPrefix(path+"."+field.Name, "."),
						func(v reflect.Value) *ec2.RunInstancesInput {
							s := reflect.New(at).Elem()
							s.Field(i).Set(v)
							return wrap(s)
						},
					)
				}
			}
		case reflect.String:
			check(path, "x", wrap(reflect.ValueOf("x").Convert(at)))
		case reflect.Bool:
			check(path, "true", wrap(reflect.ValueOf(true).Convert(at)))
		case reflect.Int32, reflect.Int64:
			check(path, "7", wrap(reflect.ValueOf(7).Convert(at)))
		default:
			t.Errorf("%s has the unexpected type %s", path, at)
		}
	}
	walk(reflect.TypeFor[ec2.RunInstancesInput](), "", func(v reflect.Value) *ec2.RunInstancesInput {
		in := v.Interface().(ec2.RunInstancesInput)
		return &in
	})
	for _, parameter := range launchParameters {
		path, _, _ := strings.Cut(parameter, "=")
		if !known[path] && path != "TagSpecifications" {
			t.Errorf("a launch has no parameter %s", path)
		}
	}
	if refusals < 50 {
		t.Errorf("only %d parameters are refused", refusals)
	}
}

func TestDisabledParametersAreSupported(t *testing.T) {
	if err := supportOnly(&ec2.RunInstancesInput{
		HibernationOptions: &types.HibernationOptionsRequest{Configured: aws.Bool(false)},
		EnclaveOptions:     &types.EnclaveOptionsRequest{Enabled: aws.Bool(false)},
		Ipv6AddressCount:   aws.Int32(0), KernelId: aws.String(""),
		Placement: &types.Placement{Tenancy: types.TenancyDefault},
	}, launchParameters...); err != nil {
		t.Error(err)
	}
}
