package report

import (
	"slices"
	"time"
)

// Settings are what decides for how long users may see a failure.
type Settings struct {
	Interval  time.Duration // between two health checks of a target
	Timeout   time.Duration // of a health check
	Unhealthy int           // failed checks in a row that take a target out
	Healthy   int           // passed checks in a row that take it back
	Zones     int
	Targets   int

	DeregistrationDelay time.Duration
}

// Bound is for how long requests may fail after a disturbance: until the longest
// of the paths is gone, which are gone at the same time. No paths: the experiment
// has no bound.
type Bound struct {
	Paths []Path
	// AfterRestore tells that the time counts from the end of the disturbance: an
	// overload lasts for as long as it is made.
	AfterRestore bool
}

// Path is what has to happen, one after the other, as a sum whose terms are
// named.
type Path struct {
	What  string
	Terms []Term
}

// Term is a part of a sum.
type Term struct {
	What  string
	Takes time.Duration
}

// Total is the sum of a path.
func (p Path) Total() time.Duration {
	var sum time.Duration
	for _, t := range p.Terms {
		sum += t.Takes
	}
	return sum
}

// Total is the bound; 0: there is none.
func (b Bound) Total() time.Duration {
	var longest time.Duration
	for _, p := range b.Paths {
		longest = max(longest, p.Total())
	}
	return longest
}

// allowance is what the bound gives to timers and transport: AWS calls the
// interval of its checks approximate.
const allowance = time.Second

// Bound is the bound of an experiment.
//
// A target is out of rotation after as many failed checks as Unhealthy says, one
// every Interval; the first may come a whole Interval after the disturbance, and
// where nothing answers each takes its Timeout, of which the last one counts (User
// Guide for Application Load Balancers, "Health checks for Application Load
// Balancer target groups"). That holds for a terminated instance as well: AWS
// takes it out when it hears of its end, and does not say how soon that is.
//
// In a zone that falls silent, a node of the load balancer does so, too. That is
// no term: the name has an address for each node, and a client goes on to the
// next one when the first does not take its connection, as browsers, curl and Go
// do (RFC 8305); it loses what was under way. A client that tries one address
// alone may find the dead node until Route 53 has given it up, after three checks
// of 10 s, and resolvers have forgotten it, after 60 s. A load that is too much
// may fail for as long as it lasts; the servers that were too slow come back
// after it.
func (s Settings) Bound(experiment string) Bound {
	if experiment == "overload" {
		back := s.path("a server that was too slow is in the rotation again", s.Healthy, "pass")
		return Bound{Paths: []Path{back}, AfterRestore: true}
	}
	return Bound{Paths: []Path{s.out(experiment)}}
}

// out is how a broken server leaves the rotation.
func (s Settings) out(experiment string) Path {
	p := s.path("a broken server is out of the rotation", s.Unhealthy, "fail")
	if experiment == "app" { // it refuses: nobody waits
		p.Terms = slices.Delete(p.Terms, 1, 2)
	}
	return p
}

func (s Settings) path(what string, checks int, end string) Path {
	return Path{What: what, Terms: []Term{
		{
			What: plural(
				checks,
				"health check",
				"health checks",
			) + " in a row " + end + ", one every " + short(
				s.Interval,
			),
			Takes: time.Duration(checks) * s.Interval,
		},
		{What: "the last of them takes as long as its time-out", Takes: s.Timeout},
		{What: "allowance for timers and transport", Takes: allowance},
	}}
}
