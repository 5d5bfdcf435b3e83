package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

const specs = "../stack/testdata/"

func build(t *testing.T, file, release string, edit func(*spec.Spec)) *stack.Stack {
	t.Helper()
	return phase(t, file, release, stack.PhaseFirst, edit)
}

func phase(t *testing.T, file, release string, phase stack.Phase, edit func(*spec.Spec)) *stack.Stack {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse(data, file, filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(s)
	}
	var zones []stack.Zone
	for _, letter := range []string{"a", "b", "c"} {
		zones = append(zones, stack.Zone{Name: s.Region + letter, Offers: s.Machines.Types})
	}
	built, err := stack.Build(s, stack.Facts{Zones: zones, Release: release, Phase: phase})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// cloud returns the resources that exist when all of a stack has been created.
func cloud(s *stack.Stack) []plan.Found {
	ids := map[string]string{}
	var all []plan.Found
	for n, r := range s.Resources {
		f := plan.Found{
			Address: r.Address,
			Kind:    r.Body.Kind(),
			ID:      fmt.Sprintf("%s-id", r.Address),
			Created: fmt.Sprintf("%04d", n),
		}
		ids[r.Address] = f.ID
		for _, a := range r.Body.Attributes() {
			var values []string
			for _, term := range a.Terms {
				values = append(values, term.Text+ids[term.Ref.Address])
			}
			f.Set(a.Key, values...)
		}
		all = append(all, f)
	}
	return all
}

func edit(all []plan.Found, address string, change func(*plan.Found)) []plan.Found {
	for i := range all {
		if all[i].Address == address {
			change(&all[i])
		}
	}
	return all
}

func without(all []plan.Found, addresses ...string) []plan.Found {
	return slices.DeleteFunc(all, func(f plan.Found) bool { return slices.Contains(addresses, f.Address) })
}

func TestAPlanShowsThatAVariableChangesAndNotItsValue(t *testing.T) {
	desired := func(level, salt string) *stack.Stack {
		e := environment.Environment{Spec: map[string]string{"LEVEL": level, "TIER": "free"}}
		return &stack.Stack{App: "shop", Resources: []stack.Resource{stack.EnvironmentResource("shop", e, salt, nil)}}
	}
	found := cloud(desired("info", "salt"))
	if p := plan.Diff(desired("info", "salt"), found); !p.Empty() {
		t.Errorf("a plan without changes: %s", p)
	}
	p := plan.Diff(desired("debug", "salt"), found)
	if len(p.Changes) != 1 || fmt.Sprint(p.Changes[0].Differences) != "[value of LEVEL: changes]" {
		t.Errorf("%s", p)
	}
	if _, kept := p.Kept[stack.AddressEnvironment]; kept {
		t.Error("what refers to the environment is not changed to its next version")
	}
	created := plan.Diff(desired("debug", "salt"), nil)
	for _, p := range []*plan.Plan{p, created} {
		text, err := json.Marshal(p)
		if err != nil || strings.Contains(p.String()+string(text), environment.Digest("salt", "LEVEL", "debug")) {
			t.Errorf("%v: a digest is shown: %s", err, text)
		}
	}
}

func TestPlanIsEmptyWhenAllResourcesExist(t *testing.T) {
	files, err := filepath.Glob(specs + "*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		want := build(t, file, "r1", nil)
		if got := plan.Diff(want, cloud(want)); !got.Empty() {
			t.Errorf("%s:\n%s", file, got)
		}
	}
}

func TestPlanListsChanges(t *testing.T) {
	tutorial := specs + "tutorial.yaml"
	existing := func() []plan.Found { return cloud(build(t, tutorial, "r1", nil)) }
	scaling := func(release string) *stack.Stack {
		return phase(t, specs+"scaling.yaml", release, stack.PhaseServe, nil)
	}
	newServer := existing()[10] // server-1
	newServer.ID, newServer.Created = "server-1-new", "9999"
	newServer.Set(stack.AttrRelease, "r2")
	emptyVPC := plan.Found{Address: "vpc", Kind: stack.KindVPC, ID: "vpc-empty"}
	emptyVPC.Set(stack.AttrCIDR, "10.0.0.0/16")
	for name, c := range map[string]struct {
		want  *stack.Stack
		found []plan.Found
	}{
		"from-nothing": {want: build(t, tutorial, "r1", nil)},
		"new-release":  {want: build(t, tutorial, "r2", nil), found: existing()},
		"a-server-was-terminated": {
			want: build(t, tutorial, "r1", nil), found: without(existing(), "server-2", "target-2"),
		},
		"a-server-is-broken": {
			want: build(t, tutorial, "r1", nil),
			found: edit(existing(), "server-3", func(f *plan.Found) {
				f.Broken = "unhealthy: Target.Timeout"
			}),
		},
		"a-server-was-stopped": {
			want: build(t, tutorial, "r1", nil),
			found: edit(existing(), "server-2", func(f *plan.Found) {
				f.Set(stack.AttrState, "stopped")
			}),
		},
		"rules-and-size-change": {
			want: build(t, tutorial, "r1", func(s *spec.Spec) {
				s.Security.SSH.From, s.Machines.Count, s.LoadBalancer.Port = nil, 2, 80
			}),
			found: existing(),
		},
		"a-crash-left-a-second-vpc": {
			want:  build(t, tutorial, "r1", nil),
			found: append([]plan.Found{emptyVPC}, existing()...),
		},
		"a-new-server-stands-beside-the-old": {
			want: build(t, tutorial, "r2", nil),
			found: append(edit(existing(), "image", func(f *plan.Found) {
				f.Set(stack.AttrRelease, "r2")
			}), newServer),
		},
		"servers-become-a-group": {want: scaling("r1"), found: existing()},
		"a-group-becomes-servers": {
			want:  phase(t, tutorial, "r1", stack.PhaseServe, nil),
			found: append(cloud(scaling("r1")), member("i-1"), member("i-2"), member("i-3")),
		},
		"a-group-gets-a-release": {
			want:  scaling("r2"),
			found: append(cloud(scaling("r1")), member("i-1")),
		},
		"a-group-half-way-to-a-release": {
			want: scaling("r1"),
			found: edit(cloud(scaling("r1")), "scaling-group", func(f *plan.Found) {
				f.Set(stack.AttrInstanceVersions, "launch-template-id", "launch-template/2")
				f.Set(stack.AttrInstances, "3 of 4 healthy")
			}),
		},
		"everything-goes": {want: &stack.Stack{App: "tutorial", Region: "us-east-1"}, found: existing()},
	} {
		t.Run(name, func(t *testing.T) {
			got := plan.Diff(c.want, c.found)
			document, err := json.MarshalIndent(got, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, filepath.Join("testdata", name+".txt"), got.String())
			if name == "rules-and-size-change" {
				golden.Check(t, filepath.Join("testdata", name+".json"), string(document))
			}
		})
	}
}

// released returns the plan of a whole release, given the resources that exist.
func released(t *testing.T, release string, found []plan.Found, edit func(*spec.Spec)) *plan.Plan {
	t.Helper()
	phases := []stack.Phase{stack.PhaseBuild, stack.PhaseProve, stack.PhaseServe}
	var plans []*plan.Plan
	for _, p := range phases {
		plans = append(plans, plan.Diff(phase(t, specs+"tutorial.yaml", release, p, edit), found))
		found = plan.Expect(plans[len(plans)-1], found)
	}
	return plan.Join(phases, plans)
}

func TestPlanOfAReleaseShowsItsPhases(t *testing.T) {
	existing := cloud(build(t, specs+"tutorial.yaml", "r1", nil))
	golden.Check(t, filepath.Join("testdata", "release.txt"), released(t, "r2", existing, nil).String())
	golden.Check(
		t, filepath.Join("testdata", "release-with-other-settings.txt"),
		released(t, "r2", existing, func(s *spec.Spec) { s.Port, s.Security.SSH.From = 8080, nil }).String(),
	)
}

func TestPartialStackDoesNotChangeServingResources(t *testing.T) {
	changed := func(s *spec.Spec) {
		s.Port, s.Security.SSH.From, s.Machines.Types = 8080, nil, spec.InstanceTypes{"t3.small"}
	}
	found := cloud(build(t, specs+"tutorial.yaml", "r1", nil))
	for _, p := range []stack.Phase{stack.PhaseBuild, stack.PhaseProve} {
		for _, c := range plan.Diff(phase(t, specs+"tutorial.yaml", "r2", p, changed), found).Changes {
			if !stack.Transient(c.Address) && c.Address != stack.AddressImage {
				t.Errorf("%s: %s %s", p, c.Action, c.Address)
			}
		}
	}
}

func TestExpectedResourcesNeedNoFurtherChanges(t *testing.T) {
	existing := cloud(build(t, specs+"tutorial.yaml", "r1", nil))
	changed := func(s *spec.Spec) { s.Port, s.Machines.Count, s.Security.SSH.From = 8080, 2, nil }
	for _, found := range [][]plan.Found{nil, existing} {
		want := build(t, specs+"tutorial.yaml", "r2", changed)
		if p := plan.Diff(want, plan.Expect(plan.Diff(want, found), found)); !p.Empty() {
			t.Errorf("%s", p)
		}
	}
}

func member(id string) plan.Found {
	return plan.Found{Address: stack.AddressMember, Kind: stack.KindMember, ID: id, Name: id}
}

func TestSizeSetByAScheduleIsKept(t *testing.T) {
	want := phase(t, specs+"scaling-with-everything.yaml", "r1", stack.PhaseServe, nil)
	for size, kept := range map[string]bool{"6": true, "9": true, "7": false} {
		found := edit(cloud(want), "scaling-group", func(f *plan.Found) { f.Set(stack.AttrMin, size) })
		if p := plan.Diff(want, found); p.Empty() != kept {
			t.Errorf("min %s:\n%s", size, p)
		}
	}
}

func TestTeardownDeletesMembersPoliciesAndSchedulesWithTheirGroup(t *testing.T) {
	found := append(cloud(phase(t, specs+"scaling-with-everything.yaml", "r1", stack.PhaseServe, nil)), member("i-1"))
	p := plan.Teardown("shop", "eu-central-1", found, true)
	for _, c := range p.Changes {
		if c.Kind.DeletedWithOwner() {
			t.Errorf("%s %s", c.Action, c.Title)
		}
	}
	if first := p.Changes[0]; first.Kind != stack.KindScalingGroup {
		t.Errorf("%s is deleted first", first.Title)
	}
}

func TestTeardownKeepsImagesByDefault(t *testing.T) {
	found := cloud(build(t, specs+"tutorial.yaml", "r1", nil))
	if p := plan.Teardown("tutorial", "us-east-1", found, false); strings.Contains(p.String(), "image ") {
		t.Error(p)
	}
	p := plan.Teardown("tutorial", "us-east-1", found, true)
	if p.Count(plan.Delete) != len(found)-3 {
		t.Error(p)
	}
	if first, last := p.Changes[0], p.Changes[len(p.Changes)-1]; first.Kind != stack.KindListener ||
		last.Kind != stack.KindVPC {
		t.Errorf("from %s to %s", first.Kind, last.Kind)
	}
}
