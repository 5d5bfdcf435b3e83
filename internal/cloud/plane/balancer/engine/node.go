//go:build linux

package engine

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"reflect"
	"sync/atomic"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/accesslog"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
	"aloft.dev/aloft/internal/cloud/plane/balancer/route"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// node is a running node of a load balancer.
type node struct {
	engine *Engine
	log    *slog.Logger
	conf   balancer.Node // Public is the engine's lock's; for IPv6 see ipv6; the rest never changes

	ipv6        atomic.Pointer[netip.Addr]           // nil: the node has no IPv6 address
	sockets     atomic.Pointer[nodeSockets]          // nil: its namespace does not exist yet
	listeners   atomic.Pointer[map[uint16]*listener] // by port
	idleTimeout atomic.Int64                         // nanoseconds

	limiter    *limiter
	counts     *nodeCounts
	accessLog  atomic.Pointer[accesslog.Writer] // nil: off
	logDropped atomic.Uint64                    // entries missing from the access log

	// Guarded by the engine's lock.
	lb        *balancer.LoadBalancer
	ports     map[netip.AddrPort]*port
	checkers  map[balancer.TargetKey]*checker
	pools     map[string]*route.Pool // by target group
	upstreams map[upstreamKey]*upstreamPool
	err       error // why it does not listen on all ports
}

// target is a member of a pool with what the engine needs to send it requests.
type target struct {
	route.Member
	upstreams *upstreamPool
	counts    *groupCounts // of its target group
	own       *targetCounts
}

// upstreamKey identifies the connections to a target.
type upstreamKey struct {
	balancer.TargetKey
	at      netip.AddrPort
	tls     bool
	version balancer.Version
}

// checker is a running health checker.
type checker struct {
	*health.Checker
	target balancer.Target
	check  balancer.HealthCheck
	stop   context.CancelFunc
}

func newNode(e *Engine, lb *balancer.LoadBalancer, conf balancer.Node) *node {
	n := &node{
		engine: e, lb: lb, conf: conf, counts: e.nodeCounts(lb, conf),
		log:       e.log.With("load_balancer", lb.DNSName, "zone", conf.Zone),
		limiter:   newLimiter(e.limits, &e.open),
		ports:     map[netip.AddrPort]*port{},
		checkers:  map[balancer.TargetKey]*checker{},
		upstreams: map[upstreamKey]*upstreamPool{},
	}
	n.listeners.Store(&map[uint16]*listener{})
	return n
}

// update applies the configuration: first where requests go, then the ports.
func (n *node) update(lb *balancer.LoadBalancer, groups map[string]*balancer.TargetGroup) {
	n.lb = lb
	n.idleTimeout.Store(int64(lb.IdleTimeout))
	n.updateAccessLog(lb)
	inUse := map[balancer.TargetKey]bool{}
	listeners := make(map[uint16]*listener, len(lb.Listeners))
	pools := map[string]*route.Pool{}
	pool := func(arn string) *route.Pool {
		if pools[arn] == nil && groups[arn] != nil {
			pools[arn] = n.newPool(groups[arn], inUse)
		}
		return pools[arn]
	}
	for i := range lb.Listeners {
		conf := &lb.Listeners[i]
		listeners[conf.Port] = newListener(lb, conf, pool, n.serverTLS(conf))
	}
	n.pools = pools
	n.listeners.Store(&listeners)
	for key, c := range n.checkers {
		if !inUse[key] {
			c.stop()
			delete(n.checkers, key)
		}
	}
	for key, pool := range n.upstreams {
		if !inUse[key.TargetKey] {
			pool.close()
			delete(n.upstreams, key)
		}
	}
	n.openPorts()
}

// newPool returns a new version of a target group's pool. It adds the targets that do
// not drain to inUse.
func (n *node) newPool(group *balancer.TargetGroup, inUse map[balancer.TargetKey]bool) *route.Pool {
	var members []*route.Member
	counts := n.counts.group(group.ARN)
	counts.keepTargets(group)
	for _, conf := range group.Targets {
		if conf.Draining {
			continue
		}
		key := keyOf(group, conf)
		inUse[key] = true
		t := &target{
			Member:    route.Member{Target: conf, Checker: n.checker(key, conf, group.Check)},
			upstreams: n.upstreamPool(upstreamKey{key, conf.AddrPort(), group.TLS, group.Version}),
			counts:    counts,
			own:       counts.target(conf),
		}
		t.Owner = t
		members = append(members, &t.Member)
	}
	return route.NewPool(group, n.conf.Zone, members, n.pools[group.ARN])
}

// upstreamPool returns the connections to the target, which all versions of its pool
// share.
func (n *node) upstreamPool(key upstreamKey) *upstreamPool {
	pool := n.upstreams[key]
	registered := n.engine.registered[key.TargetKey].ctx
	if pool != nil && pool.registered == registered {
		return pool
	}
	if pool != nil {
		pool.close()
	}
	pool = newUpstreamPool(n, key, registered)
	n.upstreams[key] = pool
	return pool
}

// checker returns the running checker of the target. One with other settings replaces
// it and continues from its verdict.
func (n *node) checker(key balancer.TargetKey, t balancer.Target, check balancer.HealthCheck) *health.Checker {
	old := n.checkers[key]
	if old != nil && old.target == t && reflect.DeepEqual(old.check, check) {
		return old.Checker
	}
	c := health.New(health.NewProber(n.dialTarget, n.addressFor(t.Address), t, check), check, n.engine.notify)
	if old != nil {
		old.stop()
		if old.target == t {
			c.Resume(old.Verdict())
		}
	} else {
		n.resume(c, key, t)
	}
	ctx, stop := context.WithCancel(n.engine.ctx)
	n.checkers[key] = &checker{Checker: c, target: t, check: check, stop: stop}
	n.engine.tasks.Go(func() { c.Run(ctx) })
	return c
}

// failedOver reports whether the node should leave the load balancer's DNS name.
func (n *node) failedOver() bool {
	for _, l := range *n.listeners.Load() {
		if l.rules.FailedOver() {
			return true
		}
	}
	return false
}

// setIPv6 changes the IPv6 address; zero: none.
func (n *node) setIPv6(address netip.Addr) {
	if !address.IsValid() {
		n.ipv6.Store(nil)
		return
	}
	n.ipv6.Store(&address)
}

// addresses returns the addresses of the node, of IPv4 first.
func (n *node) addresses() []netip.Addr {
	if ipv6 := n.ipv6.Load(); ipv6 != nil {
		return []netip.Addr{n.conf.Address, *ipv6}
	}
	return []netip.Addr{n.conf.Address}
}

// addressFor returns the node's address of the same family as a target's; zero if it has none.
func (n *node) addressFor(target netip.Addr) netip.Addr {
	if !target.Is6() {
		return n.conf.Address
	}
	if ipv6 := n.ipv6.Load(); ipv6 != nil {
		return *ipv6
	}
	return netip.Addr{}
}

// dial connects from the node to a target. For loop see socket.Dial.
func (n *node) dial(ctx context.Context, loop *socket.Loop, to netip.AddrPort) (*socket.Conn, error) {
	sockets, from := n.sockets.Load(), n.addressFor(to.Addr())
	if sockets == nil || !from.IsValid() {
		return nil, health.ErrNodeDown
	}
	return sockets.dial(ctx, loop, from, to)
}

// dialTarget is dial as health checks use it.
func (n *node) dialTarget(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	conn, err := n.dial(ctx, nil, to)
	if err != nil {
		return nil, err // not a nil *socket.Conn in an interface
	}
	return conn, nil
}

// close ends the node. It finishes requests in flight.
func (n *node) close() {
	n.closePorts()
	n.closeAccessLog()
	for _, c := range n.checkers {
		c.stop()
	}
	if sockets := n.sockets.Load(); sockets != nil {
		sockets.close()
	}
}
