// Package verify proves from outside that an application is served as its spec
// says: under its name, by every server in every zone, and only where the rules
// let anyone in (step 22, made strict).
package verify

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"aloft.dev/aloft/internal/spec"
)

// Server is a machine that is to serve.
type Server struct {
	Name       string // "server-1"
	InstanceID string
	Zone       string
	PrivateIP  netip.Addr
	PublicIP   netip.Addr // the zero Addr when it has none
}

// Facts are what the cloud is known to hold.
type Facts struct {
	Spec           *spec.Spec
	DNSName        string // of the load balancer
	TargetGroupARN string
	Servers        []Server
	Passing        []string   // instances that a scaling group adds or ends at this moment: they may be targets, and need not
	From           netip.Addr // address that the servers see connections from here come from; the zero Addr when it is not known
}

// URL is where a browser finds the application.
func (f Facts) URL() string {
	if f.Spec.LoadBalancer.Port == 80 {
		return "http://" + f.DNSName
	}
	return "http://" + net.JoinHostPort(f.DNSName, strconv.Itoa(f.Spec.LoadBalancer.Port))
}

// Check is one thing that was looked at.
type Check struct {
	Name    string        `json:"name"`   // "every zone serves"
	OK      bool          `json:"ok"`     //
	Detail  string        `json:"detail"` // what was seen
	Elapsed time.Duration `json:"elapsed_ns"`
}

// Report is what was seen, in a fixed order.
type Report struct {
	URL    string  `json:"url"`
	Checks []Check `json:"checks"`
}

// OK tells whether every check passed.
func (r Report) OK() bool { return len(r.Failed()) == 0 }

// Failed are the checks that did not pass.
func (r Report) Failed() []Check {
	var failed []Check
	for _, c := range r.Checks {
		if !c.OK {
			failed = append(failed, c)
		}
	}
	return failed
}

// finding is what a check came to.
type finding struct {
	ok     bool
	detail string
}

// Verifier looks at an application from outside.
type Verifier struct {
	Health Health
	Dial   func(ctx context.Context, network, address string) (net.Conn, error) // net.Dialer's when nil
}

// Run makes all checks at once. It takes about a second when all is well: as
// long as a port must stay silent to count as closed.
func (v Verifier) Run(ctx context.Context, f Facts) Report {
	if v.Dial == nil {
		v.Dial = new(net.Dialer).DialContext
	}
	var answered answers
	checks := []struct {
		name string
		run  func() finding
	}{
		{"the name answers", func() finding { answered = v.request(ctx, f); return answered.reached(f) }},
		{"every target is healthy, in every zone", func() finding { return v.targets(ctx, f) }},
		{"what is open answers", func() finding { return v.open(ctx, f) }},
		{"what is closed stays silent", func() finding { return v.closed(ctx, f) }},
	}
	report := Report{URL: f.URL(), Checks: make([]Check, len(checks))}
	var all sync.WaitGroup
	for i, check := range checks {
		all.Go(func() {
			began := time.Now()
			found := check.run()
			report.Checks[i] = Check{Name: check.name, OK: found.ok, Detail: found.detail, Elapsed: time.Since(began)}
		})
	}
	all.Wait()
	spread := answered.spread(f)
	report.Checks = append(report.Checks[:1], append([]Check{
		{
			Name:    "requests spread over the servers",
			OK:      spread.ok,
			Detail:  spread.detail,
			Elapsed: report.Checks[0].Elapsed,
		},
	}, report.Checks[1:]...)...)
	return report
}
