//go:build linux

package health

import "aloft.dev/aloft/internal/cloud/plane/balancer"

// Agree merges the nodes' views of one target. before is the result of the last
// merge.
//
// AWS does not document how DescribeTargetHealth does this. Here a target is
// healthy if more than half of the nodes find it healthy: a zone that is cut off
// neither condemns the other zones' targets nor saves its own. A new target stays
// initial until every node has a verdict.
func Agree(before balancer.Health, views []balancer.Health) balancer.Health {
	decided, healthy := 0, 0
	var unhealthy balancer.Health
	for _, v := range views {
		switch v.State {
		case Healthy.State:
			decided++
			healthy++
		case Failed.State:
			decided++
			unhealthy = v
		}
	}
	switch {
	case len(views) == 0:
		return balancer.Registering
	case decided == 0, decided < len(views) && before.State != Healthy.State:
		for _, v := range views {
			if v == Checking {
				return Checking
			}
		}
		if decided > 0 {
			return Checking
		}
		return balancer.Registering
	case 2*healthy > decided:
		return Healthy
	}
	return unhealthy
}
