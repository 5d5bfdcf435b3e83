//go:build linux

package scaling

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// lacking makes pools such as "us-east-1b t3.micro" lack capacity.
func lacking(c *simulation.Cloud, pools ...string) {
	hook := func(zone, instanceType string) ec2.Capacity {
		if slices.Contains(pools, zone+" "+instanceType) {
			return ec2.Insufficient
		}
		return ec2.Sufficient
	}
	c.Capacity.Store(&hook)
}

// typed returns the spec of a group with instance types.
func typed(t *testing.T, types ...string) *spec.Spec {
	t.Helper()
	s := simulation.ScalingTutorial(t)
	s.Machines.Types = types
	return s
}

// wantServers checks the zones and types of the servers: "us-east-1a t3.micro".
func wantServers(t *testing.T, s *apply.Status, want ...string) {
	t.Helper()
	var got []string
	for _, m := range s.Machines {
		got = append(got, m.Zone+" "+m.Type)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// policy returns the mixed instances policy of the group, or "".
func policy(c *simulation.Cloud) string {
	return store.ScalingGroups.List(c.Store.View())[0].Mixed
}

func TestGroupFallsBackToTheNextTypeAndItsReleasesDo(t *testing.T) {
	t.Parallel()
	c, keys, s := simulation.New(t), t.TempDir(), typed(t, "t3.micro", "t3.small")
	client := c.Client(t, nil)
	lacking(c, "us-east-1b t3.micro")
	up := func(release string) *apply.Status {
		t.Helper()
		d := simulation.Deployment(t, client, s, &simulation.Builder{ReleaseName: release}, keys)
		status := simulation.Up(t, d)
		simulation.PlanIsEmpty(t, d)
		return status
	}
	first := up("r1")
	wantServers(t, first, "us-east-1a t3.micro", "us-east-1b t3.small", "us-east-1c t3.micro")
	if i := slices.IndexFunc(first.Machines, func(m apply.Machine) bool { return m.Zone == "us-east-1b" }); i < 0 ||
		first.Machines[i].Fallback != "t3.small, not t3.micro" {
		t.Errorf("the status says %+v", first.Machines)
	}
	if !strings.Contains(policy(c), "prioritized") {
		t.Errorf("the group's policy is %q", policy(c))
	}
	second := up("r2")
	wantServers(t, second, "us-east-1a t3.micro", "us-east-1b t3.small", "us-east-1c t3.micro")
	for _, m := range second.Machines {
		if instancesOf(first)[m.InstanceID] {
			t.Errorf("%s was not replaced", m.InstanceID)
		}
	}
}

func TestChangedTypesReplaceOnlyServersOfOtherTypes(t *testing.T) {
	t.Parallel()
	c, keys, b := simulation.New(t), t.TempDir(), &simulation.Builder{ReleaseName: "r1"}
	client := c.Client(t, nil)
	up := func(types ...string) *apply.Status {
		t.Helper()
		d := simulation.Deployment(t, client, typed(t, types...), b, keys)
		status := simulation.Up(t, d)
		simulation.PlanIsEmpty(t, d)
		return status
	}
	lacking(c, "us-east-1b t3.micro")
	before := up("t3.micro", "t3.small")
	kept := up("t3.micro", "t3.small", "t3.medium")
	for _, m := range kept.Machines {
		if !instancesOf(before)[m.InstanceID] {
			t.Errorf("%s was replaced, although its type is still listed", m.Zone)
		}
	}
	lacking(c)
	after := up("t3.micro")
	wantServers(t, after, "us-east-1a t3.micro", "us-east-1b t3.micro", "us-east-1c t3.micro")
	replaced := 0
	for _, m := range after.Machines {
		if !instancesOf(before)[m.InstanceID] {
			replaced++
		}
	}
	if replaced != 1 || policy(c) != "" {
		t.Errorf("%d servers were replaced, the policy is %q", replaced, policy(c))
	}
}

func TestGroupWithoutRoomFailsEarlyAndNamesTypesAndZones(t *testing.T) {
	t.Parallel()
	c, keys := simulation.New(t), t.TempDir()
	d := simulation.Deployment(
		t, c.Client(t, nil), typed(t, "t3.micro", "t3.small"), &simulation.Builder{ReleaseName: "r1"}, keys,
	)
	simulation.Up(t, d)
	var all []string
	for _, zone := range []string{"a", "b", "c"} {
		all = append(all, "us-east-1"+zone+" t3.micro", "us-east-1"+zone+" t3.small")
	}
	lacking(c, all...)
	_, err := d.Scale(t.Context(), 4)
	list := diag.From(err)
	if len(list) != 1 || !strings.Contains(list[0].Summary, "no room for another server") {
		t.Fatalf("got %v", err)
	}
	simulation.Contains(t, list[0].Detail,
		"Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient",
		"types: t3.micro, else t3.small. Its zones: us-east-1a, us-east-1b, us-east-1c")
}

func TestReleaseWithoutRoomForItsTypeIsRolledBack(t *testing.T) {
	t.Parallel()
	c, keys := simulation.New(t), t.TempDir()
	client := c.Client(t, nil)
	simulation.Up(t, simulation.Deployment(
		t, client, typed(t, "t3.micro"), &simulation.Builder{ReleaseName: "r1"}, keys,
	))
	b := &simulation.Builder{ReleaseName: "r2"}
	calls := 0
	b.During = func() {
		if calls++; calls == 2 { // the builder and the candidate found room
			lacking(c, "us-east-1a t3.micro", "us-east-1b t3.micro", "us-east-1c t3.micro")
		}
	}
	s := typed(t, "t3.micro")
	err := simulation.RunUp(t.Context(), simulation.Deployment(t, client, s, b, keys))
	simulation.Contains(t, simulation.RolledBack(t, err),
		"AWS has no room for the new servers", "release r1 was restored")
}
