//go:build linux

// Package engine is the data plane of Application Load Balancers: in every zone a
// node that accepts connections at its own address inside the VPC, checks the health
// of the targets and forwards requests to them.
package engine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/accesslog"
	"aloft.dev/aloft/internal/cloud/plane/balancer/front"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// Engine serves load balancers. Use New and Close.
type Engine struct {
	log     *slog.Logger
	ctx     context.Context //nolint:containedctx // lifetime of everything that the engine runs
	stop    context.CancelFunc
	tasks   sync.WaitGroup
	keeper  keeper.Sockets
	front   *front.Front
	workers *workers

	loops   []*socket.Loop // serve connections without TLS
	started time.Time
	swept   atomic.Int64 // time of the last sweep on the engine's clock

	limits   limits
	open     admission.Pool // connections of clients
	retiring atomic.Bool    // another engine accepts the connections now: see Retire

	mu         sync.Mutex
	nodes      map[nodeKey]*node
	draining   map[*port]bool // closed ports that still have connections
	registered map[balancer.TargetKey]*registration
	health     map[balancer.TargetKey]balancer.Health // as the nodes agree
	resumed    map[findingKey]Finding                 // of an earlier engine, for the first Set
	counts     map[countsKey]*nodeCounts
	logs       map[*accesslog.Writer]bool // the open ones

	failing chan struct{} // holds one: a port could not be opened
	watchMu sync.Mutex
	watch   chan struct{} // closed when the status may have changed
}

type nodeKey struct{ loadBalancer, id, namespace, address string }

// Loops configures the event loops, which serve connections without TLS.
type Loops struct {
	Number  int
	KeepCPU bool // see socket.NewLoop
}

// New returns an engine that does not serve anything yet. Its sockets are from the keeper.
func New(log *slog.Logger, loops Loops, from keeper.Sockets) (*Engine, error) {
	ctx, stop := context.WithCancel(context.Background())
	e := &Engine{
		log: log, ctx: ctx, stop: stop, keeper: from, started: time.Now(), limits: descriptorLimits(),
		nodes: map[nodeKey]*node{}, draining: map[*port]bool{},
		registered: map[balancer.TargetKey]*registration{}, health: map[balancer.TargetKey]balancer.Health{},
		resumed: map[findingKey]Finding{},
		counts:  map[countsKey]*nodeCounts{}, logs: map[*accesslog.Writer]bool{},
		failing: make(chan struct{}, 1), watch: make(chan struct{}),
	}
	e.open.Total = int64(e.limits.total)
	e.front, e.workers = front.New(log, from, e.failedOver), newWorkers(ctx, &e.tasks)
	for range loops.Number {
		loop, err := socket.NewLoop(loops.KeepCPU)
		if err != nil {
			e.Close()
			return nil, err
		}
		e.loops = append(e.loops, loop)
		e.tasks.Go(func() { loop.Run(ctx) })
	}
	e.tasks.Go(e.retryPorts)
	e.tasks.Go(e.sweep)
	return e, nil
}

// descriptorLimits returns the limits that follow from how many files the process can open.
func descriptorLimits() limits {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		limit.Cur = 1024 // getrlimit(2): of most systems, and it cannot fail for this resource
	}
	return limitsFor(limit.Cur)
}

// Set replaces the configuration, which the engine owns from then on. It returns once
// the engine has applied it, or has tried to: Status shows what does not work yet, and
// the engine keeps trying.
func (e *Engine) Set(c balancer.Config) {
	e.mu.Lock()
	defer e.mu.Unlock()
	groups := make(map[string]*balancer.TargetGroup, len(c.TargetGroups))
	for i := range c.TargetGroups {
		groups[c.TargetGroups[i].ARN] = &c.TargetGroups[i]
	}
	e.registerTargets(c.TargetGroups)
	configured := map[nodeKey]bool{}
	for i := range c.LoadBalancers {
		lb := &c.LoadBalancers[i]
		for _, conf := range lb.Nodes {
			key := nodeKey{lb.ARN, conf.ID, conf.Namespace, conf.Address.String()}
			configured[key] = true
			n := e.nodes[key]
			if n == nil {
				n = newNode(e, lb, conf)
				e.nodes[key] = n
			}
			n.conf.Public = conf.Public
			n.setIPv6(conf.IPv6)
			n.update(lb, groups)
		}
	}
	for key, n := range e.nodes {
		if !configured[key] {
			n.close()
			delete(e.nodes, key)
		}
	}
	clear(e.resumed)
	e.deregisterTargets(c.TargetGroups)
	e.front.Set(c.LoadBalancers, c.Neighbours)
	e.reportPorts()
}

// Close ends everything at once and waits for it.
func (e *Engine) Close() {
	e.mu.Lock()
	e.stop()
	for _, n := range e.nodes {
		n.close()
	}
	clear(e.nodes)
	e.mu.Unlock()
	e.front.Close()
	e.tasks.Wait()
	for log := range e.logs { // now that they have all entries
		log.Close()
	}
}

// ports returns all ports with connections, including closed ones.
func (e *Engine) ports() []*port {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*port
	for _, n := range e.nodes {
		for _, p := range n.ports {
			out = append(out, p)
		}
	}
	for p := range e.draining {
		out = append(out, p)
	}
	return out
}

// forgetPort removes a closed port whose last connection has ended.
func (e *Engine) forgetPort(p *port) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.draining, p)
}

// upstreamPools returns the pools of connections to targets, of all nodes.
func (e *Engine) upstreamPools() []*upstreamPool {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*upstreamPool
	for _, n := range e.nodes {
		for _, pool := range n.upstreams {
			out = append(out, pool)
		}
	}
	return out
}

// wait waits until the channel has something and reports whether ctx has not ended.
func wait[T any](ctx context.Context, c <-chan T) bool {
	select {
	case <-ctx.Done():
		return false
	case <-c:
	}
	return ctx.Err() == nil
}
