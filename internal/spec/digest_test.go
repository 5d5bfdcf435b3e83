package spec

import (
	"maps"
	"slices"
	"testing"
)

// digests returns those of a spec in a file.
func digests(t *testing.T, text string) map[string]string {
	t.Helper()
	text = "app: shop\nsource: {git: https://example.com/shop, ref: main}\n" + text
	s, err := Parse([]byte(text), FileName, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Digests()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDigestsTellWhichKeysDiffer(t *testing.T) {
	before := digests(t, "port: 3000\nenv: {LEVEL: debug}\n")
	for text, want := range map[string][]string{
		"port: 3000\nenv: {LEVEL: debug}\n":           nil,
		"env: {LEVEL: info}\nsecrets: {DB: ssm:/x}\n": nil, // variables are not settings
		"port: 4000\n": {"port"},
		"machines: {count: 5}\nalerts: [a@b.example]\n": {"alerts", "machines"},
		"protect: true\ntags: {team: web}\n":            {"protect", "tags"},
		"load_balancer: {health: {path: /up}}\n":        {"load_balancer"},
		"start: node main.js # as a comment says\n":     {"start"},
	} {
		after := digests(t, text)
		var differ []string
		for name := range maps.Keys(after) {
			if before[name] != after[name] {
				differ = append(differ, name)
			}
		}
		if slices.Sort(differ); !slices.Equal(differ, want) {
			t.Errorf("%q differs in %v, want %v", text, differ, want)
		}
	}
	if before["env"] != "" || before["protect"] != "" || len(before["port"]) != 8 {
		t.Errorf("digests %v", before)
	}
}

func TestWhatIsEmptyDoesNotDiffer(t *testing.T) {
	type before struct{ Count int }
	type after struct {
		Count  int
		Name   string
		Nested struct{ On bool }
		List   []int
	}
	a, err := canonical(before{3})
	b, err2 := canonical(after{Count: 3})
	if err != nil || err2 != nil || a != b {
		t.Errorf("%s and %s; %v, %v", a, b, err, err2)
	}
	if a, err = canonical(after{}); err != nil || a != "null" {
		t.Errorf("of what is empty: %s, %v", a, err)
	}
	if a, err = canonical([]int{0, 1}); err != nil || a != "[null,1]" {
		t.Errorf("of a list: %s, %v", a, err)
	}
}
