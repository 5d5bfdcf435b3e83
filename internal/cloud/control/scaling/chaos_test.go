//go:build linux

package scaling_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// trouble does a random harmful or legitimate thing to a group.
func (w *world) trouble(r *rand.Rand) {
	w.t.Helper()
	members := scalinggroup.Instances(w.store.View(), key)
	some := func() string {
		if len(members) == 0 {
			return ""
		}
		return members[r.IntN(len(members))].InstanceID
	}
	switch r.IntN(9) {
	case 0:
		w.update(func(tx *store.Tx) {
			store.Instances.Edit(tx, some(), func(i *store.Instance) { i.State = store.Terminated })
		})
	case 1:
		w.target(some(), "unhealthy", "Target.FailedHealthChecks")
	case 2:
		w.desire(int32(r.IntN(10)))
	case 3:
		w.update(func(tx *store.Tx) {
			scalinggroup.TakeOutOfService(
				tx, identity.New(nil), some(), scalinggroup.ReasonUserHealthCheck, scalinggroup.ReasonUnhealthy,
				time.Now(),
			)
		})
	case 4:
		w.update(func(tx *store.Tx) {
			scalinggroup.MarkForReplacement(tx, some(), scalinggroup.ReasonMaxLifetime, scalinggroup.ReasonMaxLifetime)
		})
	case 5:
		zone := []string{"a", "b", "c"}[r.IntN(3)]
		w.fleet.refuse = func(subnet string) error {
			if subnet == "subnet-"+zone {
				return errors.New("full")
			}
			return nil
		}
	case 6:
		w.fleet.refuse = nil
	case 7:
		w.group(func(g *store.ScalingGroup) {
			g.SubnetIDs, g.Zones = []string{"subnet-a", "subnet-b"}, []string{"a", "b"}
		})
	case 8:
		w.group(func(g *store.ScalingGroup) {
			g.SubnetIDs, g.Zones = []string{"subnet-a", "subnet-b", "subnet-c"}, []string{"a", "b", "c"}
		})
		w.stop()
		w.start()
	}
	w.pass(time.Duration(r.IntN(120)) * time.Second)
}

func TestGroupConvergesWhateverHappens(t *testing.T) {
	policies := []func(*store.ScalingGroup){
		nil,
		func(g *store.ScalingGroup) { g.MinHealthy, g.MaxHealthy = 100, 110 },
		func(g *store.ScalingGroup) { g.MinHealthy, g.MaxHealthy, g.DefaultWarmup = 90, 150, new(int32(60)) },
		func(g *store.ScalingGroup) { g.MinHealthy, g.MaxHealthy = 50, 100 },
	}
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, func(g *store.ScalingGroup) {
				g.Max, g.HealthCheckType, g.HealthCheckGrace = 10, "ELB", 30
				if change := policies[seed%4]; change != nil {
					change(g)
				}
			}, func(w *world) {
				r := rand.New(rand.NewPCG(seed, 1))
				w.hook("up", scalinggroup.Launching, scalinggroup.Continue, 30)
				w.hook("down", scalinggroup.Terminating, scalinggroup.Continue, 30)
				for range 60 {
					w.trouble(r)
				}
				w.fleet.refuse = nil
				w.pass(3 * time.Hour)
				g, _ := store.ScalingGroups.Get(w.store.View(), key)
				var low, high int
				zones := w.zones()
				for n, zone := range g.Zones {
					if n == 0 {
						low, high = zones[zone], zones[zone]
					}
					low, high = min(low, zones[zone]), max(high, zones[zone])
					delete(zones, zone)
				}
				if states := w.states(); len(states[store.LifecycleInService]) != int(g.Desired) || len(states) > 1 ||
					high-low > 1 ||
					len(zones) != 0 {
					t.Errorf("desired %d, %v, %v\n%s", g.Desired, states, w.zones(), w.history())
				}
				if open := store.OpenScalingActivitiesByGroup.List(w.store.View(), key); len(open) != 0 ||
					len(g.CapacityCauses) != 0 {
					t.Errorf("open %+v, causes %v", open[0], g.CapacityCauses)
				}
				for _, i := range store.Instances.List(w.store.View()) {
					if _, in := store.ScalingInstances.Get(w.store.View(), i.ID); !in && i.State == store.Running {
						t.Errorf("%s runs without a group", i.ID)
					}
				}
			})
		})
	}
}
