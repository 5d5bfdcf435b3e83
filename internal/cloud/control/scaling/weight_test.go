//go:build linux

package scaling_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// weighted makes a group of five units launch from a mixed instances policy with weights, in turns
// an instance type and its weight. It launches once the test calls launch.
func weighted(typesAndWeights ...any) func(*store.ScalingGroup) {
	return func(g *store.ScalingGroup) {
		mixed()(g)
		g.Mixed, g.Desired, g.Max = policyOf(typesAndWeights...), 5, 12
	}
}

func policyOf(typesAndWeights ...any) string {
	var overrides []string
	for n := 0; n < len(typesAndWeights); n += 2 {
		overrides = append(overrides, fmt.Sprintf(
			`{"InstanceType":"%v","WeightedCapacity":"%v"}`, typesAndWeights[n], typesAndWeights[n+1],
		))
	}
	return `{"LaunchTemplate":{"LaunchTemplateSpecification":{"LaunchTemplateId":"lt-1","Version":"1"},` +
		`"Overrides":[` + strings.Join(overrides, ",") + `]}}`
}

// units returns the units of capacity of the instances in service.
func (w *world) units() (n int) {
	for _, i := range scalinggroup.Instances(w.store.View(), key) {
		if i.State == store.LifecycleInService {
			n += scalinggroup.Units(i)
		}
	}
	return n
}

func (w *world) wantUnits(want int, types string) {
	w.t.Helper()
	w.wantTypes(types)
	if got := w.units(); got != want {
		w.t.Errorf("%d units, want %d\n%s", got, want, w.history())
	}
}

func TestWeightsCountTowardTheDesiredCapacity(t *testing.T) {
	inWorld(t, weighted("t3.small", 2, "t3.micro", 1), func(w *world) {
		w.launch()
		w.wantUnits(6, "a t3.small:1 b t3.small:1 c t3.small:1") // one more than desired
		if causes := w.store.View(); len(mustGroup(causes).CapacityCauses) != 0 {
			t.Errorf("the group has not met its capacity: %v", mustGroup(causes).CapacityCauses)
		}
		w.pass(time.Hour)
		w.desire(6)
		w.wantUnits(6, "a t3.small:1 b t3.small:1 c t3.small:1")
		w.desire(7)
		w.wantUnits(8, "a t3.small:2 b t3.small:1 c t3.small:1")
		w.desire(5)
		w.pass(2 * time.Minute)
		w.wantUnits(6, "a t3.small:1 b t3.small:1 c t3.small:1") // no instance is left that is one unit
		w.desire(4)
		w.pass(2 * time.Minute)
		if got := w.units(); got != 4 {
			t.Errorf("%d units, want 4\n%s", got, w.history())
		}
		if strings.Contains(w.history(), scalinggroup.DescribeProtected) {
			t.Error(w.history())
		}
		w.desire(0)
		w.pass(2 * time.Minute)
		w.wantUnits(0, "")
	})
}

func mustGroup(r store.Reader) *store.ScalingGroup {
	g, _ := store.ScalingGroups.Get(r, key)
	return g
}

func TestZoneWithoutTheFirstTypeGetsAnotherWeight(t *testing.T) {
	for _, c := range []struct {
		types []any
		want  string
		units int
	}{
		// The launch in b provides less than planned, and another follows where it fits.
		{[]any{"t3.small", 2, "t3.micro", 1}, "a t3.small:1 b t3.micro:1 c t3.small:1", 5},
		// It provides more, so one that was launched with it is too many.
		{[]any{"t3.small", 2, "t3.large", 4}, "b t3.large:1 c t3.small:1", 6},
	} {
		inWorld(t, weighted(c.types...), func(w *world) {
			w.fleet.lacks = func(subnet, instanceType string) error {
				if subnet == "subnet-b" && instanceType == "t3.small" {
					return refused("InsufficientInstanceCapacity", instanceType)
				}
				return nil
			}
			w.launch()
			w.pass(10 * time.Minute)
			launches := w.fleet.calls["Launch"]
			w.pass(10 * time.Hour)
			w.wantUnits(c.units, c.want)
			if again := w.fleet.calls["Launch"]; again != launches {
				t.Errorf("%d launches, then %d: the group does not settle\n%s", launches, again, w.history())
			}
		})
	}
}

func TestWeightedGroupReturnsToAZone(t *testing.T) {
	for _, c := range []struct {
		types []any
		lacks string // type that the other zones do not get back
		units int    // of capacity at the end
	}{
		{[]any{"t3.small", 3}, "", 6},
		{[]any{"t3.micro", 1, "t3.small", 3}, "", 5},
		{[]any{"t3.small", 3, "t3.micro", 1}, "t3.small", 5},
	} {
		inWorld(t, weighted(c.types...), func(w *world) {
			var mended atomic.Bool
			w.fleet.lacks = func(subnet, instanceType string) error {
				if subnet != "subnet-a" && (!mended.Load() || instanceType == c.lacks) {
					return refused("InsufficientInstanceCapacity", instanceType)
				}
				return nil
			}
			w.launch()
			w.pass(10 * time.Minute)
			mended.Store(true)
			w.pass(time.Hour)
			launches := w.fleet.calls["Launch"]
			w.pass(10 * time.Hour)
			if again := w.fleet.calls["Launch"]; again != launches {
				t.Errorf("%d launches, then %d: the group does not settle\n%s", launches, again, w.history())
			}
			least, most := 9, 0
			for _, zone := range []string{"a", "b", "c"} {
				least, most = min(least, w.zones()[zone]), max(most, w.zones()[zone])
			}
			if most > least+1 || w.units() != c.units {
				t.Errorf("%d units in %v\n%s", w.units(), w.zones(), w.history())
			}
		})
	}
}

func TestNewWeightsHoldForTheInstances(t *testing.T) {
	inWorld(t, weighted("t3.small", 2), func(w *world) {
		w.launch()
		w.wantUnits(6, "a t3.small:1 b t3.small:1 c t3.small:1")
		change := func(policy string) {
			w.update(func(tx *store.Tx) {
				store.ScalingGroups.Edit(tx, key, func(g *store.ScalingGroup) { g.Mixed = policy })
				scalinggroup.Weigh(tx, mustGroup(tx))
			})
			w.pass(2 * time.Minute)
		}
		change(policyOf("t3.small", 1))
		if got := w.units(); got != 5 {
			t.Errorf("%d units after the weight is 1, want 5\n%s", got, w.history())
		}
		change(policyOf("t3.micro", 4)) // t3.small keeps its last weight
		if got := w.units(); got != 5 {
			t.Errorf("%d units without t3.small in the policy, want 5\n%s", got, w.history())
		}
		change(policyOf("t3.small", 5))
		if got := len(w.states()[store.LifecycleInService]); got != 1 {
			t.Errorf("%d instances of weight 5, want 1\n%s", got, w.history())
		}
		change("")
		if got := w.units(); got != 5 {
			t.Errorf("%d units without weights, want 5\n%s", got, w.history())
		}
	})
}

func TestUnhealthyInstanceIsReplacedByItsWeight(t *testing.T) {
	for name, policy := range map[string]func(*store.ScalingGroup){
		"terminated first": func(*store.ScalingGroup) {},
		"launched first":   func(g *store.ScalingGroup) { g.MinHealthy, g.MaxHealthy = 100, 150 },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(g *store.ScalingGroup) { weighted("t3.small", 3)(g); policy(g) }, func(w *world) {
				w.launch()
				w.want(store.LifecycleInService, "i-001", "i-002")
				w.machine("i-001", func(i *store.Instance) { i.Reachable = false })
				w.pass(3 * time.Minute)
				w.want(store.LifecycleInService, "i-002", "i-003")
				if got := w.fleet.calls["Launch"]; got != 3 {
					t.Errorf("%d launches, want 3\n%s", got, w.history())
				}
			})
		})
	}
}

func TestRefreshOfAGroupWithWeights(t *testing.T) {
	for _, c := range []struct {
		desired   store.TemplateRef
		instances int
	}{{store.TemplateRef{}, 3}, {version2, 5}} { // the desired configuration has no weights
		inWorld(t, weighted("t3.small", 2), func(w *world) {
			w.launch()
			w.pass(time.Hour)
			w.refresh(c.desired, prefer(nil))
			least := 6
			w.watch(20*time.Minute, func() { least = min(least, w.units()) })
			w.status(store.RefreshSuccessful)
			if got := w.states()[store.LifecycleInService]; len(got) != c.instances || got[0] != "i-004" {
				t.Errorf("in service: %v, want %d new ones\n%s", got, c.instances, w.history())
			}
			if least < 4 {
				t.Errorf("the group had %d units\n%s", least, w.history())
			}
		})
	}
}
