package spec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

const staged = `app: shop
start: node x.js
env: {LEVEL: info, TIER: free, OLD: x}
machines: {type: [t3.small, t3a.small]}
scaling: {min: 3, max: 9, target: {cpu: 50}}
release: {bake: 5m}
tags: {team: a}
stages:
  staging:
    env: {LEVEL: debug, OLD: null}
    machines: {count: 2, type: t3.micro}
    scaling: null
    release: {watch: 0s}
  production:
    scaling: {max: 12}
    protect: true
  live:
    app: shop
  empty:
`

func parseStage(t *testing.T, text, stage string) (*spec.Spec, error) {
	t.Helper()
	return spec.ParseStage([]byte(text), spec.FileName, t.TempDir(), stage)
}

func TestAStageIsMergedKeyByKey(t *testing.T) {
	s, err := parseStage(t, staged, "staging")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"LEVEL": "debug", "TIER": "free"}
	if diff := cmp.Diff(want, s.Env); diff != "" {
		t.Error(diff)
	}
	if s.App != "shop-staging" || s.Program() != "shop" || s.Title() != "shop-staging, stage staging" {
		t.Errorf("%s, %s, %s", s.App, s.Program(), s.Title())
	}
	if s.Scaling != nil || s.Machines.Count != 2 || s.Machines.Types.String() != "t3.micro" || s.Protect ||
		s.Release.Bake != 5*time.Minute || s.Release.Watch != 0 || s.Tags["team"] != "a" {
		t.Errorf("%+v", s)
	}
	s, err = parseStage(t, staged, "production")
	if err != nil {
		t.Fatal(err)
	}
	if s.Scaling.Max != 12 || s.Scaling.Min != 3 || s.Scaling.Target.CPU != 50 || !s.Protect || s.Env["OLD"] != "x" {
		t.Errorf("%+v, %+v", s, s.Scaling)
	}
	for stage, app := range map[string]string{"live": "shop", "empty": "shop-empty"} {
		if s, err = parseStage(t, staged, stage); err != nil || s.App != app || s.Program() != "shop" {
			t.Errorf("%s: %+v, %v", stage, s, err)
		}
	}
}

func TestMistakesInStagesAreReportedWithTheirPlaces(t *testing.T) {
	const start = "start: x\n"
	for _, test := range []struct{ name, yaml, stage, where, summary, hint string }{
		{"none is chosen", staged, "", "aloft.yaml:9:10", "none of them is chosen", "--stage: empty, live, production"},
		{"unknown", staged, "stagin", "--stage stagin", "is not a stage of aloft.yaml", "did you mean staging?"},
		{"no stages", start, "a", "--stage a", "is not a stage of aloft.yaml", "it has none: add stages: {a: {}}"},
		{
			"value", start + "stages:\n  a:\n    port: 0\n", "a",
			"aloft.yaml:4:11", "port: expected a port from 1 to 65535, got 0", "",
		},
		{
			"key of another stage", start + "stages:\n  a: {}\n  b: {prot: 1}\n", "a",
			"aloft.yaml:4:7", `unknown key "prot"`, `did you mean "port"?`,
		},
		{
			"stages in a stage", start + "stages:\n  a: {stages: {}}\n", "a",
			"aloft.yaml:3:15", "a stage has no stages of its own", "",
		},
		{"name", start + "stages:\n  A_1: {}\n  b: {}\n", "b", "aloft.yaml:3:3", `"A_1" is not a name`, ""},
		{
			"length", "app: an-application-of-shops\n" + start + "stages: {staging: {}}\n", "staging",
			"aloft.yaml:3:10", `"an-application-of-shops-staging" is not a name`, "{staging: {app: shop-staging}}",
		},
		{"a list", start + "stages: [a]\n", "a", "aloft.yaml:2:9", "expected a mapping of stages", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseStage(t, test.yaml, test.stage)
			problems := diag.From(err)
			if len(problems) == 0 {
				t.Fatal("no mistake is reported")
			}
			p := problems[0]
			if p.Where != test.where || !strings.Contains(p.Summary, test.summary) ||
				!strings.Contains(p.Hint, test.hint) {
				t.Errorf("%s: %s\n%s", p.Where, p.Summary, p.Hint)
			}
		})
	}
}

func TestWhatIsBuiltInIsCompared(t *testing.T) {
	const text = "app: shop\nstart: node x.js\nstages:\n  a: {env: {A: b}, machines: {count: 2}}\n" +
		"  b: {port: 8080, build: {packages: [git]}, processes: {worker: node w.js}}\n  c: {}\n"
	of := func(stage string) *spec.Spec {
		s, err := spec.ParseStage([]byte(text), spec.FileName, "testdata", stage)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := []string{"build.packages: [] and [git]", "port: 3000 and 8080", "processes.worker: none and node w.js"}
	if diff := cmp.Diff(want, spec.BuiltInDifferences(of("a"), of("b"))); diff != "" {
		t.Error(diff)
	}
	if got := spec.BuiltInDifferences(of("a"), of("c")); len(got) > 0 {
		t.Error(got)
	}
}
