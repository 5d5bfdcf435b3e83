package store

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestEveryDeclaredTableIsListedOnce(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, table := range tables {
		listed[table.name()] = true
	}
	declared := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`= newTable\(\s*"(\w+)"`).FindAllSubmatch(source, -1) {
			declared++
			if !listed[string(match[1])] {
				t.Errorf("%s declares table %s, which tables.go does not list", file, match[1])
			}
		}
	}
	if declared != len(tables) {
		t.Errorf("%d tables are declared and %d are listed", declared, len(tables))
	}
}
