//go:build linux

// Package docs checks the documentation: its links, its size, and that every
// command it shows works.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

// root is the repository's folder.
const root = "../.."

// page is one page of documentation.
type page struct {
	file  string // relative to the repository's folder
	text  string
	lines int
}

// readPage reads a page.
func readPage(t *testing.T, file string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return page{file: file, text: string(text), lines: strings.Count(string(text), "\n")}
}

// allPages returns every page of the repository.
func allPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "examples/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			relative, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, readPage(t, relative))
		}
	}
	return pages
}

// commands returns the commands in the page's console blocks.
func (p page) commands() []string { return program.CommandsOf(p.text) }

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// links returns the page's link targets.
func (p page) links() []string {
	var targets []string
	for _, match := range link.FindAllStringSubmatch(p.text, -1) {
		targets = append(targets, match[1])
	}
	return targets
}
