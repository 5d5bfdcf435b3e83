//go:build linux

package route

import (
	"hash/maphash"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
)

// flowSeed varies which members flows go to. All nodes of the process share it.
var flowSeed = maphash.MakeSeed()

// Flows returns the only target group to which the listener forwards connections, or nil.
func (r *Rules) Flows() *Pool {
	if len(r.fallback.pools) != 1 {
		return nil
	}
	return r.fallback.pools[0]
}

// Flow returns the member that serves a client's connection, or nil if there is none. A hash
// chooses it (Network Load Balancer guide, Routing algorithm), and few clients change their
// member when others come or go.
func (p *Pool) Flow(client netip.AddrPort) *Member {
	var best *Member
	var highest uint64
	_, open := p.eligible()
	for _, m := range p.members {
		weight := maphash.Comparable(flowSeed, [2]netip.AddrPort{client, m.Target.AddrPort()})
		if m.eligible(open) && (best == nil || weight > highest) {
			best, highest = m, weight
		}
	}
	return best
}

// Settings returns what becomes of connections to the group's targets.
func (p *Pool) Settings() balancer.Flows { return p.group.Flows }

// EndsUnhealthy reports whether connections to a target are to end because it is unhealthy. They
// go on while so few targets are healthy that all get new ones.
func (p *Pool) EndsUnhealthy(at netip.AddrPort) bool {
	if _, open := p.eligible(); open || !p.group.Flows.EndUnhealthy {
		return false
	}
	return slices.ContainsFunc(p.members, func(m *Member) bool {
		return m.Target.AddrPort() == at && m.Checker.Health().State == health.Failed.State
	})
}
