//go:build linux

package metrics

import (
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
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
