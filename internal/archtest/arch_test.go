// Package archtest tests the shape of the tree: which packages may import which,
// that every package has a doc comment, and that files stay small.
package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "aloft.dev/aloft"

type pkg struct {
	ImportPath, Doc                    string
	Imports, TestImports, XTestImports []string
	GoFiles, TestGoFiles, XTestGoFiles []string
}

// packages returns the packages of this module, as the go command lists them for this
// system, or for the one that env names. It lists packages that lack an import too.
func packages(t *testing.T, env ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e",
		"-json=ImportPath,Doc,Imports,TestImports,XTestImports,GoFiles,TestGoFiles,XTestGoFiles", module+"/...")
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// within reports whether a path is a folder or below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// half returns the half of Aloft that a package belongs to, or "".
func half(path string) string {
	switch {
	case within(path, module+"/internal/cloud"):
		return "the local cloud"
	case slices.ContainsFunc([]string{
		"spec", "stack", "plan", "apply", "resource", "awsapi", "release", "verify", "drill", "load", "history",
		"lease", "preflight", "policy", "price", "pricelist", "cost", "project",
		"toolchain", "remote", "source", "proof", "importedimage", "terraform",
		"blueprint", "cloudformation", "adoption", "operator",
	}, func(name string) bool {
		return within(path, module+"/internal/"+name)
	}):
		return "the deployer"
	}
	return ""
}

func TestNeitherHalfImportsTheOther(t *testing.T) {
	halves := map[string]int{}
	for _, p := range packages(t) {
		halves[half(p.ImportPath)]++
		for _, imported := range p.Imports {
			if a, b := half(p.ImportPath), half(imported); a != "" && b != "" && a != b {
				t.Errorf("%s, of %s, imports %s, of %s", p.ImportPath, a, imported, b)
			}
		}
	}
	if halves["the local cloud"] == 0 || halves["the deployer"] == 0 {
		t.Errorf("a half has no packages: %v", halves)
	}
}

func TestOnlyTheCommandLineImportsBothHalves(t *testing.T) {
	for _, p := range packages(t) {
		if half(p.ImportPath) != "" || within(p.ImportPath, module+"/internal/cli") ||
			within(p.ImportPath, module+"/test") {
			continue
		}
		seen := map[string]bool{}
		for _, imported := range p.Imports {
			seen[half(imported)] = true
		}
		if seen["the local cloud"] && seen["the deployer"] {
			t.Errorf("%s imports both halves", p.ImportPath)
		}
	}
}

// rules lists imports that only some packages may use.
var rules = []struct {
	imported *regexp.Regexp
	by       *regexp.Regexp
	why      string
}{
	{
		regexp.MustCompile(`^github\.com/(vishvananda|google/nftables)`),
		regexp.MustCompile(`/internal/cloud/plane/`),
		"only planes touch the kernel's network",
	},
	{
		regexp.MustCompile(`/internal/cloud/plane/`),
		regexp.MustCompile(
			`/internal/cloud/(plane|control|host)(/|$)|/internal/cloud$|/internal/cli$|/cmd/base-image$|` +
				`/bench(/|$)|/test(/|$)`,
		),
		"handlers record what is desired; loops configure the planes",
	},
	{
		regexp.MustCompile(`^github\.com/aws/aws-sdk-go-v2/(service|config|credentials)`),
		regexp.MustCompile(
			`/internal/(apply|resource|awsapi|release|history|journal|lease|verify|drill|preflight|pricelist|` +
				`importedimage|terraform|blueprint|cloudformation|inventory|reachability|console|adoption)(/|$)|` +
				`/internal/cloud/(api|wire)(/|$)|/bench(/|$)|/test(/|$)`,
		),
		"spec, stack and plan are pure; the store has rows of its own",
	},
	{
		regexp.MustCompile(`/internal/cloud/api/constraint$`),
		regexp.MustCompile(`/internal/cloud/api/`),
		"only handlers validate requests",
	},
	{
		regexp.MustCompile(`/internal/cloud/plane/balancer/`),
		regexp.MustCompile(`/internal/cloud/plane/balancer(/|$)|/internal/cli$|/bench(/|$)|/test(/|$)`),
		"the daemon configures the balancer process and does not run its engine",
	},
	{
		regexp.MustCompile(`/internal/cloud/control/`),
		regexp.MustCompile(`/internal/cloud/control/|/internal/cloud$|/test(/|$)`),
		"loops are composed by the daemon; what they share lies below them",
	},
	{
		regexp.MustCompile(`/internal/cloud$`),
		regexp.MustCompile(`/internal/cli$|/bench(/|$)|/test(/|$)`),
		"no import runs upward to the daemon",
	},
	{
		regexp.MustCompile(`^github\.com/spf13/`), regexp.MustCompile(`/internal/cli$`),
		"only the command line reads flags",
	},
}

func TestImportRules(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			for _, rule := range rules {
				if rule.imported.MatchString(imported) && !rule.by.MatchString(p.ImportPath) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, rule.why)
				}
			}
		}
	}
}

func TestStackAndPlanArePure(t *testing.T) {
	impure := regexp.MustCompile(`^(context|time|net|net/http|os|os/exec|github\.com/aws/.*)$`)
	for _, p := range packages(t) {
		if p.ImportPath != module+"/internal/stack" && p.ImportPath != module+"/internal/plan" {
			continue
		}
		for _, imported := range p.Imports {
			if impure.MatchString(imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func TestEveryPackageHasADocComment(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

var grabBags = regexp.MustCompile(`^(util|utils|common|helper|helpers|misc|shared|base|types|manager)$`)

func TestFoldersNameTheDomain(t *testing.T) {
	for _, path := range goFiles(t) {
		for part := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(path)), "/") {
			if grabBags.MatchString(part) {
				t.Errorf("%s: name the folder %s after a noun of the domain", path, part)
			}
		}
	}
}

func TestOnlyTheCommandLineReadsTheEnvironment(t *testing.T) {
	call := regexp.MustCompile(`\bos\.(Getenv|LookupEnv|Environ|Exit)\(|\blog\.Fatal`)
	for _, p := range packages(t) {
		if within(p.ImportPath, module+"/internal/cli") || within(p.ImportPath, module+"/bench") ||
			within(p.ImportPath, module+"/cmd") || within(p.ImportPath, module+"/test") {
			continue
		}
		dir := filepath.Join("..", "..", filepath.FromSlash(strings.TrimPrefix(p.ImportPath, module+"/")))
		for _, name := range p.GoFiles {
			path := filepath.Join(dir, name)
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if found := call.Find(source); found != nil && file.Name.Name != "main" {
				t.Errorf("%s: %s belongs to the command line", path, found)
			}
		}
	}
}
