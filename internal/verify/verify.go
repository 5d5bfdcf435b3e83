// Package verify checks from outside that an application is served as its spec says:
// under its name, by every server in every zone, and only on ports that the rules open
// (step 22 of the manual process, made strict).
package verify

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"aloft.dev/aloft/internal/spec"
)

// Server is a server of the application.
type Server struct {
	Name       string // "server-1"
	InstanceID string
	Zone       string
	PrivateIP  netip.Addr
	PublicIP   netip.Addr // the zero Addr if it has none
}

// Facts are the known state of the deployment.
type Facts struct {
	Spec           *spec.Spec
	DNSName        string // of the load balancer
	Problem        string // why the load balancer serves only in part, as the cloud says; "" if it serves
	TargetGroupARN string
	Servers        []Server
	// instances that an Auto Scaling group is adding or removing: they may be targets or not
	Transient []string
	From      netip.Addr // source address that servers see on connections from here; the zero Addr if unknown
}

// URL returns the URL of the application.
func (f Facts) URL() string {
	if f.Spec.HTTPS() {
		return "https://" + f.Spec.Domain[0]
	}
	return f.plainURL()
}

// plainURL returns the URL of the load balancer's HTTP listener.
func (f Facts) plainURL() string {
	if f.Spec.LoadBalancer.Port == 80 {
		return "http://" + f.DNSName
	}
	return "http://" + net.JoinHostPort(f.DNSName, strconv.Itoa(f.Spec.LoadBalancer.Port))
}

// Check is the result of one check.
type Check struct {
	Name    string        `json:"name"`   // "every zone serves"
	OK      bool          `json:"ok"`     //
	Detail  string        `json:"detail"` // what was observed
	Elapsed time.Duration `json:"elapsed_ns"`
}

// Report contains the results of all checks in a fixed order.
type Report struct {
	URL    string  `json:"url"`
	Checks []Check `json:"checks"`
}

// OK reports whether every check passed.
func (r Report) OK() bool { return len(r.Failed()) == 0 }

// Failed returns the checks that did not pass.
func (r Report) Failed() []Check {
	var failed []Check
	for _, c := range r.Checks {
		if !c.OK {
			failed = append(failed, c)
		}
	}
	return failed
}

// finding is the outcome of a check.
type finding struct {
	ok     bool
	detail string
}

// check is a check with its name.
type check struct {
	name string
	run  func() finding
}

// Verifier checks an application from outside.
type Verifier struct {
	Health Health
	Dial   func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer

	Roots *x509.CertPool // to trust; nil: the system's

	Patience time.Duration // longest time for a response; 0: 5 s

	Resolve func(ctx context.Context, host string) ([]string, error) // nil: the system's resolver
	Waiting func(message string)                                     // called when a check has to wait; may be nil
}

// Run runs all checks at once. If all is well it takes about a second, which is how long
// a port must stay silent to count as closed. It waits for a name that does not resolve
// yet.
func (v Verifier) Run(ctx context.Context, f Facts) Report {
	if v.Dial == nil {
		v.Dial = new(net.Dialer).DialContext
	}
	if v.Resolve == nil {
		v.Resolve = net.DefaultResolver.LookupHost
	}
	if v.Waiting == nil {
		v.Waiting = func(string) {}
	}
	var received responses
	checks := []check{
		{"the name answers", func() finding {
			if f.Problem != "" { // another program may be what answers in its place
				return finding{false, "the load balancer reports: " + f.Problem}
			}
			if err := v.waitForName(ctx, f); err != nil {
				return finding{false, f.DNSName + " does not resolve: " + reason(err)}
			}
			received = v.sendRequests(ctx, f)
			return received.checkReachable(f)
		}},
		{"every target is healthy, in every zone", func() finding { return v.checkTargets(ctx, f) }},
		{"what is open answers", func() finding { return v.checkOpenPorts(ctx, f) }},
		{"what is closed stays silent", func() finding { return v.checkClosedPorts(ctx, f) }},
	}
	if f.Spec.HTTPS() {
		checks = append(checks, check{
			"HTTPS is valid, and HTTP leads there", func() finding { return v.checkHTTPS(ctx, f) },
		})
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
	spread := received.checkSpread(f)
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
