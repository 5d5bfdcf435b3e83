// Package load sends requests at a rate that does not depend on how they are
// answered, and writes down what became of every single one. The latency of a
// request counts from the instant for which it was scheduled, so a server that
// stalls is seen by all who would have come meanwhile, and not only by the one
// whose turn it was.
//
// No request is sent twice: one that is lost is lost, as it is for its user.
package load

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	defaultTimeout = 5 * time.Second
	// mostUnderWay bounds memory and open connections when the answers stay away.
	mostUnderWay = 16384
	// mostBody is how much of an answer is kept for Config.Target; the rest is
	// read as well, but not kept.
	mostBody = 64 << 10
)

// Config is where the load goes and how much of it there is.
type Config struct {
	URL     string        // http or https; is asked for with GET
	Rate    float64       // requests a second; 0 or less: none for now
	Timeout time.Duration // of one request, from its sending to the last byte of its answer; 5 s if zero

	// Dial makes connections; nil for the standard way, which looks the name up
	// each time and tries all its addresses.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Target tells who gave an answer, from its head and up to 64 KiB of its
	// body; nil for nobody. It is called by many goroutines.
	Target func(*http.Response, []byte) string
}

// Generator is a source of load. It runs once.
type Generator struct {
	cfg  Config
	wake chan struct{}

	mu        sync.Mutex
	plan      schedule
	started   time.Time
	samples   []Sample // Kind is "" for what is under way
	underWay  int
	lag       time.Duration
	names     map[string]string // of targets, each kept once
	requested *http.Request     // what every request is a copy of
	broken    error             // the URL is none
}

// New makes a generator. It sends nothing.
func New(cfg Config) *Generator {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	g := &Generator{cfg: cfg, wake: make(chan struct{}, 1), plan: schedule{rate: cfg.Rate}, names: map[string]string{}}
	g.requested, g.broken = http.NewRequest(http.MethodGet, cfg.URL, nil)
	return g
}

// SetRate changes the rate, in requests a second, from now on; 0 or less pauses.
// What is due until now at the rate before is still sent. It may be called at
// any time, by anybody.
func (g *Generator) SetRate(perSecond float64) {
	g.mu.Lock()
	var now time.Duration
	if !g.started.IsZero() {
		now = time.Since(g.started)
	}
	g.plan.change(perSecond, now)
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default: // it is woken already
	}
}

// Run sends until ctx ends, waits for the requests under way, which their
// time-out bounds, and returns all. It is called once.
func (g *Generator) Run(ctx context.Context) Recording {
	started := time.Now()
	g.mu.Lock()
	g.started = started
	g.mu.Unlock()
	// Requests outlive ctx: none is given up before its own time.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	crowd := newCrowd(lasting, started, g.cfg.Dial)
	defer crowd.leave()
	var sending sync.WaitGroup
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, due := g.due(time.Since(started))
		for _, i := range due {
			visitor := crowd.next(time.Now())
			sending.Go(func() { g.send(lasting, visitor, i) })
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

// due enters all requests that are due into the recording, and tells which they
// are and when the next is.
func (g *Generator) due(now time.Duration) (next time.Duration, due []int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		at := g.plan.next()
		if at > now {
			return at, due
		}
		g.plan.take()
		g.lag = max(g.lag, now-at)
		sample := Sample{At: at}
		if g.underWay >= mostUnderWay {
			sample.Kind = Unsent
		} else {
			g.underWay++
			due = append(due, len(g.samples))
		}
		g.samples = append(g.samples, sample)
	}
}

// end writes down what became of a request.
func (g *Generator) end(i int, kind Kind, status int, target string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underWay--
	name, known := g.names[target]
	if !known {
		name = strings.Clone(target) // it may be a piece of a whole body
		g.names[name] = name
	}
	s := &g.samples[i]
	s.Latency, s.Kind, s.Status, s.Target = time.Since(g.started)-s.At, kind, status, name
}

// Snapshot is what has ended so far.
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
