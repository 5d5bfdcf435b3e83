//go:build linux

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestLinksLeadToFiles(t *testing.T) {
	for _, page := range allPages(t) {
		for _, target := range page.links() {
			if strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "#") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			path := filepath.Join(root, filepath.Dir(page.file), file)
			text, err := os.ReadFile(path)
			if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
				continue
			}
			if err != nil {
				t.Errorf("%s links to %s: %v", page.file, target, err)
			}
			if anchor != "" && !slices.Contains(anchors(string(text)), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page.file, target)
			}
		}
	}
}

// anchors returns the fragments of a page's headings, as code hosts derive them.
func anchors(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			name := strings.ToLower(strings.TrimSpace(heading))
			name = regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(name, "")
			all = append(all, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return all
}

func TestReadmeLinksEveryPage(t *testing.T) {
	targets := readPage(t, "README.md").links()
	for _, page := range allPages(t) {
		if filepath.Dir(page.file) == "docs" && !slices.Contains(targets, page.file) {
			t.Errorf("README.md does not link to %s", page.file)
		}
	}
}

func TestPagesStayShort(t *testing.T) {
	for file, most := range map[string]int{"README.md": 150, "ARCHITECTURE.md": 250} {
		if page := readPage(t, file); page.lines > most {
			t.Errorf("%s has %d lines, want at most %d", file, page.lines, most)
		}
	}
}

func TestDecisionsHaveContextDecisionConsequences(t *testing.T) {
	decisions := 0
	for _, page := range allPages(t) {
		if filepath.Dir(page.file) != filepath.Join("docs", "decisions") {
			continue
		}
		decisions++
		for _, heading := range []string{"## Context", "## Decision", "## Consequences"} {
			if !strings.Contains(page.text, "\n"+heading+"\n") {
				t.Errorf("%s lacks %q", page.file, heading)
			}
		}
	}
	if decisions == 0 {
		t.Error("there is no decision record")
	}
}

var makeTarget = regexp.MustCompile(`(?m)^make ([a-z]+)|` + "`make ([a-z]+)`")

func TestMakeTargetsExist(t *testing.T) {
	for _, page := range allPages(t) {
		for _, match := range makeTarget.FindAllStringSubmatch(page.text, -1) {
			target := match[1] + match[2]
			if out, err := exec.Command("make", "-C", root, "-n", target).CombinedOutput(); err != nil {
				t.Errorf("%s shows make %s: %v\n%s", page.file, target, err, out)
			}
		}
	}
}

// The real commands run in TestRealDocs. Here every page that shows a command is
// known to that test, so that a new page cannot be forgotten.
func TestEveryPageWithCommandsIsRun(t *testing.T) {
	for _, page := range allPages(t) {
		if len(page.commands()) > 0 && !slices.Contains(order, page.file) && !slices.Contains(elsewhere, page.file) {
			t.Errorf("%s shows commands that no test runs", page.file)
		}
	}
}
