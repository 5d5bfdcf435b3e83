//go:build linux

package metrics

import (
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
)

func TestCPUUtilizationIsPercentOfInstanceTypesCPUs(t *testing.T) {
	withMachines(t, func(p *simulated.Machines, m *metric.Store) {
		busy := func(id string, cpus float64) {
			if err := p.SetLoad(id, cpus); err != nil {
				t.Fatal(err)
			}
		}
		busy("i-1", 1)
		busy("i-2", 2)
		time.Sleep(time.Minute)
		busy("i-1", 0.5)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		image := metric.Dimension{Name: "ImageId", Value: "ami-1"}
		wantAverages(t, m, "AWS/EC2", "CPUUtilization", instance("i-1"), 50, 25, 25)
		wantAverages(t, m, "AWS/EC2", "CPUUtilization", instance("i-2"), 100, 100, 100)
		wantAverages(t, m, "AWS/EC2", "CPUUtilization", image, 75, 62.5, 62.5)
		// An instance counts in its group's metrics once it has warmed up.
		wantAverages(t, m, "AWS/EC2", "CPUUtilization", webGroup, 50, 62.5, 62.5)
		wantAverages(t, m, "AWS/EC2", "StatusCheckFailed", instance("i-1"), 0, 0, 0)
	})
}

func TestRestartedMachineIsMeasuredFromItsStart(t *testing.T) {
	withMachines(t, func(p *simulated.Machines, m *metric.Store) {
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
		wantAverages(t, m, "AWS/EC2", "CPUUtilization", instance("i-1"), 0)
	})
}
