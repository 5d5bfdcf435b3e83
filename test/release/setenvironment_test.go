//go:build linux

package release

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/test/simulation"
)

// setting returns a change of one variable.
func setting(name, value string) func(map[string]string) error {
	return func(set map[string]string) error {
		set[name] = value
		return nil
	}
}

func TestSetVariablesNeedNoSourceAndSurviveUp(t *testing.T) {
	s := environedApplication(t)
	before := simulation.InstanceIDs(s.Release(t, "r1"))
	b := &simulation.Builder{SourceErr: errors.New("there is no network")}
	status, changed, err := s.Deployment(t, b).SetEnvironment(t.Context(), setting("EXTRA", "hunter9"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "changed", strings.Join(changed, " "), "EXTRA")
	if !maps.Equal(before, simulation.InstanceIDs(status)) || b.Builds() != 0 || b.Proofs() != 0 {
		t.Errorf("built %d times, proven %d times", b.Builds(), b.Proofs())
	}
	expect(t, "restarted", strings.Join(b.Refreshed(), " "), "server-1 server-2 server-3")
	s.Serves(t, "r1")
	s.Spec.Env["LEVEL"] = "hunter3"
	s.Release(t, "r1")
	expect(t, "EXTRA", variables(t, s, 0)["EXTRA"], "hunter9")
	_, changed, err = s.Deployment(t, b).SetEnvironment(t.Context(), func(set map[string]string) error {
		delete(set, "EXTRA")
		return nil
	})
	if _, ok := variables(t, s, 0)["EXTRA"]; err != nil || ok || len(changed) != 1 {
		t.Errorf("%v, changed %v, EXTRA is there: %t", err, changed, ok)
	}
	expect(t, "releases", releases(t, s), "r1 released env-1; r1 released env-2 (environment: EXTRA); "+
		"r1 released env-3 (environment: LEVEL); r1 released env-4 (environment: EXTRA)")
	b.SourceErr = nil
	if _, _, err := s.Deployment(t, b).Rollback(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	expect(t, "EXTRA after a rollback", variables(t, s, 0)["EXTRA"], "hunter9")
}

// A server without connections restarts before its deregistration delay ends.
func TestServersWithoutRequestsRestartAtOnce(t *testing.T) {
	s := environedApplication(t)
	s.Spec.LoadBalancer.DeregistrationDelay = time.Hour
	b := &simulation.Builder{ReleaseName: "r1", Idle: true}
	simulation.Up(t, s.Deployment(t, b))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, _, err := s.Deployment(t, b).SetEnvironment(ctx, setting("EXTRA", "hunter9")); err != nil {
		t.Fatal(err)
	}
	expect(t, "restarted", strings.Join(b.Refreshed(), " "), "server-1 server-2 server-3")
	s.Serves(t, "r1")
}

func TestAVariableThatIsSetAlreadyChangesNothing(t *testing.T) {
	s := environedApplication(t)
	b := &simulation.Builder{ReleaseName: "r1"}
	for range 2 {
		if _, _, err := s.Deployment(t, b).SetEnvironment(t.Context(), setting("EXTRA", "hunter9")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.Refreshed()); n != 3 || len(s.History(t)) != 2 {
		t.Errorf("%d servers were restarted: %s", n, releases(t, s))
	}
}

func TestTheFirstVariableGivesServersARole(t *testing.T) {
	s := simulation.NewApplication(t)
	b := &simulation.Builder{ReleaseName: "r1"}
	if _, _, err := s.Deployment(t, b).SetEnvironment(t.Context(), setting("EXTRA", "hunter9")); err != nil {
		t.Fatal(err)
	}
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	s.Serves(t, "r1")
	simulation.Removed(t, s.Cloud, s.Deployment(t, b))
}

func TestVariablesCanBeSetBeforeTheFirstUp(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	b := &simulation.Builder{ReleaseName: "r1"}
	status, _, err := s.Deployment(t, b).SetEnvironment(t.Context(), setting("EXTRA", "hunter9"))
	if err != nil || status != nil {
		t.Fatalf("%v, %v", status, err)
	}
	simulation.Up(t, s.Deployment(t, b))
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	if len(b.Refreshed()) > 0 {
		t.Errorf("%v were restarted", b.Refreshed())
	}
	s.Serves(t, "r1")
}

func TestAVariableWithWhichNothingStartsIsRolledBack(t *testing.T) {
	s := environedApplication(t)
	b := &simulation.Builder{ReleaseName: "r1"}
	b.OnRefresh = func(string) error {
		if _, bad := variables(t, s, 0)["EXTRA"]; bad {
			return errors.New("it does not start")
		}
		return nil
	}
	_, _, err := s.Deployment(t, b).SetEnvironment(t.Context(), setting("EXTRA", "hunter9"))
	if err == nil || !strings.Contains(err.Error(), "it does not start") {
		t.Fatal(err)
	}
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	s.Serves(t, "r1")
	refusal := errors.New("no")
	_, _, err = s.Deployment(t, b).SetEnvironment(t.Context(), func(map[string]string) error { return refusal })
	if err == nil || !strings.Contains(err.Error(), "no") || len(s.History(t)) != 2 {
		t.Errorf("%v: %s", err, releases(t, s))
	}
}
