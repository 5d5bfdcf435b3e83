package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	source "golang.org/x/tools/go/packages"
)

// otherPlatforms are the platforms of the Makefile that the other tests do not run on, but for
// darwin/amd64, which has the files of the other two together.
var otherPlatforms = []string{"linux/arm64", "darwin/arm64", "windows/amd64"}

// TestOtherPlatformsTypeCheck finds what does not compile elsewhere, tests included. It reads
// all packages from their source, because that takes a tenth of the time of a build.
func TestOtherPlatformsTypeCheck(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range otherPlatforms {
		t.Run(platform, func(t *testing.T) {
			system, architecture, _ := strings.Cut(platform, "/")
			found, err := source.Load(&source.Config{
				Mode: source.NeedName | source.NeedFiles | source.NeedImports | source.NeedDeps |
					source.NeedTypes | source.NeedSyntax | source.NeedTypesInfo,
				Context: t.Context(), Dir: root, Tests: true, BuildFlags: []string{"-tags=root"},
				Env: append(os.Environ(), "GOOS="+system, "GOARCH="+architecture, "CGO_ENABLED=0"),
				ParseFile: func(files *token.FileSet, name string, text []byte) (*ast.File, error) {
					return parse(files, name, text, strings.HasPrefix(name, root) || filepath.Ext(name) != ".go")
				},
			}, "./...")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(found, func(p *source.Package) bool { return p.PkgPath == module+"/cmd/aloft" }) {
				t.Error("there is no command aloft")
			}
			for _, pkg := range found {
				for _, problem := range pkg.Errors {
					t.Error(problem)
				}
			}
		})
	}
}

// parse parses a file. Bodies of functions matter in this module only, and in the main packages
// of its tests, which the go command keeps in its cache.
func parse(files *token.FileSet, name string, text []byte, bodies bool) (*ast.File, error) {
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if file == nil || bodies {
		return file, err
	}
	for _, declared := range file.Decls {
		if function, ok := declared.(*ast.FuncDecl); ok {
			function.Body = nil
		}
	}
	return file, err
}
