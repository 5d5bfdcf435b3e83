//go:build linux

package network

import (
	"errors"
	"fmt"
	"slices"
)

// Audit compares the kernel's network with what the last Set left there, and returns what
// another program has changed since. The next Set repairs that.
func (p *Plane) Audit() (changes []string, problems error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.edge == nil {
		return nil, nil
	}
	changes, problems = p.edge.audit()
	for id, r := range p.routers {
		found, err := r.audit()
		for _, change := range found {
			changes = append(changes, id+": "+change)
		}
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("audit the network of %s: %w", id, err))
		}
	}
	slices.Sort(changes)
	return changes, problems
}

// audit compares the router with the VPC that was applied last.
func (r *router) audit() (changes []string, err error) {
	if r.appliedVPC.ID == "" {
		return nil, nil // the last Set failed, and the next one compares everything
	}
	changed, err := r.ruleset.isChanged(r.namespace)
	if err != nil {
		return nil, err
	}
	if changed {
		changes = append(changes, "its firewall was changed")
		r.ruleset = appliedRuleset{}
	}
	for _, audit := range []func() ([]string, error){r.auditDevices, r.auditRoutes, r.auditForwarders} {
		found, err := audit()
		if err != nil {
			return nil, err
		}
		changes = append(changes, found...)
	}
	if len(changes) > 0 {
		r.appliedVPC = VPC{}
	}
	return changes, nil
}

func (r *router) auditDevices() (changes []string, err error) {
	devices, err := r.devices()
	if err != nil {
		return nil, err
	}
	for id, a := range r.attached {
		if link, ok := devices[a.device]; !ok || link.Attrs().Index != a.index {
			changes = append(changes, "the device of "+id+" is gone")
		}
	}
	for id, index := range r.peers {
		if link, ok := devices[peerDevice(id)]; !ok || link.Attrs().Index != index {
			changes = append(changes, "the device of "+id+" is gone")
		}
	}
	if link, ok := devices[uplink]; r.uplinkIndex != 0 && (!ok || link.Attrs().Index != r.uplinkIndex) {
		changes = append(changes, "the device of its internet gateway is gone")
	}
	return changes, nil
}

func (r *router) auditRoutes() (changes []string, err error) {
	missing, stale, err := r.compareRoutes(r.routes(r.appliedVPC), nil)
	if err != nil {
		return nil, err
	}
	if n := len(missing) + len(stale); n > 0 {
		changes = append(changes, fmt.Sprintf("%d routes were changed", n))
	}
	missingRules, staleRules, err := r.compareRoutingRules(r.appliedVPC)
	if err != nil {
		return nil, err
	}
	if n := len(missingRules) + len(staleRules); n > 0 {
		changes = append(changes, fmt.Sprintf("%d routing rules were changed", n))
	}
	return changes, nil
}

// audit compares the edge and its connection with the host.
func (e *edge) audit() (changes []string, err error) {
	changed, err := e.ruleset.isChanged(e.namespace)
	if err != nil {
		return nil, fmt.Errorf("audit the edge: %w", err)
	}
	if changed {
		changes = append(changes, "the edge: its firewall was changed")
		e.ruleset = appliedRuleset{}
	}
	outside, err := e.hasOutside6(e.ipv6)
	if err != nil {
		return nil, fmt.Errorf("audit the edge: %w", err)
	}
	if outside != e.outside6 {
		changes = append(changes, "the edge: the host has got or lost IPv6 to the internet")
	}
	near, nearErr := e.host.netlink.LinkByName(e.device)
	far, farErr := e.netlink.LinkByName(edgeHostDevice)
	if nearErr != nil || farErr != nil || e.pairIndices != [2]int{near.Attrs().Index, far.Attrs().Index} {
		return append(changes, "the edge: its connection with the host is gone"), nil
	}
	missing, stale, err := e.host.compareRoutes(e.hostRoutes, e.isOwnRoute)
	if err != nil {
		return nil, fmt.Errorf("audit the edge: %w", err)
	}
	if len(missing)+len(stale) > 0 {
		changes = append(changes, "the edge: the host's routes were changed")
		e.pairIndices = [2]int{}
	}
	if e.appliedRoutes == nil {
		return changes, nil
	}
	if missing, stale, err = e.compareRoutes(e.appliedRoutes, nil); err != nil {
		return nil, fmt.Errorf("audit the edge: %w", err)
	}
	if n := len(missing) + len(stale); n > 0 {
		changes = append(changes, fmt.Sprintf("the edge: %d routes were changed", n))
		e.appliedRoutes = nil
	}
	return changes, nil
}
