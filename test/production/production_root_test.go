//go:build linux && root

package production

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

// TestRealProduction types examples/production/README.md section by section, and checks what
// each has done.
func TestRealProduction(t *testing.T) {
	s := start(t)
	page, err := os.ReadFile(filepath.Join(s.dir(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]func(*testing.T, func()){
		"Deploy to staging":     s.staging,
		"Promote to production": s.production,
		"Release a new version": s.release,
		"Change a variable":     s.variable,
		"Look inside":           s.inside,
		"Break it":              s.broken,
		"Remove it":             s.removed,
	}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, _, _ := strings.Cut(section, "\n")
		check := checks[title]
		if check == nil {
			check = func(_ *testing.T, type_ func()) { type_() }
		}
		delete(checks, title)
		if !t.Run(title, func(t *testing.T) {
			check(t, func() {
				for _, command := range program.CommandsOf(section) {
					s.typed(t, command)
				}
			})
		}) {
			return
		}
	}
	if len(checks) > 0 {
		t.Errorf("the page has no sections of these names: %v", checks)
	}
}

// typed types a command of the page. Drills take as little time as they can.
func (s *shop) typed(t *testing.T, command string) {
	t.Helper()
	if strings.Contains(command, "aloft drill") {
		command += " --rate 100 --calm 2s"
	}
	out, err := s.checkout.Type(t, command)
	t.Logf("$ %s\n%s", command, out)
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, s.Log())
	}
}

func (s *shop) staging(t *testing.T, page func()) {
	page()
	s.get(t, "staging."+domain, "staging-key")
}

func (s *shop) production(t *testing.T, page func()) {
	page()
	s.serves(t, "1.0.0", "")
}

func (s *shop) release(t *testing.T, page func()) {
	stop := program.UnderLoadTrusting(t, "https://"+domain, s.trust(t))
	page()
	stop()
	s.serves(t, "1.0.0", "")
}

func (s *shop) variable(t *testing.T, page func()) {
	page()
	s.serves(t, "1.0.0", "hello")
}

func (s *shop) inside(t *testing.T, page func())  { page() }
func (s *shop) broken(t *testing.T, page func())  { page() }
func (s *shop) removed(t *testing.T, page func()) { page() }
