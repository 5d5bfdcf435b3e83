package archtest

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	maxFileLines        = 500
	maxColumns          = 120
	maxInterfaceMethods = 15
	tabColumns          = 4
)

// goFiles returns the hand-written Go files of the tree, relative to its root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_gen.go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d Go files found: the walk is broken", len(files))
	}
	return files
}

func TestFilesAndLinesAreShort(t *testing.T) {
	for _, path := range goFiles(t) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		for lines := bufio.NewScanner(f); lines.Scan(); {
			number++
			line := strings.ReplaceAll(lines.Text(), "\t", strings.Repeat(" ", tabColumns))
			if columns := len([]rune(line)); columns > maxColumns {
				t.Errorf("%s:%d has %d columns, want at most %d", path, number, columns, maxColumns)
			}
		}
		_ = f.Close() // it was only read
		if number > maxFileLines {
			t.Errorf("%s has %d lines, want at most %d: is it two files?", path, number, maxFileLines)
		}
	}
}

func TestInterfacesAreSmall(t *testing.T) {
	for _, path := range goFiles(t) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok && i.Methods.NumFields() > maxInterfaceMethods {
				t.Errorf("%s has an interface of %d methods, want at most %d",
					path, i.Methods.NumFields(), maxInterfaceMethods)
			}
			return true
		})
	}
}
