package scalinggroup_test

import (
	"fmt"
	"testing"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAGroupKeepsTheShareOfItsOnDemandInstances(t *testing.T) {
	for _, c := range []struct {
		base, percents int
		grown, shrunk  string // On-Demand (d) and Spot (s): ten launches, then nine terminations
	}{
		{0, 100, "dddddddddd", "ddddddddd"},
		{0, 0, "ssssssssss", "sssssssss"},
		{2, 0, "ddssssssss", "ssssssssd"},
		{0, 50, "dsdsdsdsds", "sdsdsdsds"},
		{4, 25, "dddddsssds", "sdsssdddd"},
	} {
		p := scalinggroup.PurchasesOf(&store.ScalingGroup{Mixed: fmt.Sprintf(
			`{"InstancesDistribution":{"OnDemandBaseCapacity":%d,"OnDemandPercentageAboveBaseCapacity":%d}}`,
			c.base, c.percents,
		)})
		units := map[bool]int{}
		grown, shrunk := "", ""
		for range 10 {
			spot := p.LaunchesSpot(units[false], units[true], 1)
			units[spot]++
			grown += map[bool]string{false: "d", true: "s"}[spot]
		}
		for range 9 {
			spot, matters := p.TerminatesSpot(units[false], units[true])
			if !matters {
				spot = units[true] > 0
			}
			units[spot]--
			shrunk += map[bool]string{false: "d", true: "s"}[spot]
		}
		if grown != c.grown || shrunk != c.shrunk {
			t.Errorf("base %d, %d %%: %s %s, want %s %s", c.base, c.percents, grown, shrunk, c.grown, c.shrunk)
		}
	}
}
