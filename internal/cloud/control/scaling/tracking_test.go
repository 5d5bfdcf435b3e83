//go:build linux

package scaling_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/control/alarms"
	"aloft.dev/aloft/internal/cloud/control/metrics"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// counted is a balancer that counts given requests.
type counted struct {
	mu       sync.Mutex
	requests float64
	healthy  int
}

func (c *counted) Counters(context.Context) (balancer.Counters, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return balancer.Counters{Nodes: []balancer.NodeCounters{{
		LoadBalancer: "arn:aws:elasticloadbalancing:r:000000000000:loadbalancer/app/lb/1", Zone: "a",
		Groups: []balancer.GroupCounters{
			{
				TargetGroup: "arn:aws:elasticloadbalancing:r:000000000000:targetgroup/tg/2",
				Present:     true,
				Healthy:     c.healthy,
				Sums:        map[string]uint64{"RequestCount": uint64(c.requests)},
			},
		},
	}}}, nil
}

func (c *counted) serve(requests float64, healthy int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests, c.healthy = c.requests+requests, healthy
}

// loaded is a world whose instances have machines. They share a load, which the
// metrics and alarms loops observe.
type loaded struct {
	*world
	machines   simulated.Machines
	metrics    metric.Store
	balancer   counted
	processors float64 // used by the load, in total
	requests   float64 // per minute, in total
	trace      []int32 // the desired capacities in order
	unwatch    func()
}

const (
	tracksProcessors = `{"TargetValue":60,` +
		`"PredefinedMetricSpecification":{"PredefinedMetricType":"ASGAverageCPUUtilization"}}`
	tracksRequests = `{"TargetValue":1000,` +
		`"PredefinedMetricSpecification":{"PredefinedMetricType":"ALBRequestCountPerTarget",` +
		`"ResourceLabel":"app/lb/1/targetgroup/tg/2"}}`
)

// inLoadedWorld runs a test on a group of three to nine t3.micro with a policy. The load
// uses half of three machines.
func inLoadedWorld(t *testing.T, tracks string, test func(w *loaded)) {
	t.Helper()
	inWorld(
		t,
		func(g *store.ScalingGroup) { g.Max, g.DefaultWarmup, g.TargetGroupARNs = 9, new(int32(60)), nil },
		func(inner *world) {
			w := &loaded{world: inner, processors: 3, requests: 2500}
			policy := &store.ScalingPolicy{
				ARN: "arn:aws:autoscaling:r:000000000000:scalingPolicy:1:" +
					"autoScalingGroupName/g:policyName/cpu",
				Region:         "r",
				Group:          "g",
				Name:           "cpu",
				Type:           capacity.Tracking,
				TargetTracking: tracks,
			}
			w.update(func(tx *store.Tx) {
				capacity.ReplaceAlarms(tx, policy, identity.New(nil), time.Now())
				store.ScalingPolicies.Put(tx, policy)
			})
			w.watch()
			defer func() { w.unwatch() }()
			w.pass(20 * time.Minute)
			test(w)
		},
	)
}

// watch runs the metrics and alarms loops, as a starting daemon does.
func (w *loaded) watch() {
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{
		(&metrics.Loop{
			Balancer: &w.balancer, Machines: &w.machines, Store: w.store, Metrics: &w.metrics,
			Log: slog.New(slog.DiscardHandler),
		}).Run,
		(&alarms.Loop{
			Store: w.store, Metrics: &w.metrics, Actions: capacity.Policies{Metrics: &w.metrics},
			Log: slog.New(slog.DiscardHandler),
		}).Run,
	} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				w.t.Error(err)
			}
		})
	}
	w.unwatch = func() { cancel(); running.Wait() }
}

// pass lets time pass while the machines in service share the load.
func (w *loaded) pass(d time.Duration) {
	w.t.Helper()
	for range int(d / (5 * time.Second)) {
		serving := w.states()[store.LifecycleInService]
		for _, id := range serving {
			if w.machines.Status(id).State != machine.Running {
				if _, err := w.machines.Prepare(w.t.Context(), machine.Machine{ID: id}); err != nil {
					w.t.Fatal(err)
				}
				if err := w.machines.Boot(w.t.Context(), id); err != nil {
					w.t.Fatal(err)
				}
			}
			if err := w.machines.SetLoad(id, min(w.processors/float64(len(serving)), 2)); err != nil {
				w.t.Fatal(err)
			}
		}
		w.balancer.serve(w.requests/12, len(serving))
		g, _ := store.ScalingGroups.Get(w.store.View(), key)
		if n := len(w.trace); n == 0 || w.trace[n-1] != g.Desired {
			w.trace = append(w.trace, g.Desired)
		}
		w.world.pass(5 * time.Second)
	}
}

func (w *loaded) wantTrace(want ...int32) {
	w.t.Helper()
	if !slices.Equal(w.trace, want) {
		w.t.Errorf("the desired capacities were %v, want %v\n%s", w.trace, want, w.history())
	}
}

func TestPolicyFollowsATriplingLoad(t *testing.T) {
	inLoadedWorld(t, tracksProcessors, func(w *loaded) {
		w.wantTrace(3) // 50 % is below the lower alarm, and two machines would be above the target
		w.processors = 9
		w.pass(4 * time.Minute)
		w.wantTrace(3, 5) // nothing is above 100 %: three fifths more
		w.pass(10 * time.Minute)
		w.wantTrace(3, 5, 8) // 9 of 16 processors are 56 %
		w.pass(30 * time.Minute)
		w.processors = 3
		w.pass(15 * time.Minute)
		w.wantTrace(3, 5, 8)
		w.pass(15 * time.Minute)
		w.wantTrace(3, 5, 8, 7, 6, 5, 4, 3)
		for _, want := range []string{
			"in state ALARM triggered policy cpu changing the desired capacity from 3 to 5.  At ",
			"in state ALARM triggered policy cpu changing the desired capacity from 4 to 3.  At ",
		} {
			if !strings.Contains(w.history(), want) {
				t.Errorf("no activity says %q\n%s", want, w.history())
			}
		}
	})
}

func TestPolicyFollowsRequestsToZero(t *testing.T) {
	inLoadedWorld(t, tracksRequests, func(w *loaded) {
		w.wantTrace(3)
		w.requests = 7500
		w.pass(20 * time.Minute)
		w.wantTrace(3, 8)
		w.requests = 0
		w.group(func(g *store.ScalingGroup) { g.Min = 1 })
		w.pass(40 * time.Minute)
		w.wantTrace(3, 8, 7, 6, 5, 4, 3, 2, 1)
	})
}

func TestRestartedDaemonKeepsScaling(t *testing.T) {
	inLoadedWorld(t, tracksProcessors, func(w *loaded) {
		w.processors = 9
		w.pass(90 * time.Second)
		w.unwatch()
		w.stop()
		w.metrics = metric.Store{} // metrics are kept in memory only
		w.start()
		w.watch()
		w.pass(20 * time.Minute)
		w.wantTrace(3, 5, 8)
	})
}
