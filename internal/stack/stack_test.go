package stack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// zones returns three zones that offer the types of a spec.
func zones(s *spec.Spec) []stack.Zone {
	var all []stack.Zone
	for _, letter := range []string{"a", "b", "c"} {
		all = append(all, stack.Zone{Name: s.Region + letter, Offers: s.Machines.Types})
	}
	return all
}

var phases = []stack.Phase{stack.PhaseFirst, stack.PhaseBuild, stack.PhaseProve, stack.PhaseServe}

func build(t *testing.T, file string, phase stack.Phase) *stack.Stack {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse(data, file, filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	built, err := stack.Build(s, stack.Facts{
		Zones: zones(s), Release: "0123456789ab", Phase: phase, Environment: stack.DesiredEnvironment(s, nil),
		HostedZones: map[string]string{"api.example.com": "Z1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func everySpec(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("specs in testdata: %v, %v", files, err)
	}
	return files
}

func TestStackOfASpec(t *testing.T) {
	for _, file := range everySpec(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			golden.Check(t, strings.TrimSuffix(file, ".yaml")+".golden", build(t, file, stack.PhaseFirst).String())
		})
	}
}

func TestStacksOfAReleasesPhases(t *testing.T) {
	for _, phase := range phases[1:] {
		file := "testdata/tutorial-" + string(phase) + ".golden"
		golden.Check(t, file, build(t, "testdata/tutorial.yaml", phase).String())
	}
}

func TestScalingGroupUsesAnImageFromTheBuilder(t *testing.T) {
	golden.Check(t, "testdata/scaling-serve.golden", build(t, "testdata/scaling.yaml", stack.PhaseServe).String())
	first := build(t, "testdata/scaling.yaml", stack.PhaseFirst)
	for _, r := range first.Resources {
		if r.Body.Kind() == stack.KindTarget || r.Body.Kind() == stack.KindServer && !stack.Transient(r.Address) {
			t.Errorf("the stack has %s besides the Auto Scaling group", r.Address)
		}
	}
	if image, _ := first.Get(stack.AddressImage); image.Body.(stack.Image).Builder.Address != stack.AddressBuilder {
		t.Errorf("the image is created from %s", image.Body.(stack.Image).Builder)
	}
}

func TestTheRoleOfAReleaseThatIsMadeReadsTheSecretsOfBoth(t *testing.T) {
	s, err := spec.Parse(
		[]byte("app: shop\nstart: node .\nsource: {git: https://example.com/shop}\nsecrets: {NEW: ssm:/new}\n"),
		"aloft.yaml", ".",
	)
	if err != nil {
		t.Fatal(err)
	}
	for phase, want := range map[stack.Phase]int{stack.PhaseProve: 3, stack.PhaseServe: 2} {
		built, err := stack.Build(s, stack.Facts{
			Zones: zones(s), Release: "0123456789ab", Phase: phase, Environment: stack.DesiredEnvironment(s, nil),
			HostedZones: map[string]string{"api.example.com": "Z1"},
			Serving:     &environment.Environment{Secrets: map[string]string{"OLD": "ssm:/old"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		role, _ := built.Get(stack.AddressRole)
		if got := role.Body.(stack.Role).Statements[0].Resource; len(got) != want {
			t.Errorf("phase %s: %v", phase, got)
		}
	}
}

func TestDesiredEnvironmentKeepsWhatWasSet(t *testing.T) {
	s := &spec.Spec{Env: map[string]string{"A": "1"}}
	stored := &environment.Environment{Spec: map[string]string{"B": "2"}, Set: map[string]string{"C": "3"}}
	if got := stack.DesiredEnvironment(s, stored).String(); got != "A, C" {
		t.Error(got)
	}
	if got := stack.DesiredEnvironment(&spec.Spec{}, nil); got != nil {
		t.Errorf("an application without variables gets %v", got)
	}
	if got := stack.DesiredEnvironment(&spec.Spec{}, stored); got == nil || got.String() != "C" {
		t.Errorf("what was set is gone: %v", got)
	}
}

func TestMonthlyCost(t *testing.T) {
	// 3 × (0.0104 × 730 + 3.65 + 0.64)
	if got := stack.MonthlyCost(3, "t3.micro", "us-east-1"); got != "about $36 a month" {
		t.Error(got)
	}
	if got := stack.MonthlyCost(3, "x9.unknown", "us-east-1"); got != "" {
		t.Error(got)
	}
}

func TestSecurityGroupAllowsPortsOfAnotherRelease(t *testing.T) {
	s, err := spec.Parse(
		[]byte("app: shop\nstart: node .\nport: 8080\nsource: {git: https://example.com/shop}\n"),
		"aloft.yaml",
		".",
	)
	if err != nil {
		t.Fatal(err)
	}
	built, err := stack.Build(
		s,
		stack.Facts{Zones: zones(s), Release: "0123456789ab", Phase: stack.PhaseServe, Ports: []int{3000, 8080}},
	)
	if err != nil {
		t.Fatal(err)
	}
	group, _ := built.Get(stack.AddressAppGroup)
	for _, rule := range []string{"tcp 8080 from security-group-web.id", "tcp 3000 from security-group-web.id"} {
		if text := fmt.Sprint(group.Body.Attributes()); strings.Count(text, rule) != 1 {
			t.Errorf("%q is not exactly once in %s", rule, text)
		}
	}
}

func TestResourcesComeAfterThoseTheyReferTo(t *testing.T) {
	for _, file := range everySpec(t) {
		for _, phase := range phases {
			inOrder(t, file, build(t, file, phase))
		}
	}
}

func inOrder(t *testing.T, file string, built *stack.Stack) {
	t.Helper()
	seen := map[string]stack.Kind{}
	for _, r := range built.Resources {
		for _, ref := range r.References() {
			kind, ok := seen[ref.Address]
			if !ok {
				t.Errorf("%s: %s refers to %s, which is not before it", file, r.Address, ref)
			}
			own := r.Body.Kind()
			if !own.MayReferTo(kind) {
				t.Errorf("%s: %s refers to %s, but a %s may not refer to a %s", file, r.Address, ref, own, kind)
			}
			if own != kind && own.Rank() <= kind.Rank() && kind != stack.KindImage {
				t.Errorf("kind %s has a lower rank than %s", own, kind)
			}
		}
		seen[r.Address] = r.Body.Kind()
	}
}
