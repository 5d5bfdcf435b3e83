//go:build linux && root

package production

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

var everything = flag.Bool("everything", false, "run the drills too that the example's page only mentions")

// TestRealProduction types examples/production/README.md section by section, and checks what
// each has done.
func TestRealProduction(t *testing.T) {
	s := start(t)
	page, err := os.ReadFile(filepath.Join(s.dir(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		sections[title] = text
	}
	for _, part := range []struct {
		section string
		check   func(t *testing.T, commands []string)
	}{
		{"Prepare the account", s.prepare},
		{"Deploy to staging", s.staging},
		{"Promote to production", s.production},
		{"Release a new version", s.release},
		{"Change a variable", s.variable},
		{"Look inside", s.inside},
		{"Break it", s.drills},
		{"Remove it", s.removed},
	} {
		commands := program.CommandsOf(sections[part.section])
		delete(sections, part.section)
		if len(commands) == 0 {
			t.Fatalf("the page shows no commands to %s", part.section)
		}
		if !t.Run(part.section, func(t *testing.T) { part.check(t, commands) }) {
			return
		}
	}
	for title := range sections {
		t.Errorf("the section %s is not tested", title)
	}
}

// types types commands of the page, and returns what they print.
func (s *shop) types(t *testing.T, commands ...string) string {
	t.Helper()
	var printed strings.Builder
	for _, command := range commands {
		out, err := s.checkout.Type(t, command)
		t.Logf("$ %s\n%s", command, out)
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, s.Log())
		}
		printed.WriteString(out)
	}
	return printed.String()
}

// prints checks that commands print words.
func (s *shop) prints(t *testing.T, commands []string, words ...string) {
	t.Helper()
	out := s.types(t, commands...)
	for _, word := range words {
		if !strings.Contains(out, word) {
			t.Errorf("%q is not printed", word)
		}
	}
}

func (s *shop) prepare(t *testing.T, commands []string) { s.types(t, commands...) }

func (s *shop) staging(t *testing.T, commands []string) {
	s.prints(t, commands, "shop-staging is up, and verified", "https://staging."+domain)
	if got := s.get(t, "staging."+domain, "staging-key"); got.Stage != "staging" || got.Version != "1.0.0" {
		t.Errorf("staging answers %+v", got)
	}
}

func (s *shop) production(t *testing.T, commands []string) {
	s.prints(t, commands, "serves stage production", "on-call@example.com (is told nothing until",
		"HTTP redirects, browsers are told to use HTTPS alone")
	s.serves(t, "1.0.0", "")
	t.Run("HTTPS", s.https)
	t.Run("scan", s.scanned)
}

// release releases under load, and rolls back.
func (s *shop) release(t *testing.T, commands []string) {
	stop := s.underLoad(t, 3000)
	for _, command := range commands {
		s.types(t, command)
		if strings.Contains(command, "promote") {
			s.serves(t, "1.1.0", "")
		}
	}
	stop()
	s.serves(t, "1.0.0", "")
}

// underLoad sends requests to production until stop is called, at least some. None may fail.
func (s *shop) underLoad(t *testing.T, least int) (stop func()) {
	return program.Load{URL: "https://" + domain, Roots: s.trust(t), Rate: 100, Least: least}.Start(t)
}

// variable changes a variable under load.
func (s *shop) variable(t *testing.T, commands []string) {
	before := s.stage(t, "production")
	stop := s.underLoad(t, 500)
	s.prints(t, commands, "ssm:/shop/production/signing-key")
	stop()
	s.serves(t, "1.0.0", "hello")
	for i, m := range s.stage(t, "production").Machines {
		if m.InstanceID != before.Machines[i].InstanceID {
			t.Errorf("%s was replaced, not restarted", m.Name)
		}
	}
}

func (s *shop) inside(t *testing.T, commands []string) {
	s.prints(t, commands, "active\n",
		"web: version 1.1.0 serves production", // from servers that are gone
		` 200 200 `, `"GET https://`+domain+`:443/`)
	t.Run("host keys survive the console", s.hostKeys)
}
