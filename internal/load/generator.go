// Package load sends requests at a rate that does not depend on the responses, and
// records the outcome of each. The latency of a request counts from the time at which
// it was due, so a stall of the server shows in all requests that were due meanwhile,
// and not only in the one that it delayed.
//
// The generator never repeats a request: a lost request is lost, as for a user.
package load

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	defaultTimeout = 5 * time.Second
	// maxInFlight bounds memory and open connections when no responses arrive.
	maxInFlight = 16384
	// maxBody is how much of a response's body Config.Target sees. The rest is read
	// and discarded.
	maxBody = 64 << 10
)

// Config configures a Generator.
type Config struct {
	URL     string        // http or https; requested with GET
	Rate    float64       // requests per second; 0 or less: none for now
	Timeout time.Duration // of a request, from its sending to the last byte of the response; 0: 5 s

	// Dial opens connections. nil uses a net.Dialer, which resolves the name each time
	// and tries all its addresses.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots are the certificates to trust. nil: those of the system.
	Roots *x509.CertPool
	// Follow makes a request that is redirected continue where it is sent, once, as a
	// browser does. Its outcome is that of the second answer.
	Follow bool
	// Target returns the name of the server that sent a response, given up to 64 KiB
	// of its body. It may be nil. It must be safe for concurrent use.
	Target func(*http.Response, []byte) string
}

// Generator is a source of load. It runs once.
type Generator struct {
	cfg  Config
	wake chan struct{}

	mu       sync.Mutex
	schedule schedule
	started  time.Time
	samples  []Sample // Kind is "" for requests in flight
	inFlight int
	lag      time.Duration
	names    map[string]string // interned names of targets
	request  *http.Request     // the template of all requests
	urlErr   error             // Config.URL is invalid
}

// New returns a generator that is not running yet.
func New(cfg Config) *Generator {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	g := &Generator{
		cfg: cfg, wake: make(chan struct{}, 1), schedule: schedule{rate: cfg.Rate}, names: map[string]string{},
	}
	g.request, g.urlErr = http.NewRequest(http.MethodGet, cfg.URL, nil)
	return g
}

// SetRate changes the rate, in requests per second, from now on. 0 or less pauses. The
// generator still sends what was due before at the previous rate. SetRate is safe for
// concurrent use.
func (g *Generator) SetRate(perSecond float64) {
	g.mu.Lock()
	var now time.Duration
	if !g.started.IsZero() {
		now = time.Since(g.started)
	}
	g.schedule.change(perSecond, now)
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default: // a wake-up is pending already
	}
}

// Run sends requests until ctx ends, waits for the requests in flight, which the timeout
// bounds, and returns the recording. It may be called once.
func (g *Generator) Run(ctx context.Context) Recording {
	started := time.Now()
	g.mu.Lock()
	g.started = started
	g.mu.Unlock()
	// Requests outlive ctx: each has its full timeout.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	pool := newClients(lasting, started, g.cfg.Dial, g.cfg.Roots)
	defer pool.closeIdle()
	var sending sync.WaitGroup
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, due := g.takeDue(time.Since(started))
		for _, i := range due {
			transport := pool.next(time.Now())
			sending.Go(func() { g.send(lasting, transport, i) })
		}
		timer.Reset(time.Until(started.Add(next)))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-g.wake:
		}
	}
	sending.Wait()
	return g.Snapshot()
}

// takeDue adds all requests that are due to the recording. It returns their indexes and
// the time of the next request.
func (g *Generator) takeDue(now time.Duration) (next time.Duration, due []int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		at := g.schedule.next()
		if at > now {
			return at, due
		}
		g.schedule.take()
		g.lag = max(g.lag, now-at)
		sample := Sample{At: at}
		if g.inFlight >= maxInFlight {
			sample.Kind = Unsent
		} else {
			g.inFlight++
			due = append(due, len(g.samples))
		}
		g.samples = append(g.samples, sample)
	}
}

// record records the outcome of a request.
func (g *Generator) record(i int, kind Kind, status int, target string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	name, known := g.names[target]
	if !known {
		name = strings.Clone(target) // it may reference a whole body
		g.names[name] = name
	}
	s := &g.samples[i]
	s.Latency, s.Kind, s.Status, s.Target = time.Since(g.started)-s.At, kind, status, name
}

// Snapshot returns the requests that have ended so far.
func (g *Generator) Snapshot() Recording {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := Recording{Started: g.started, Lag: g.lag, Samples: make([]Sample, 0, len(g.samples))}
	for _, s := range g.samples {
		if s.Kind != "" {
			r.Samples = append(r.Samples, s)
		}
	}
	return r
}
