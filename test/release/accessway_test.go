//go:build linux

package release

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/simulation"
)

// reached checks that servers are reached in one way, and that nothing of the other is left.
func reached(t *testing.T, s *simulation.Application, way string) {
	t.Helper()
	view, keyed := s.Store.View(), 0
	for _, i := range store.Instances.List(view) {
		if i.State != store.Terminated && i.KeyName != "" {
			keyed++
		}
	}
	pairs, endpoints := len(store.KeyPairs.List(view)), len(store.InstanceConnectEndpoints.List(view))
	want := [3]int{3, 1, 0}
	if way == spec.AccessEndpoint {
		want = [3]int{0, 0, 1}
	}
	if got := [3]int{keyed, pairs, endpoints}; got != want {
		t.Errorf("%s: servers with a key, key pairs and endpoints: %v, want %v", way, got, want)
	}
	for _, group := range store.SecurityGroups.List(view) {
		for _, rule := range group.Rules {
			if way == spec.AccessEndpoint && !rule.Egress && rule.FromPort == 22 && rule.GroupID == "" {
				t.Errorf("%s admits %+v", group.Name, rule)
			}
		}
	}
}

func TestTheWayToServersChangesWithARelease(t *testing.T) {
	t.Parallel()
	s := simulation.NewApplication(t)
	reached(t, s, spec.AccessSSH)
	s.Spec.Security.Access = spec.AccessEndpoint
	s.Release(t, "r2")
	s.Serves(t, "r2")
	reached(t, s, spec.AccessEndpoint)
	s.Release(t, "r3")
	s.Serves(t, "r3")
	reached(t, s, spec.AccessEndpoint)
	s.Spec.Security.Access = spec.AccessSSH
	s.Release(t, "r4")
	s.Serves(t, "r4")
	reached(t, s, spec.AccessSSH)
}

// User data tells a builder of a stage both: for which deployment it is, and to accept keys
// that are pushed.
func TestMachinesOfAStageAcceptPushedKeys(t *testing.T) {
	t.Parallel()
	staging, _ := stagesOf(t)
	staging.Spec.Security.Access = spec.AccessEndpoint
	staging.Release(t, "r1")
	staging.Release(t, "r2")
	builders := 0
	for _, i := range store.Instances.List(staging.Store.View()) {
		data, err := base64.StdEncoding.DecodeString(i.UserData)
		if err != nil || !strings.HasPrefix(string(data), "#!/bin/sh\n: aloft-app shop-staging\n") {
			t.Errorf("%s: %s, %v", i.Tags[stack.TagAddress], data, err)
		}
		if i.Tags[stack.TagAddress] != stack.AddressBuilder {
			continue
		}
		builders++
		if !strings.HasSuffix(string(data), stack.PushedKeysScript) {
			t.Errorf("the builder is told nothing of pushed keys: %s", data)
		}
	}
	if builders == 0 {
		t.Error("there was no builder")
	}
}

// A release that cannot be proven leaves the servers as they are, and so the way to them.
func TestAFailedChangeOfTheWayLeavesTheOldOne(t *testing.T) {
	t.Parallel()
	s := simulation.NewApplication(t)
	s.Spec.Security.Access = spec.AccessEndpoint
	b := &simulation.Builder{ReleaseName: "r2", ProveErr: errors.New("it does not start")}
	if err := fails(t.Context(), s.Deployment(t, b)); err != nil {
		t.Fatal(err)
	}
	s.Spec.Security.Access = spec.AccessSSH
	s.Release(t, "r1") // deletes the endpoint, which nothing uses
	s.Serves(t, "r1")
	reached(t, s, spec.AccessSSH)
}

// A release that fails in service is taken back with the way of the release before it.
func TestARollbackReturnsToTheWayOfItsRelease(t *testing.T) {
	t.Parallel()
	s := simulation.NewApplication(t)
	s.Spec.Security.Access, s.Spec.Release.Bake = spec.AccessEndpoint, 5*time.Second
	s.FailRelease("r2")
	if err := fails(t.Context(), s.Deployment(t, &simulation.Builder{ReleaseName: "r2"})); err != nil {
		t.Fatal(err)
	}
	s.Spec.Security.Access = spec.AccessSSH
	s.Serves(t, "r1")
	reached(t, s, spec.AccessSSH)
}

// What follows a kill depends only on its phase, so every fourth change is enough.
func TestAChangeOfTheWayConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 10, func(t *testing.T, n int) string {
		s, b := simulation.NewApplication(t), &simulation.Builder{ReleaseName: "r2"}
		s.Spec.Security.Access = spec.AccessEndpoint
		fatal := s.KillAtChange(t, 4*n-3, b, simulation.RunUp)
		simulation.Up(t, s.Deployment(t, b))
		s.Serves(t, "r2")
		reached(t, s, spec.AccessEndpoint)
		return fatal
	})
}
