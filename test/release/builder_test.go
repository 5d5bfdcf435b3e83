//go:build linux

package release

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// withBuilder returns the tutorial with a builder of another type than the servers', not in
// service yet.
func withBuilder(t *testing.T, edit ...func(*spec.Spec)) *simulation.Application {
	t.Helper()
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	s.Spec.Machines.Builder = spec.InstanceTypes{"t3.medium"}
	for _, e := range edit {
		e(s.Spec)
	}
	return s
}

// machines lists all machines that there ever were: "builder t3.medium; server-1 t3.micro".
func machines(s *simulation.Application) string {
	var all []string
	for _, i := range store.Instances.List(s.Store.View()) {
		all = append(all, i.Tags["aloft:address"]+" "+i.Type)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// installed checks that every server was launched from an image, or is the one that an
// image was made of.
func installed(t *testing.T, s *simulation.Application) {
	t.Helper()
	view := s.Store.View()
	for _, i := range store.Instances.List(view) {
		made := slices.ContainsFunc(store.Images.List(view), func(image *store.Image) bool {
			return image.SourceInstanceID == i.ID
		})
		if i.State != store.Terminated && i.Tags["aloft:builds"] != "" && !made {
			t.Errorf("nothing was installed on %s", i.Tags["aloft:address"])
		}
	}
}

func TestABuilderHasItsOwnTypeFromTheFirstReleaseOn(t *testing.T) {
	s := withBuilder(t)
	s.Release(t, "r1")
	s.Serves(t, "r1")
	installed(t, s)
	const first = "builder t3.medium; server-1 t3.micro; server-2 t3.micro; server-3 t3.micro"
	expect(t, "machines of the first release", machines(s), first)
	s.Release(t, "r2")
	s.Serves(t, "r2")
	const both = "builder t3.medium; builder t3.medium; candidate t3.micro; server-1 t3.micro; server-1 t3.micro; " +
		"server-2 t3.micro; server-2 t3.micro; server-3 t3.micro; server-3 t3.micro"
	expect(t, "machines of two releases", machines(s), both)
	b := &simulation.Builder{ReleaseName: "r2"}
	if _, _, err := s.Deployment(t, b).Rollback(t.Context(), ""); err != nil || b.Builds() > 0 {
		t.Fatalf("%v, built %d times", err, b.Builds())
	}
	s.Serves(t, "r1")
	simulation.Removed(t, s.Cloud, s.Deployment(t, b))
}

func TestAnotherBuilderIsNoRelease(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Spec.Machines.Builder = spec.InstanceTypes{"t3.medium"}
	s.Serves(t, "r1") // an empty plan, although the first server was built on
}

func TestABuildWithoutEnoughMemoryIsRepeatedOnABuilder(t *testing.T) {
	s := withBuilder(t, func(s *spec.Spec) { s.Machines.Builder = nil })
	failing := &simulation.Builder{ReleaseName: "r1", BuildErr: errors.New("out of memory")}
	if err := simulation.RunUp(t.Context(), s.Deployment(t, failing)); err == nil {
		t.Fatal("the build has not failed")
	}
	s.Spec.Machines.Builder = spec.InstanceTypes{"t3.medium"}
	s.Release(t, "r1")
	s.Serves(t, "r1")
	installed(t, s)
	expect(t, "machines", machines(s),
		"builder t3.medium; server-1 t3.micro; server-1 t3.micro; server-2 t3.micro; server-3 t3.micro")
}

func TestAFailedBuilderIsReplacedByOneOfAnotherType(t *testing.T) {
	s := withBuilder(t)
	failing := &simulation.Builder{ReleaseName: "r1", BuildErr: errors.New("out of memory")}
	if err := simulation.RunUp(t.Context(), s.Deployment(t, failing)); err == nil {
		t.Fatal("the build has not failed")
	}
	s.Spec.Machines.Builder = spec.InstanceTypes{"t3.large"}
	s.Release(t, "r1")
	s.Serves(t, "r1")
	expect(t, "machines", machines(s),
		"builder t3.large; builder t3.medium; server-1 t3.micro; server-2 t3.micro; server-3 t3.micro")
}

func TestAFirstReleaseWithABuilderConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 7, func(t *testing.T, n int) string {
		s := withBuilder(t)
		b := &simulation.Builder{ReleaseName: "r1"}
		fatal := s.KillAtChange(t, 7*n, b, simulation.RunUp)
		simulation.Up(t, s.Deployment(t, b))
		s.Serves(t, "r1")
		installed(t, s)
		return fatal
	})
}

func TestABuilderThatIsAskedForAfterAKillBuildsAgain(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 7, func(t *testing.T, n int) string {
		s := withBuilder(t, func(s *spec.Spec) { s.Machines.Builder = nil })
		b := &simulation.Builder{ReleaseName: "r1"}
		fatal := s.KillAtChange(t, 7*n, b, simulation.RunUp)
		s.Spec.Machines.Builder = spec.InstanceTypes{"t3.medium"}
		simulation.Up(t, s.Deployment(t, b))
		s.Serves(t, "r1")
		installed(t, s)
		return fatal
	})
}

func TestABuilderOfAnotherArchitectureIsRefusedBeforeAnyChange(t *testing.T) {
	s := withBuilder(t, func(s *spec.Spec) { s.Machines.Builder = spec.InstanceTypes{"t4g.medium"} })
	problems := diag.From(simulation.RunUp(t.Context(), s.Deployment(t, &simulation.Builder{ReleaseName: "r1"})))
	if len(problems) != 1 || problems[0].Where != "machines.builder" {
		t.Fatalf("got %v", problems)
	}
	simulation.Contains(t, problems[0].Summary, "t3.micro is x86_64, and t4g.medium is arm64")
	simulation.NothingLeft(t, s.Cloud)
}
