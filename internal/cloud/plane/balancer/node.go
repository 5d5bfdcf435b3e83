package balancer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// node is a running node of a load balancer.
type node struct {
	owner *Engine
	log   *slog.Logger
	at    Node // identity, namespace and address never change

	space atomic.Pointer[namespace]
	table atomic.Pointer[map[uint16]*plan]
	idle  atomic.Int64 // idle time-out in nanoseconds

	counts     *nodeCounts
	journal    atomic.Pointer[journal] // nil: there is no access log
	logDropped atomic.Uint64           // entries that it had to leave out

	// Guarded by the engine's lock.
	lb       *LoadBalancer
	ports    map[uint16]*port
	checkers map[TargetKey]*running
	pools    map[string]*pool // by target group
	upstream map[upstreamKey]*upstreams
	err      error // why it does not listen on all ports
}

// upstreamKey tells the connections to a target from those to another one.
type upstreamKey struct {
	TargetKey
	at  netip.AddrPort
	tls bool
}

// running is a checker and the goroutine that runs it.
type running struct {
	*checker
	target Target
	stop   context.CancelFunc
}

func newNode(owner *Engine, lb *LoadBalancer, conf Node) *node {
	n := &node{
		owner: owner, lb: lb, at: conf, counts: owner.countsOf(lb, conf),
		log:      owner.log.With("load_balancer", lb.DNSName, "zone", conf.Zone),
		ports:    map[uint16]*port{},
		checkers: map[TargetKey]*running{},
		upstream: map[upstreamKey]*upstreams{},
	}
	n.table.Store(&map[uint16]*plan{})
	return n
}

var errNoNamespace = errors.New("the node's network is not there yet")

func (n *node) dial(ctx context.Context, loop *socket.Loop, to netip.AddrPort) (*socket.Conn, error) {
	space := n.space.Load()
	if space == nil {
		return nil, errNoNamespace
	}
	return space.dial(ctx, loop, n.at.Address, to)
}

// update makes the node follow the configuration: first whom it sends requests
// to, then where it listens.
func (n *node) update(lb *LoadBalancer, groups map[string]*TargetGroup) {
	n.lb = lb
	n.idle.Store(int64(lb.IdleTimeout))
	n.keepJournal(lb)
	kept := map[TargetKey]bool{}
	table := make(map[uint16]*plan, len(lb.Listeners))
	pools := map[string]*pool{}
	find := func(arn string) *pool {
		if pools[arn] == nil && groups[arn] != nil {
			pools[arn] = n.pool(groups[arn], kept)
		}
		return pools[arn]
	}
	for i := range lb.Listeners {
		l := &lb.Listeners[i]
		table[l.Port] = newPlan(lb, l, find)
		table[l.Port].secure = n.secure(l)
	}
	n.pools = pools
	n.table.Store(&table)
	for key, r := range n.checkers {
		if !kept[key] {
			r.stop()
			delete(n.checkers, key)
		}
	}
	for key, u := range n.upstream {
		if !kept[key.TargetKey] {
			u.close()
			delete(n.upstream, key)
		}
	}
	n.listen()
}

// secure is how the node speaks TLS at the listener's port. What is set as it was
// goes on, so that clients can resume their sessions; nil: it does not.
func (n *node) secure(l *Listener) *secure {
	if l.TLS == nil {
		return nil
	}
	if old := (*n.table.Load())[l.Port]; old != nil && old.secure != nil && old.secure.same(l.TLS, n.lb.NoHTTP2) {
		return old.secure
	}
	s, err := newSecure(*l.TLS, n.lb.NoHTTP2, time.Now)
	if err != nil {
		n.log.Error("certificates of a listener", "port", l.Port, "error", err)
	}
	return s
}

func (n *node) pool(group *TargetGroup, kept map[TargetKey]bool) *pool {
	var members []*member
	counts := n.counts.group(group.ARN)
	for _, t := range group.Targets {
		if t.Draining {
			continue
		}
		key := TargetKey{group.ARN, t.ID, t.Port}
		kept[key] = true
		members = append(
			members,
			&member{
				target:    t,
				checker:   n.checker(key, t, group.Check),
				upstreams: n.connections(key, t, group.TLS),
				counts:    counts,
			},
		)
	}
	return newPool(group, n.at.Zone, members, n.pools[group.ARN])
}

// connections are those to the target, whatever version of its pool they serve.
func (n *node) connections(key TargetKey, t Target, tls bool) *upstreams {
	id := upstreamKey{key, netip.AddrPortFrom(t.Address, t.Port), tls}
	u := n.upstream[id]
	if gone := n.owner.registered[key].ctx; u == nil || u.gone != gone {
		if u != nil {
			u.close()
		}
		u = &upstreams{
			owner: n.owner,
			dial:  n.counting,
			at:    id.at,
			tls:   tls,
			idle:  &n.idle,
			gone:  gone,
			lanes: make([]upstreamLane, len(n.owner.loops)+1),
		}
		for i, loop := range n.owner.loops {
			u.lanes[i].loop = loop
		}
		n.upstream[id] = u
	}
	return u
}

// checker returns the running checker of the target; one with other settings
// is replaced by one that goes on from its verdict.
func (n *node) checker(key TargetKey, t Target, check HealthCheck) *checker {
	old := n.checkers[key]
	if old != nil && old.target == t && sameCheck(old.check, check) {
		return old.checker
	}
	c := newChecker(n.prober(t, check), check, n.owner.broadcast)
	if old != nil {
		old.stop()
		if old.target == t {
			c.resume(old.judged())
		}
	}
	ctx, stop := context.WithCancel(n.owner.ctx)
	n.checkers[key] = &running{checker: c, target: t, stop: stop}
	n.owner.tasks.Go(func() { c.run(ctx) })
	return c
}

// listen opens what ports are missing and closes those that are too many.
func (n *node) listen() {
	n.err = n.enterSpace()
	wanted := make(map[uint16]bool, len(n.lb.Listeners))
	for _, l := range n.lb.Listeners {
		wanted[l.Port] = true
	}
	for number := range n.ports {
		if !wanted[number] {
			n.retire(number)
		}
	}
	if n.err != nil {
		return
	}
	if len(wanted) == 0 { // prove that it could listen
		probe, err := n.space.Load().listen(netip.AddrPortFrom(n.at.Address, 0))
		if n.err = err; err == nil {
			n.err = probe.Close()
		}
		return
	}
	for port := range wanted {
		if n.ports[port] == nil {
			n.err = errors.Join(n.err, n.open(port))
		}
	}
}

// enterSpace opens the node's namespace, or a later one at the same path.
func (n *node) enterSpace() error {
	id, err := namespaceID(n.at.Namespace)
	if err != nil {
		return err
	}
	old := n.space.Load()
	if old != nil && old.id == id {
		return nil
	}
	space, err := openNamespace(n.at.Namespace)
	if err != nil {
		return err
	}
	n.space.Store(space)
	if old != nil {
		n.leave()
		return old.close()
	}
	return nil
}

func (n *node) open(number uint16) error {
	listener, err := n.space.Load().listen(netip.AddrPortFrom(n.at.Address, number))
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", number, err)
	}
	p := newPort(n, number, listener)
	n.ports[number] = p
	p.listen()
	n.log.Info("listening", "address", listener.Addr().String())
	return nil
}

// retireWithin bounds how long requests in flight may go on at a port that was
// closed.
const retireWithin = time.Minute

// retire frees the port at once and lets it finish what it has begun.
func (n *node) retire(number uint16) {
	p := n.ports[number]
	delete(n.ports, number)
	n.owner.retiring[p] = true
	_ = p.listener.Close()
	n.owner.tasks.Go(func() {
		p.close(time.After(retireWithin))
		n.owner.retired(p)
	})
}

// leave closes all ports, and the connections to targets that are not in use.
func (n *node) leave() {
	for number := range n.ports {
		n.retire(number)
	}
	for key, u := range n.upstream {
		u.close()
		delete(n.upstream, key)
	}
}

// close ends the node; requests in flight are finished.
func (n *node) close() {
	n.leave()
	n.endJournal()
	for _, r := range n.checkers {
		r.stop()
	}
	if space := n.space.Load(); space != nil {
		if err := space.close(); err != nil {
			n.log.Warn("close network namespace", "error", err)
		}
	}
}
