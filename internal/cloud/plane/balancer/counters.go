package balancer

import (
	"cmp"
	"slices"
	"time"
)

// Counters is what the balancer has counted since its process started, and what
// stands now.
type Counters struct {
	Since time.Time      `json:"since"` // when the process started to count
	Nodes []NodeCounters `json:"nodes"` // in a fixed order
}

// NodeCounters are those of a load balancer in one zone. Names and meanings of
// the sums are those of the Application Load Balancer guide, CloudWatch metrics
// for your Application Load Balancer.
type NodeCounters struct {
	LoadBalancer string            `json:"load_balancer"` // its ARN
	Zone         string            `json:"zone"`
	Sums         map[string]uint64 `json:"sums"` // by metric; what is nothing is left out
	Active       int               `json:"active"`
	Groups       []GroupCounters   `json:"groups"`
	LogDropped   uint64            `json:"log_dropped"` // entries that the access log had to leave out
}

// GroupCounters are those of a target group at a node.
type GroupCounters struct {
	TargetGroup string            `json:"target_group"` // its ARN
	Sums        map[string]uint64 `json:"sums"`
	Present     bool              `json:"present"`   // the node sends requests to the group now
	ZoneOnly    bool              `json:"zone_only"` // the targets are those of the node's zone alone
	Healthy     int               `json:"healthy"`   // targets, as the node finds them
	Unhealthy   int               `json:"unhealthy"` // those found so; new ones are neither
	Time        time.Duration     `json:"time"`      // sum of the response times
	Times       []Timing          `json:"times"`     // from short to long
}

// Timing is how many answers took from From to below To.
type Timing struct {
	From  time.Duration `json:"from"`
	To    time.Duration `json:"to"`
	Count uint64        `json:"count"`
}

// countKey is what counts are kept by: a node that is made anew goes on counting.
type countKey struct{ loadBalancer, zone string }

// countsKept is for how long the counts of a node that is gone can still be
// read. Its last requests may end as late as retireWithin.
const countsKept = retireWithin + time.Minute

// countsOf are the counts of a node. The engine's lock is held.
func (e *Engine) countsOf(lb *LoadBalancer, at Node) *nodeCounts {
	key := countKey{lb.ARN, at.Zone}
	c := e.counts[key]
	if c == nil {
		c = &nodeCounts{groups: map[string]*groupCounts{}}
		e.counts[key] = c
	}
	return c
}

// Counters reads all counts.
func (e *Engine) Counters() Counters {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, nodes := time.Now(), map[countKey]*node{}
	for key, n := range e.nodes {
		nodes[countKey{key.loadBalancer, n.at.Zone}] = n
	}
	out := Counters{Since: e.started, Nodes: []NodeCounters{}}
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
	slices.SortFunc(out.Nodes, func(a, b NodeCounters) int {
		return cmp.Or(cmp.Compare(a.LoadBalancer, b.LoadBalancer), cmp.Compare(a.Zone, b.Zone))
	})
	return out
}

// read adds the lanes up. n is nil when the node is gone.
func (c *nodeCounts) read(key countKey, n *node) NodeCounters {
	out := NodeCounters{
		LoadBalancer: key.loadBalancer,
		Zone:         key.zone,
		Sums:         map[string]uint64{},
		Groups:       []GroupCounters{},
	}
	for i, name := range nodeSumNames {
		for lane := range c.lanes {
			add(out.Sums, name, c.lanes[lane].sums[i].Load())
		}
	}
	for arn, g := range c.groups {
		group := g.read()
		group.TargetGroup = arn
		if n != nil {
			group.stand(n.pools[arn])
		}
		out.Groups = append(out.Groups, group)
	}
	slices.SortFunc(out.Groups, func(a, b GroupCounters) int { return cmp.Compare(a.TargetGroup, b.TargetGroup) })
	if n != nil {
		out.Active, out.LogDropped = n.active(), n.logDropped.Load()
	}
	return out
}

func add(sums map[string]uint64, name string, n uint64) {
	if n > 0 {
		sums[name] += n
	}
}

func (g *groupCounts) read() GroupCounters {
	out := GroupCounters{Sums: map[string]uint64{}, Times: []Timing{}}
	var times [timings]uint64
	for lane := range g.lanes {
		l := &g.lanes[lane]
		for i, name := range groupSumNames {
			add(out.Sums, name, l.sums[i].Load())
		}
		out.Time += time.Duration(l.time.Load())
		for i := range times {
			times[i] += l.times[i].Load()
		}
	}
	for i, n := range times {
		if n > 0 {
			out.Times = append(out.Times, Timing{timingFrom(i), timingFrom(i + 1), n})
		}
	}
	return out
}

// stand tells of the targets; p is nil when nothing is sent to them.
func (g *GroupCounters) stand(p *pool) {
	if p == nil {
		return
	}
	g.Present, g.ZoneOnly = true, p.group.ZoneOnly
	for _, m := range p.members {
		switch m.checker.health().State {
		case healthy.State:
			g.Healthy++
		case failed.State:
			g.Unhealthy++
		}
	}
}

// active counts the connections that stand: from clients, and to targets. The
// engine's lock is held.
func (n *node) active() int {
	total := 0
	of := func(p *port) {
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
		of(p)
	}
	for p := range n.owner.retiring {
		if p.node == n {
			of(p)
		}
	}
	for _, u := range n.upstream {
		total += u.waiting()
	}
	return total
}
