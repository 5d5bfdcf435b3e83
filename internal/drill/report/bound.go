package report

import (
	"fmt"
	"slices"
	"time"
)

// Settings are the settings that determine how long users may see a failure.
type Settings struct {
	Interval  time.Duration // between two health checks of a target
	Timeout   time.Duration // of a health check
	Unhealthy int           // failed checks in a row that take a target out of rotation
	Healthy   int           // passed checks in a row that return it
	Zones     int
	Targets   int

	DeregistrationDelay time.Duration
}

// Bound limits how long requests may fail after the failure was injected: as long as
// the longest of its paths, which run in parallel. An experiment without paths has
// no bound.
type Bound struct {
	Paths []Path
	// AfterRestore is set if the time counts from the end of the failure: an overload
	// lasts as long as the load is high.
	AfterRestore bool
}

// Path is a sequence of events with their durations.
type Path struct {
	What  string
	Terms []Term
}

// Term is one event of a path.
type Term struct {
	What  string
	Takes time.Duration
}

// Total returns the duration of the path.
func (p Path) Total() time.Duration {
	var sum time.Duration
	for _, t := range p.Terms {
		sum += t.Takes
	}
	return sum
}

// Total returns the bound, or 0 if there is none.
func (b Bound) Total() time.Duration {
	var longest time.Duration
	for _, p := range b.Paths {
		longest = max(longest, p.Total())
	}
	return longest
}

// allowance is the part of the bound for timers and transport: AWS calls the interval
// of its checks approximate.
const allowance = time.Second

// Bound returns the bound of an experiment.
//
// A target is out of rotation after Unhealthy failed checks, one every Interval. The
// first may come a whole Interval after the failure. If nothing responds, each takes
// its Timeout, and the last one adds to the bound (User Guide for Application Load
// Balancers, "Health checks for Application Load Balancer target groups"). The same
// holds for a terminated instance: AWS takes it out of rotation when it learns of the
// termination, and does not document how soon.
//
// In a zone that falls silent, a load balancer node falls silent too. It adds no
// term: the DNS name has an address for each node, and a client that cannot connect
// to one continues with the next, as browsers, curl and Go do (RFC 8305). Only the
// requests in flight are lost. A client that tries a single address may get the dead
// node's until Route 53 has removed it, after three checks of 10 s, and resolvers
// have dropped it, after 60 s.
//
// Requests may fail as long as an overload lasts. Servers that were too slow for
// their health checks return afterwards.
func (s Settings) Bound(experiment string) Bound {
	if experiment == "overload" {
		back := s.path("a server that was too slow is in the rotation again", s.Healthy, "pass")
		return Bound{Paths: []Path{back}, AfterRestore: true}
	}
	return Bound{Paths: []Path{s.outOfRotation(experiment)}}
}

// outOfRotation returns the path on which a broken server leaves the rotation.
func (s Settings) outOfRotation(experiment string) Path {
	p := s.path("a broken server is out of the rotation", s.Unhealthy, "fail")
	if experiment == "app" { // connections are refused at once, so no check times out
		p.Terms = slices.Delete(p.Terms, 1, 2)
	}
	return p
}

// path returns the path of a number of health checks that pass or fail.
func (s Settings) path(what string, checks int, result string) Path {
	inARow := fmt.Sprintf("%s in a row %s, one every %s",
		plural(checks, "health check", "health checks"), result, short(s.Interval))
	return Path{What: what, Terms: []Term{
		{What: inARow, Takes: time.Duration(checks) * s.Interval},
		{What: "the last of them takes as long as its time-out", Takes: s.Timeout},
		{What: "allowance for timers and transport", Takes: allowance},
	}}
}
