//go:build linux

package metrics

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

const (
	lbARN    = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0123"
	groupARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/web/4567"
)

var (
	lb    = metric.Dimension{Name: "LoadBalancer", Value: "app/web/0123"}
	group = metric.Dimension{Name: "TargetGroup", Value: "targetgroup/web/4567"}
	zoneA = metric.Dimension{Name: "AvailabilityZone", Value: "a"}
)

// fakeBalancer returns counters that the test sets.
type fakeBalancer struct {
	now balancer.Counters
	err error
}

func (b *fakeBalancer) Counters(context.Context) (balancer.Counters, error) { return b.now, b.err }

// node returns the counters of a node after so many requests to one target group, each
// answered after the same time.
func node(zone string, requests uint64, took time.Duration) balancer.NodeCounters {
	return balancer.NodeCounters{
		LoadBalancer: lbARN, Zone: zone, Active: 3, Sums: map[string]uint64{"ProcessedBytes": 100 * requests},
		Groups: []balancer.GroupCounters{{
			TargetGroup: groupARN, Present: true, Healthy: 2, Unhealthy: 1,
			Sums:  map[string]uint64{"RequestCount": requests, "HTTPCode_Target_2XX_Count": requests},
			Time:  took * time.Duration(requests),
			Times: []balancer.Timing{{From: took - took/32, To: took + took/32, Count: requests}},
		}},
	}
}

// withBalancer runs do beside a loop that measures a fake balancer, in a synctest
// bubble. The balancer started an hour earlier and counted 1000 requests since.
func withBalancer(t *testing.T, do func(b *fakeBalancer, m *metric.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, m := &fakeBalancer{}, &metric.Store{}
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		b.now.Since = time.Now().Add(-time.Hour)
		b.now.Nodes = []balancer.NodeCounters{node("a", 1000, time.Millisecond)}
		ctx, cancel := context.WithCancel(t.Context())
		loop := &Loop{
			Balancer: b,
			Machines: &simulated.Machines{},
			Store:    rows,
			Metrics:  m,
			Log:      slog.New(slog.DiscardHandler),
		}
		done := make(chan error, 1)
		go func() { done <- loop.Run(ctx) }()
		synctest.Wait()
		do(b, m)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// sum merges all points of a metric.
func sum(t *testing.T, m *metric.Store, name string, dimensions ...metric.Dimension) (all metric.Summary) {
	t.Helper()
	id := metric.NewID(elbNamespace, name, dimensions...)
	for _, p := range m.Points("eu-west-1", id, time.Time{}, time.Now().Add(time.Hour), "") {
		all.Merge(p.Summary)
	}
	return all
}

// withMachines runs do beside a loop over two t3.micro instances, i-1 and i-2, in a
// synctest bubble. Their Auto Scaling group has a warm-up of two minutes. i-1 has warmed
// up, i-2 enters service now, i-3 is pending.
func withMachines(t *testing.T, do func(p *simulated.Machines, m *metric.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		p, m := &simulated.Machines{}, &metric.Store{}
		err = rows.Update(func(tx *store.Tx) error {
			store.ScalingGroups.Put(tx, &store.ScalingGroup{
				Region:        "r",
				Name:          "web",
				Min:           1,
				Max:           9,
				Desired:       3,
				DefaultWarmup: new(int32(120)),
				Metrics:       []string{"GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances"},
			})
			for id, since := range map[string]time.Duration{"i-1": time.Hour, "i-2": 0} {
				store.Instances.Put(tx, &store.Instance{
					ID:        id,
					Region:    "r",
					Type:      "t3.micro",
					ImageID:   "ami-1",
					State:     store.Running,
					Reachable: true,
				})
				store.ScalingInstances.Put(tx, &store.ScalingInstance{
					InstanceID:     id,
					Region:         "r",
					Group:          "web",
					State:          store.LifecycleInService,
					InServiceSince: time.Now().Add(-since),
				})
			}
			store.ScalingInstances.Put(tx, &store.ScalingInstance{
				InstanceID: "i-3", Region: "r", Group: "web", State: store.LifecyclePendingWait,
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"i-1", "i-2"} {
			if _, err := p.Prepare(t.Context(), machine.Machine{ID: id, VCPUs: 2}); err != nil {
				t.Fatal(err)
			}
			if err := p.Boot(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		log := slog.New(slog.DiscardHandler)
		loop := &Loop{Balancer: &fakeBalancer{}, Machines: p, Store: rows, Metrics: m, Log: log}
		done := make(chan error, 1)
		go func() { done <- loop.Run(ctx) }()
		synctest.Wait()
		do(p, m)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// wantAverages checks a metric's averages, one for each minute.
func wantAverages(t *testing.T, m *metric.Store, namespace, name string, d metric.Dimension, want ...float64) {
	t.Helper()
	var got []float64
	for _, p := range m.Points("r", metric.NewID(namespace, name, d), time.Time{}, time.Now().Add(time.Hour), "") {
		got = append(got, math.Round(p.Average()*1000)/1000)
	}
	if !slices.Equal(got, want) {
		t.Errorf("averages of %s by %s %s: %v, want %v", name, d.Name, d.Value, got, want)
	}
}

// instance returns the dimension of an instance's metrics.
func instance(id string) metric.Dimension { return metric.Dimension{Name: "InstanceId", Value: id} }

// webGroup is the dimension of the group's metrics.
var webGroup = metric.Dimension{Name: "AutoScalingGroupName", Value: "web"}
