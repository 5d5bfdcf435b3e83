package balancer

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// mendEvery is how often ports that could not be opened are tried again.
const mendEvery = 100 * time.Millisecond

// Engine is the balancer inside its process. Use NewEngine and Close.
type Engine struct {
	log   *slog.Logger
	ctx   context.Context //nolint:containedctx // lifetime of all that the engine runs
	stop  context.CancelFunc
	tasks sync.WaitGroup
	front *front
	crew  *crew

	loops   []*socket.Loop // serve what speaks plain HTTP
	started time.Time
	swept   atomic.Int64 // time of the last sweep on the engine's clock

	mu         sync.Mutex
	nodes      map[nodeKey]*node
	retiring   map[*port]bool
	registered map[TargetKey]*registration
	agreed     map[TargetKey]Health
	counts     map[countKey]*nodeCounts
	journals   map[*journal]bool // those that are being written

	broken  chan struct{} // holds one: something does not listen
	watchMu sync.Mutex
	watch   chan struct{} // closed when the status may have changed
}

type nodeKey struct{ loadBalancer, id, namespace, address string }

// registration lasts as long as a target stays in the configuration.
type registration struct {
	target Target
	ctx    context.Context //nolint:containedctx // see member
	end    context.CancelFunc
}

// Loops are those that serve connections which speak plain HTTP.
type Loops struct {
	Number int
	HoldOn bool // see socket.NewLoop
}

// NewEngine returns an engine that serves nothing yet.
func NewEngine(log *slog.Logger, loops Loops) (*Engine, error) {
	ctx, stop := context.WithCancel(context.Background())
	e := &Engine{
		log: log, ctx: ctx, stop: stop, started: time.Now(), retiring: map[*port]bool{},
		nodes: map[nodeKey]*node{}, registered: map[TargetKey]*registration{}, agreed: map[TargetKey]Health{},
		counts: map[countKey]*nodeCounts{}, journals: map[*journal]bool{},
		broken: make(chan struct{}, 1), watch: make(chan struct{}),
	}
	e.front, e.crew = newFront(e), newCrew(ctx, &e.tasks)
	for range loops.Number {
		loop, err := socket.NewLoop(loops.HoldOn)
		if err != nil {
			e.Close()
			return nil, err
		}
		e.loops = append(e.loops, loop)
		e.tasks.Go(func() { loop.Run(ctx) })
	}
	e.tasks.Go(e.mend)
	e.tasks.Go(e.sweep)
	return e, nil
}

// Set makes the balancer do what the configuration says, and returns when it
// does, or has tried to: Status tells what does not work yet and is tried again.
// The configuration is the balancer's own from then on.
func (e *Engine) Set(c Config) {
	e.mu.Lock()
	defer e.mu.Unlock()
	groups := make(map[string]*TargetGroup, len(c.TargetGroups))
	present := map[TargetKey]bool{}
	for i := range c.TargetGroups {
		group := &c.TargetGroups[i]
		groups[group.ARN] = group
		for _, t := range group.Targets {
			key := TargetKey{group.ARN, t.ID, t.Port}
			present[key] = true
			e.register(key, t)
		}
	}
	wanted := map[nodeKey]bool{}
	for i := range c.LoadBalancers {
		lb := &c.LoadBalancers[i]
		for _, conf := range lb.Nodes {
			key := nodeKey{lb.ARN, conf.ID, conf.Namespace, conf.Address.String()}
			wanted[key] = true
			n := e.nodes[key]
			if n == nil {
				n = newNode(e, lb, conf)
				e.nodes[key] = n
			}
			n.update(lb, groups)
		}
	}
	for key, n := range e.nodes {
		if !wanted[key] {
			n.close()
			delete(e.nodes, key)
		}
	}
	for key, r := range e.registered {
		if !present[key] {
			r.end()
			delete(e.registered, key)
			delete(e.agreed, key)
		}
	}
	e.front.set(c.LoadBalancers)
	e.report()
}

func (e *Engine) register(key TargetKey, t Target) {
	if old := e.registered[key]; old != nil {
		if old.target.Address == t.Address {
			old.target = t
			return
		}
		old.end()
		delete(e.agreed, key)
	}
	ctx, end := context.WithCancel(e.ctx)
	e.registered[key] = &registration{target: t, ctx: ctx, end: end}
}

// report tells the watchers, and the mender when something does not listen.
func (e *Engine) report() {
	failing := e.front.failing()
	for _, n := range e.nodes {
		failing = failing || n.err != nil
	}
	if failing {
		select {
		case e.broken <- struct{}{}:
		default:
		}
	}
	e.broadcast()
}

// mend opens again and again what could not be opened.
func (e *Engine) mend() {
	for wait(e.ctx, nil, e.broken) && wait(e.ctx, time.After(mendEvery), nil) {
		e.mu.Lock()
		for _, n := range e.nodes {
			if n.err != nil {
				n.listen()
			}
		}
		e.front.open()
		e.report()
		e.mu.Unlock()
	}
}

// retired forgets a port whose last connection has ended.
func (e *Engine) retired(p *port) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.retiring, p)
}

// ports are all that have connections, those that were closed included.
func (e *Engine) ports() []*port {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*port
	for _, n := range e.nodes {
		for _, p := range n.ports {
			out = append(out, p)
		}
	}
	for p := range e.retiring {
		out = append(out, p)
	}
	return out
}

// connections are those to targets, by target and node.
func (e *Engine) connections() []*upstreams {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*upstreams
	for _, n := range e.nodes {
		for _, u := range n.upstream {
			out = append(out, u)
		}
	}
	return out
}

// failsOver tells whether the node with that public address should leave its
// load balancer's name.
func (e *Engine) failsOver(public netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.nodes {
		if n.at.Public == public {
			return n.failsOver()
		}
	}
	return false
}

// now is the time on the engine's clock, which is never set back.
func (e *Engine) now() time.Duration { return time.Since(e.started) }

// at is when the engine's clock showed the time.
func (e *Engine) at(now time.Duration) time.Time { return e.started.Add(now) }

// roughly is the time at the last sweep: enough to tell what waits for long, and
// cheap to read.
func (e *Engine) roughly() time.Duration { return time.Duration(e.swept.Load()) }

// Close ends everything at once and waits for it.
func (e *Engine) Close() {
	e.mu.Lock()
	e.stop()
	for _, n := range e.nodes {
		n.close()
	}
	clear(e.nodes)
	e.front.set(nil)
	e.mu.Unlock()
	e.tasks.Wait()
	for j := range e.journals { // all requests have been noted
		j.close()
	}
}

func (e *Engine) broadcast() {
	e.watchMu.Lock()
	defer e.watchMu.Unlock()
	close(e.watch)
	e.watch = make(chan struct{})
}

// Changed returns a channel that is closed when the status may have changed
// since this call.
func (e *Engine) Changed() <-chan struct{} {
	e.watchMu.Lock()
	defer e.watchMu.Unlock()
	return e.watch
}

// Status is what the engine observes now, in a fixed order.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{Fronts: e.front.status()}
	views := map[TargetKey][]Health{}
	for key, n := range e.nodes {
		status := NodeStatus{LoadBalancer: key.loadBalancer, ID: key.id}
		if n.err != nil {
			status.Error = n.err.Error()
		}
		status.FailedOver = n.failsOver()
		s.Nodes = append(s.Nodes, status)
		for target, r := range n.checkers {
			views[target] = append(views[target], r.health())
		}
	}
	for key, v := range views {
		e.agreed[key] = agree(e.agreed[key], v)
		s.Targets = append(s.Targets, TargetStatus{TargetKey: key, Health: e.agreed[key]})
	}
	slices.SortFunc(s.Nodes, func(a, b NodeStatus) int {
		return cmp.Or(cmp.Compare(a.LoadBalancer, b.LoadBalancer), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(s.Targets, func(a, b TargetStatus) int {
		return cmp.Or(cmp.Compare(a.TargetGroup, b.TargetGroup), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Port, b.Port))
	})
	return s
}

func sameCheck(a, b HealthCheck) bool { return reflect.DeepEqual(a, b) }
