//go:build linux

package metrics

import (
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestEnabledGroupMetricsAreMeasuredOnceAMinute(t *testing.T) {
	withMachines(t, func(_ *simulated.Machines, m *metric.Store) {
		time.Sleep(2*time.Minute + 15*time.Second)
		synctest.Wait()
		wantAverages(t, m, "AWS/AutoScaling", "GroupDesiredCapacity", webGroup, 3, 3, 3, 3)
		wantAverages(t, m, "AWS/AutoScaling", "GroupInServiceInstances", webGroup, 2, 2, 2, 2)
		wantAverages(t, m, "AWS/AutoScaling", "GroupPendingInstances", webGroup, 1, 1, 1, 1)
		wantAverages(t, m, "AWS/AutoScaling", "GroupMaxSize", webGroup)
	})
}

func TestMetricsOfCapacityCountWeights(t *testing.T) {
	got := groupMetrics(&store.ScalingGroup{Desired: 5, Max: 9}, nil, []*store.ScalingInstance{
		{State: store.LifecycleInService, Weight: 4}, {State: store.LifecyclePending, Weight: 2},
		{State: store.LifecycleStandby},
	})
	for name, want := range map[string]int{
		"GroupInServiceCapacity": 4, "GroupInServiceInstances": 1, "GroupPendingCapacity": 2,
		"GroupPendingInstances": 1, "GroupStandbyCapacity": 1, "GroupTotalCapacity": 7, "GroupTotalInstances": 3,
		"GroupAndWarmPoolTotalCapacity": 7, "GroupDesiredCapacity": 5,
	} {
		if got[name] != want {
			t.Errorf("%s is %d, want %d", name, got[name], want)
		}
	}
}
