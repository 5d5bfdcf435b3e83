//go:build linux

package scaling_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// mixed makes a group launch from a mixed instances policy with instance types, once the
// test calls launch.
func mixed(types ...string) func(*store.ScalingGroup) {
	return func(g *store.ScalingGroup) {
		var overrides []string
		for _, t := range types {
			overrides = append(overrides, fmt.Sprintf(`{"InstanceType":%q}`, t))
		}
		g.Mixed = `{"LaunchTemplate":{"LaunchTemplateSpecification":{"LaunchTemplateId":"lt-1","Version":"1"},` +
			`"Overrides":[` + strings.Join(overrides, ",") + `]}}`
		g.Suspended = []store.SuspendedProcess{{Name: scalinggroup.Launch}}
	}
}

func (w *world) launch() {
	w.t.Helper()
	w.group(func(g *store.ScalingGroup) { g.Suspended = nil })
	w.pass(time.Second)
}

// refused returns EC2's refusal of an instance type in a zone.
func refused(code, instanceType string) error {
	return &scalinggroup.Refusal{Code: code, Message: "There is no " + instanceType + " in your Availability Zone."}
}

// types counts the group's instances by zone and type.
func (w *world) types() map[string]int {
	out := map[string]int{}
	for _, i := range scalinggroup.Instances(w.store.View(), key) {
		if i.State == store.LifecycleInService {
			out[i.Zone+" "+i.Type]++
		}
	}
	return out
}

func (w *world) wantTypes(want string) {
	w.t.Helper()
	if got := fmt.Sprint(w.types()); got != "map["+want+"]" {
		w.t.Errorf("instances %s, want %s\n%s", got, want, w.history())
	}
}

func TestGroupLaunchesTheNextTypeInAZoneWithoutTheFirst(t *testing.T) {
	for _, code := range []string{"InsufficientInstanceCapacity", "Unsupported"} {
		inWorld(t, mixed("t3.micro", "t3a.micro", "t3.small"),
			func(w *world) {
				w.fleet.lacks = func(subnet, instanceType string) error {
					if subnet == "subnet-b" && instanceType != "t3.small" {
						return refused(code, instanceType)
					}
					return nil
				}
				w.launch()
				w.wantTypes("a t3.micro:1 b t3.small:1 c t3.micro:1")
				if strings.Contains(w.history(), "Failed") {
					t.Error(w.history())
				}
				w.fleet.lacks = nil
				w.pass(10 * time.Minute)
				w.wantTypes("a t3.micro:1 b t3.small:1 c t3.micro:1") // capacity that returns replaces nothing
				w.desire(4)
				w.desire(3)
				w.wantTypes("a t3.micro:1 b t3.small:1 c t3.micro:1") // a zone comes before a type
			})
	}
}

func TestGroupLaunchesElsewhereWhenAZoneLacksAllTypes(t *testing.T) {
	inWorld(t, mixed("t3.micro", "t3a.micro"), func(w *world) {
		w.fleet.lacks = func(subnet, instanceType string) error {
			if subnet == "subnet-b" {
				return refused("InsufficientInstanceCapacity", instanceType)
			}
			return nil
		}
		w.launch()
		w.pass(time.Minute)
		if zones := w.zones(); zones["a"]+zones["c"] != 3 {
			t.Errorf("zones %v", zones)
		}
		const words = "Could not launch On-Demand Instances. InsufficientInstanceCapacity - There is no t3.micro in " +
			"your Availability Zone. Launching EC2 instance failed."
		failed := 0
		for _, a := range store.ScalingActivitiesByGroup.List(w.store.View(), key) {
			if a.Status == scalinggroup.Failed {
				failed++
				if a.StatusMessage != words || a.Zone != "b" {
					t.Errorf("%s: %s", a.Zone, a.StatusMessage)
				}
			}
		}
		if failed == 0 {
			t.Error("no activity failed")
		}
		w.fleet.lacks = nil
		w.pass(20 * time.Minute)
		w.wantTypes("a t3.micro:1 b t3.micro:1 c t3.micro:1")
	})
}

func TestGroupDoesNotTryOtherTypesAfterOtherErrors(t *testing.T) {
	inWorld(t, mixed("t3.micro", "t3a.micro"), func(w *world) {
		var asked []string
		w.fleet.lacks = func(_, instanceType string) error {
			asked = append(asked, instanceType)
			return refused("VcpuLimitExceeded", instanceType)
		}
		w.launch()
		w.stop()
		for _, instanceType := range asked {
			if instanceType != "t3.micro" {
				t.Errorf("asked for %v", asked)
			}
		}
		if len(asked) == 0 {
			t.Error("nothing was launched")
		}
	})
}

func TestGroupLaunchesSpotInstancesByItsDistribution(t *testing.T) {
	share := func(g *store.ScalingGroup) {
		g.Mixed = strings.TrimSuffix(g.Mixed, "}") + `,"InstancesDistribution":{"OnDemandBaseCapacity":1,` +
			`"OnDemandPercentageAboveBaseCapacity":25,"SpotMaxPrice":"0.5"}}`
	}
	policy := mixed("t3.micro", "t3.small")
	inWorld(t, func(g *store.ScalingGroup) { policy(g); share(g) }, func(w *world) {
		kinds := func() string {
			count := map[string]int{}
			for _, i := range scalinggroup.Instances(w.store.View(), key) {
				machine, _ := store.Instances.Get(w.store.View(), i.InstanceID)
				if i.State == store.LifecycleInService {
					count[machine.SpotRequestID]++
				}
			}
			return fmt.Sprint(count)
		}
		want := func(text string) {
			w.t.Helper()
			if got := kinds(); got != text {
				w.t.Errorf("instances %s, want %s\n%s", got, text, w.history())
			}
		}
		w.launch()
		want("map[:2 sir-0.5:1]") // a part of an instance is On-Demand
		w.desire(6)
		want("map[:3 sir-0.5:3]")
		w.desire(2)
		want("map[:2]")
		w.fleet.lacks = func(string, string) error { return refused("MaxSpotInstanceCountExceeded", "t3.micro") }
		w.desire(3)
		if !strings.Contains(w.history(), "Could not launch Spot Instances. MaxSpotInstanceCountExceeded") {
			t.Error(w.history())
		}
	})
}
