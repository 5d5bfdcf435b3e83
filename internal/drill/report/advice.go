package report

import (
	"fmt"
	"time"
)

// The settings that detect a broken server soonest, of those that AWS accepts
// (Elastic Load Balancing API Reference, CreateTargetGroup). A single bad response
// does not take a server out of rotation with them.
const (
	bestInterval = 5 * time.Second
	bestTimeout  = 2 * time.Second
	bestChecks   = 2
)

// advice returns the settings that make an outage longer than necessary, with the
// effect of better ones.
func (s Settings) advice(experiment string) []string {
	better := s
	better.Interval, better.Timeout = min(s.Interval, bestInterval), min(s.Timeout, bestTimeout)
	better.Unhealthy, better.Healthy = min(s.Unhealthy, bestChecks), min(s.Healthy, bestChecks)
	var all []string
	falls := func(what string, from, to time.Duration, settings string, args ...any) {
		if from > to {
			all = append(all, fmt.Sprintf("set load_balancer.health to {%s}: the time until %s falls from %s to %s",
				fmt.Sprintf(settings, args...), what, short(from), short(to)))
		}
	}
	if experiment != "overload" {
		now, then := s.outOfRotation(experiment).Total(), better.outOfRotation(experiment).Total()
		falls("a broken server is left alone", now, then,
			"interval: %s, timeout: %s, unhealthy: %d", short(better.Interval), short(better.Timeout), better.Unhealthy)
	}
	wait := func(s Settings) time.Duration { return time.Duration(s.Healthy)*s.Interval + s.Timeout }
	falls("a mended server serves again", wait(s), wait(better),
		"interval: %s, timeout: %s, healthy: %d", short(better.Interval), short(better.Timeout), better.Healthy)
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
