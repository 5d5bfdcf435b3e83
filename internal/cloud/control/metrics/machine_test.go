package metrics

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

// measuringMachines runs the loop over two t3.micro instances, i-1 and i-2, of a
// group with a warm-up of two minutes. i-1 has warmed up, i-2 is in service now.
func measuringMachines(t *testing.T, do func(p *simulated.Machines, rows *store.Store, m *metric.Store)) {
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
			store.ScalingInstances.Put(
				tx,
				&store.ScalingInstance{InstanceID: "i-3", Region: "r", Group: "web", State: store.LifecyclePendingWait},
			)
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
		loop := &Loop{Balancer: &counting{}, Machines: p, Store: rows, Metrics: m, Log: slog.New(slog.DiscardHandler)}
		done := make(chan error, 1)
		go func() { done <- loop.Run(ctx) }()
		synctest.Wait()
		do(p, rows, m)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// averages are those of a metric, minute by minute.
func averages(m *metric.Store, namespace, name string, dimensions ...metric.Dimension) (out []float64) {
	for _, p := range m.Points(
		"r", metric.NewID(namespace, name, dimensions...), time.Time{}, time.Now().Add(time.Hour), "",
	) {
		out = append(out, math.Round(p.Average()*1000)/1000)
	}
	return out
}

func wantAverages(t *testing.T, got []float64, want ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

func TestProcessorUseIsPerCentOfTheTypesProcessors(t *testing.T) {
	measuringMachines(t, func(p *simulated.Machines, _ *store.Store, m *metric.Store) {
		busy := func(id string, processors float64) {
			if err := p.SetLoad(id, processors); err != nil {
				t.Fatal(err)
			}
		}
		busy("i-1", 1)
		busy("i-2", 2)
		time.Sleep(time.Minute)
		busy("i-1", 0.5)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		id := func(value string) metric.Dimension { return metric.Dimension{Name: "InstanceId", Value: value} }
		wantAverages(t, averages(m, "AWS/EC2", "CPUUtilization", id("i-1")), 50, 25, 25)
		wantAverages(t, averages(m, "AWS/EC2", "CPUUtilization", id("i-2")), 100, 100, 100)
		wantAverages(
			t,
			averages(m, "AWS/EC2", "CPUUtilization", metric.Dimension{Name: "ImageId", Value: "ami-1"}),
			75,
			62.5,
			62.5,
		)
		// An instance counts for its group once it has warmed up.
		wantAverages(
			t,
			averages(m, "AWS/EC2", "CPUUtilization", metric.Dimension{Name: "AutoScalingGroupName", Value: "web"}),
			50,
			62.5,
			62.5,
		)
		wantAverages(t, averages(m, "AWS/EC2", "StatusCheckFailed", id("i-1")), 0, 0, 0)
	})
}

func TestAMachineThatStartsAnewIsMeasuredFromThen(t *testing.T) {
	measuringMachines(t, func(p *simulated.Machines, _ *store.Store, m *metric.Store) {
		time.Sleep(time.Minute)
		if err := p.SetLoad("i-1", 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if err := p.Stop(t.Context(), "i-1", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		wantAverages(t, averages(m, "AWS/EC2", "CPUUtilization", metric.Dimension{Name: "InstanceId", Value: "i-1"}), 0)
	})
}

func TestAGroupIsCountedOnceAMinuteAsFarAsItIsToBe(t *testing.T) {
	measuringMachines(t, func(_ *simulated.Machines, rows *store.Store, m *metric.Store) {
		time.Sleep(2*time.Minute + 15*time.Second)
		synctest.Wait()
		group := metric.Dimension{Name: "AutoScalingGroupName", Value: "web"}
		wantAverages(t, averages(m, "AWS/AutoScaling", "GroupDesiredCapacity", group), 3, 3, 3, 3)
		wantAverages(t, averages(m, "AWS/AutoScaling", "GroupInServiceInstances", group), 2, 2, 2, 2)
		wantAverages(t, averages(m, "AWS/AutoScaling", "GroupPendingInstances", group), 1, 1, 1, 1)
		wantAverages(t, averages(m, "AWS/AutoScaling", "GroupMaxSize", group))
	})
}
