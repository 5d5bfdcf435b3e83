//go:build linux

package client

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
	"testing"

	source "golang.org/x/tools/go/packages"
)

const (
	apiFolder  = "aloft.dev/aloft/internal/cloud/api/"
	wireFolder = "aloft.dev/aloft/internal/cloud/wire"
	sdkFolder  = "github.com/aws/aws-sdk-go-v2/service/"
)

// encodedAs are structures that the code encodes, in order to decode them as others whose fields have
// the same names.
var encodedAs = map[string]string{"RequestLaunchTemplateData": "RunInstancesInput"}

// usage records how the code of a service's API uses the fields of the SDK's types. It is
// derived from the types of expressions, so it holds however the code passes requests around. What
// operations do with a structure that they share counts for each of them.
type usage struct {
	pkg      *source.Package
	read     map[*types.Var]bool          // read in order to do what they say
	refused  map[*types.Var]bool          // read in order to refuse them
	alike    map[*types.Var][]*types.Var  // fields that a conversion makes of them
	only     map[*types.TypeName][]string // paths that supportOnly does not refuse
	lacking  []string                     // parameters that checked inputs refuse
	partly   []string                     // parameters of which checked inputs refuse some values
	checked  map[*types.TypeName]bool     // inputs that are given to a function as a whole
	refusers map[types.Object]bool        // functions that return nothing but refusals
	unread   map[string]bool              // fields that nothing reads or refuses, with and without their types
}

// loadUsage returns the usage of all services by the names of their packages.
func loadUsage(t *testing.T) map[string]*usage {
	t.Helper()
	found, err := source.Load(&source.Config{Mode: source.LoadSyntax, Context: t.Context(), Dir: root}, apiFolder+"...")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*usage{}
	for _, pkg := range found {
		for _, problem := range pkg.Errors {
			t.Fatal(problem)
		}
		u := &usage{
			pkg: pkg, read: map[*types.Var]bool{}, refused: map[*types.Var]bool{},
			alike: map[*types.Var][]*types.Var{}, only: map[*types.TypeName][]string{},
			refusers: map[types.Object]bool{}, checked: map[*types.TypeName]bool{}, unread: map[string]bool{},
		}
		u.findRefusers()
		for _, file := range pkg.Syntax {
			u.inspect(file)
		}
		u.followEncodings()
		u.followConversions()
		all[path.Base(pkg.PkgPath)] = u
	}
	return all
}

// findRefusers finds functions that return only errors, each of which is a refusal.
func (u *usage) findRefusers() {
	for range 2 { // refusers call refusers
		for _, file := range u.pkg.Syntax {
			for _, declared := range file.Decls {
				f, ok := declared.(*ast.FuncDecl)
				if !ok || f.Body == nil || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
					continue
				}
				returns, refusals := 0, 0
				ast.Inspect(f.Body, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
						call, isCall := r.Results[0].(*ast.CallExpr)
						name, isName := r.Results[0].(*ast.Ident)
						switch {
						case isCall && u.isRefusal(call):
							refusals++
						case !isName || name.Name != "nil":
							returns++
						}
					}
					return true
				})
				if refusals > 0 && returns == 0 {
					u.refusers[u.pkg.TypesInfo.Defs[f.Name]] = true
				}
			}
		}
	}
}

// isRefusal reports whether a call returns the error of something that the local cloud lacks.
func (u *usage) isRefusal(call *ast.CallExpr) bool {
	called := u.called(call)
	switch {
	case called == nil:
		return false
	case u.refusers[called], called.Pkg() == u.pkg.Types && called.Name() == "unsupported":
		return true
	case called.Pkg() == nil || called.Pkg().Path() != wireFolder:
		return false
	case called.Name() == "NotImplemented":
		return true
	}
	return called.Name() == "Errorf" && slices.ContainsFunc(call.Args, func(e ast.Expr) bool {
		return strings.Contains(u.text(e), "aloft's local cloud")
	})
}

// called returns the function that a call calls, or nil.
func (u *usage) called(call *ast.CallExpr) types.Object {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return u.pkg.TypesInfo.Uses[f]
	case *ast.SelectorExpr:
		return u.pkg.TypesInfo.Uses[f.Sel]
	}
	return nil
}

// text returns the value of a constant text, or "".
func (u *usage) text(e ast.Expr) string {
	if v := u.pkg.TypesInfo.Types[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v)
	}
	return ""
}

// inspect records what a file does with fields.
func (u *usage) inspect(file *ast.File) {
	var within []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			within = within[:len(within)-1]
			return true
		}
		switch n := n.(type) {
		case *ast.SelectorExpr:
			u.selection(n, within)
		case *ast.CallExpr:
			u.call(n)
		case *ast.ValueSpec:
			switch n.Names[0].Name {
			case "lacking":
				u.lacking = u.texts(n.Values[0])
			case "implemented":
				u.partly = append(u.partly, u.keys(n.Values[0])...)
			}
		}
		within = append(within, n)
		return true
	})
}

// selection records that an expression reads a field.
func (u *usage) selection(e *ast.SelectorExpr, within []ast.Node) {
	selected, ok := u.pkg.TypesInfo.Selections[e]
	if !ok || selected.Kind() != types.FieldVal {
		return
	}
	field := selected.Obj().(*types.Var)
	if assigned, ok := within[len(within)-1].(*ast.AssignStmt); ok && assigned.Tok == token.ASSIGN &&
		slices.Contains(assigned.Lhs, ast.Expr(e)) {
		return
	}
	if u.inRefusal(append(slices.Clip(within), e)) {
		u.refused[field] = true
	} else {
		u.read[field] = true
	}
}

// inRefusal reports whether the last node is read for nothing but the decision to refuse it.
func (u *usage) inRefusal(within []ast.Node) bool {
	for i := len(within) - 2; i >= 0; i-- {
		child := within[i+1]
		switch n := within[i].(type) {
		case *ast.CallExpr:
			if u.isRefusal(n) {
				return true
			}
		case *ast.IfStmt:
			return child == n.Cond && u.onlyRefuses(n.Body.List)
		case *ast.CaseClause:
			return slices.ContainsFunc(n.List, func(e ast.Expr) bool { return e == child }) && u.onlyRefuses(n.Body)
		case *ast.RangeStmt:
			return child == n.X && u.onlyRefuses(n.Body.List)
		case *ast.BlockStmt, *ast.FuncLit:
			return false
		}
	}
	return false
}

// onlyRefuses reports whether statements do nothing but return a refusal, perhaps on a condition.
func (u *usage) onlyRefuses(body []ast.Stmt) bool {
	if len(body) != 1 {
		return false
	}
	switch s := body[0].(type) {
	case *ast.ReturnStmt:
		return slices.ContainsFunc(s.Results, func(e ast.Expr) bool {
			call, ok := e.(*ast.CallExpr)
			return ok && u.isRefusal(call)
		})
	case *ast.IfStmt:
		return u.onlyRefuses(s.Body.List)
	}
	return false
}

// call records the paths of a call of supportOnly, the fields that a conversion makes, and those that
// a function looks up by their names.
func (u *usage) call(call *ast.CallExpr) {
	if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "set" && len(call.Args) == 1 {
		u.partly = append(u.partly, u.texts(call.Args[0])...)
	}
	if called := u.called(call); called != nil && called.Name() == "supportOnly" {
		of := structure(u.pkg.TypesInfo.Types[call.Args[0]].Type)
		if of == nil {
			return
		}
		u.only[of.Obj()] = append(u.only[of.Obj()], "")
		for _, arg := range call.Args[1:] {
			u.only[of.Obj()] = append(u.only[of.Obj()], u.texts(arg)...)
		}
	}
	to, ok := u.pkg.TypesInfo.Types[call.Fun]
	if signature, isFunc := to.Type.(*types.Signature); isFunc {
		for n, arg := range call.Args {
			of := structure(u.pkg.TypesInfo.Types[arg].Type)
			if of != nil && n < signature.Params().Len() && types.IsInterface(signature.Params().At(n).Type()) {
				u.checked[of.Obj()] = true
			}
		}
	}
	if !ok || !to.IsType() || len(call.Args) != 1 {
		return
	}
	into, from := structure(to.Type), structure(u.pkg.TypesInfo.Types[call.Args[0]].Type)
	if into == nil || from == nil || into == from {
		return
	}
	fields := from.Underlying().(*types.Struct)
	for i := range fields.NumFields() {
		made := into.Underlying().(*types.Struct).Field(i)
		u.alike[fields.Field(i)] = append(u.alike[fields.Field(i)], made)
	}
	u.only[from.Obj()] = append(u.only[from.Obj()], u.only[into.Obj()]...)
}

// keys returns the keys of the literal of a map.
func (u *usage) keys(e ast.Expr) (all []string) {
	literal, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			all = append(all, u.texts(pair.Key)...)
		}
	}
	return all
}

// texts returns the constant texts of an expression, or of the list that it names.
func (u *usage) texts(e ast.Expr) []string {
	if text := u.text(e); text != "" {
		return []string{text}
	}
	var all []string
	switch e := e.(type) {
	case *ast.CompositeLit:
		for _, element := range e.Elts {
			all = append(all, u.texts(element)...)
		}
	case *ast.Ident:
		for _, file := range u.pkg.Syntax {
			for _, declared := range file.Decls {
				all = append(all, u.textsOf(declared, u.pkg.TypesInfo.Uses[e])...)
			}
		}
	}
	return all
}

// textsOf returns the texts of the list that a declaration gives a variable.
func (u *usage) textsOf(declared ast.Decl, variable types.Object) []string {
	general, ok := declared.(*ast.GenDecl)
	if !ok || general.Tok != token.VAR {
		return nil
	}
	for _, spec := range general.Specs {
		value := spec.(*ast.ValueSpec)
		if u.pkg.TypesInfo.Defs[value.Names[0]] == variable && len(value.Values) == 1 {
			return u.texts(value.Values[0])
		}
	}
	return nil
}

// followEncodings makes the fields of encodedAs alike.
func (u *usage) followEncodings() {
	named := map[string]*types.Named{}
	for _, used := range u.pkg.TypesInfo.Types {
		if of := structure(used.Type); of != nil {
			named[of.Obj().Name()] = of
		}
	}
	for from, into := range encodedAs {
		if named[from] != nil && named[into] != nil {
			u.pair(named[from], named[into])
		}
	}
}

// pair makes fields of the same names alike in two structures and below.
func (u *usage) pair(from, into *types.Named) {
	fields, others := from.Underlying().(*types.Struct), into.Underlying().(*types.Struct)
	byName := map[string]*types.Var{}
	for i := range others.NumFields() {
		byName[others.Field(i).Name()] = others.Field(i)
	}
	for i := range fields.NumFields() {
		field := fields.Field(i)
		other, ok := byName[field.Name()]
		if !ok || !field.Exported() {
			continue
		}
		u.alike[field] = append(u.alike[field], other)
		inner, made := structure(field.Type()), structure(other.Type())
		if inner != nil && made != nil && inner != made {
			u.pair(inner, made)
		}
	}
}

// followConversions makes fields read or refused that are so after a conversion.
func (u *usage) followConversions() {
	for range 2 {
		for from, made := range u.alike {
			for _, field := range made {
				u.read[from] = u.read[from] || u.read[field]
				u.refused[from] = u.refused[from] || u.refused[field]
			}
		}
	}
}

// structure returns the SDK's structure in a type: *T, []T and map[string]T have T. It returns
// nil for every other type.
func structure(t types.Type) *types.Named {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return structure(t.Elem())
	case *types.Slice:
		return structure(t.Elem())
	case *types.Map:
		return structure(t.Elem())
	case *types.Named:
		_, ok := t.Underlying().(*types.Struct)
		if ok && t.Obj().Pkg() != nil && strings.HasPrefix(t.Obj().Pkg().Path(), sdkFolder) {
			return t
		}
	}
	return nil
}
