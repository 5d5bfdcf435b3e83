package report

import (
	"fmt"
	"time"
)

// The settings that find a broken server soonest, of those that AWS takes
// (Elastic Load Balancing API Reference, CreateTargetGroup) and that do not need
// one bad answer alone to take a server out.
const (
	bestInterval = 5 * time.Second
	bestTimeout  = 2 * time.Second
	bestChecks   = 2
)

// advice says which settings make an outage longer than it need be, and what
// better ones would give.
func (s Settings) advice(experiment string) []string {
	better := s
	better.Interval, better.Timeout = min(s.Interval, bestInterval), min(s.Timeout, bestTimeout)
	better.Unhealthy, better.Healthy = min(s.Unhealthy, bestChecks), min(s.Healthy, bestChecks)
	var all []string
	falls := func(what string, from, to time.Duration, settings string) {
		if from > to {
			all = append(
				all,
				fmt.Sprintf(
					"set load_balancer.health to {%s}: the time until %s falls from %s to %s",
					settings,
					what,
					short(from),
					short(to),
				),
			)
		}
	}
	out, in := "a broken server is left alone", "a mended server serves again"
	if experiment != "overload" {
		falls(
			out,
			s.out(experiment).Total(),
			better.out(experiment).Total(),
			fmt.Sprintf(
				"interval: %s, timeout: %s, unhealthy: %d",
				short(better.Interval),
				short(better.Timeout),
				better.Unhealthy,
			),
		)
	}
	wait := func(s Settings) time.Duration { return time.Duration(s.Healthy)*s.Interval + s.Timeout }
	falls(
		in,
		wait(s),
		wait(better),
		fmt.Sprintf(
			"interval: %s, timeout: %s, healthy: %d",
			short(better.Interval),
			short(better.Timeout),
			better.Healthy,
		),
	)
	switch {
	case experiment == "overload":
	case s.Targets == 1:
		all = append(all, "set machines.count to 3: nobody takes the place of the only server")
	case s.Targets == 2:
		all = append(all, "set machines.count to 3: with 2 servers the loss of one takes half of the capacity")
	case s.Zones == 1:
		all = append(all, "give network.subnets another zone: all servers are in one, and are lost with it")
	}
	return all
}
