//go:build linux

package engine

import (
	"cmp"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
	"aloft.dev/aloft/internal/cloud/plane/balancer/route"
)

// countsKey identifies counts. A node that is removed and added again continues its
// counts.
type countsKey struct{ loadBalancer, zone string }

// nodeCounts returns the counts of a node. The engine's lock is held.
func (e *Engine) nodeCounts(lb *balancer.LoadBalancer, node balancer.Node) *nodeCounts {
	key := countsKey{lb.ARN, node.Zone}
	c := e.counts[key]
	if c == nil {
		c = &nodeCounts{groups: map[string]*groupCounts{}}
		e.counts[key] = c
	}
	return c
}

// Counters returns all counts.
func (e *Engine) Counters() balancer.Counters {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, nodes := time.Now(), map[countsKey]*node{}
	for key, n := range e.nodes {
		nodes[countsKey{key.loadBalancer, n.conf.Zone}] = n
	}
	out := balancer.Counters{Since: e.started, Nodes: []balancer.NodeCounters{}}
	for key, c := range e.counts {
		n := nodes[key]
		switch {
		case n != nil:
			c.gone = time.Time{}
		case c.gone.IsZero():
			c.gone = now
		case now.Sub(c.gone) > countsKept:
			delete(e.counts, key)
			continue
		}
		out.Nodes = append(out.Nodes, c.read(key, n))
	}
	slices.SortFunc(out.Nodes, func(a, b balancer.NodeCounters) int {
		return cmp.Or(cmp.Compare(a.LoadBalancer, b.LoadBalancer), cmp.Compare(a.Zone, b.Zone))
	})
	return out
}

// read sums up the lanes. n is nil if the node is gone.
func (c *nodeCounts) read(key countsKey, n *node) balancer.NodeCounters {
	out := balancer.NodeCounters{
		LoadBalancer: key.loadBalancer,
		Zone:         key.zone,
		Sums:         map[string]uint64{},
		Groups:       []balancer.GroupCounters{},
	}
	for i, name := range nodeSumNames {
		for lane := range c.lanes {
			add(out.Sums, name, c.lanes[lane].sums[i].Load())
		}
	}
	for arn, g := range c.groups {
		group := g.read()
		group.TargetGroup = arn
		if n != nil && n.pools[arn] != nil {
			addTargets(&group, n.pools[arn])
		}
		out.Groups = append(out.Groups, group)
	}
	slices.SortFunc(out.Groups, func(a, b balancer.GroupCounters) int {
		return cmp.Compare(a.TargetGroup, b.TargetGroup)
	})
	out.Flows, out.TCPFlows = int(c.flows[tlsFlow].Load()), int(c.flows[tcpFlow].Load())
	if n != nil {
		out.Active, out.LogDropped = n.openConnections(), n.logDropped.Load()
	}
	return out
}

func add(sums map[string]uint64, name string, n uint64) {
	if n > 0 {
		sums[name] += n
	}
}

func (g *groupCounts) read() balancer.GroupCounters {
	out := balancer.GroupCounters{Sums: map[string]uint64{}}
	var times []*histogram
	for lane := range g.lanes {
		l := &g.lanes[lane]
		for i, name := range groupSumNames {
			add(out.Sums, name, l.sums[i].Load())
		}
		out.Time += time.Duration(l.time.Load())
		times = append(times, &l.times)
	}
	out.Times = timings(times...)
	return out
}

// Targets returns the counts of the targets that are registered.
func (e *Engine) Targets() []balancer.TargetCounters {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []balancer.TargetCounters{}
	for at, node := range e.counts {
		for arn, g := range node.groups {
			for key, c := range g.targets {
				t := balancer.TargetCounters{
					LoadBalancer: at.loadBalancer, Zone: at.zone, TargetGroup: arn, ID: key.id, Port: key.port,
					Times: timings(&c.times),
				}
				for lane := range c.lanes {
					l := &c.lanes[lane]
					t.Requests += l.requests.Load()
					t.Failures += l.failures.Load()
				}
				all = append(all, t)
			}
		}
	}
	slices.SortFunc(all, func(a, b balancer.TargetCounters) int {
		return cmp.Or(cmp.Compare(a.LoadBalancer, b.LoadBalancer), cmp.Compare(a.Zone, b.Zone),
			cmp.Compare(a.TargetGroup, b.TargetGroup), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Port, b.Port))
	})
	return all
}

// addTargets adds the state of a target group's pool.
func addTargets(g *balancer.GroupCounters, p *route.Pool) {
	g.Present, g.ZoneOnly = true, p.ZoneOnly()
	for _, m := range p.Members() {
		switch m.Checker.Health().State {
		case health.Healthy.State:
			g.Healthy++
		case health.Failed.State:
			g.Unhealthy++
		}
	}
}

// openConnections returns how many connections are open: from clients and to targets.
// The engine's lock is held.
func (n *node) openConnections() int {
	total := 0
	count := func(p *port) {
		p.each(func(c *connection) {
			total++
			c.mu.Lock()
			if c.up != nil {
				total++
			}
			c.mu.Unlock()
		})
	}
	for _, p := range n.ports {
		count(p)
	}
	for p := range n.engine.draining {
		if p.node == n {
			count(p)
		}
	}
	for _, pool := range n.upstreams {
		total += pool.unused()
	}
	return total
}
