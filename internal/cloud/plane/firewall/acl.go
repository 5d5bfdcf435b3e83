//go:build linux

package firewall

import (
	"net/netip"
	"slices"
)

// ACL is a network ACL: a stateless filter at the border of a subnet. The first rule
// that matches, in the order of their numbers, decides. It drops what no rule matches.
type ACL struct{ Ingress, Egress []ACLRule }

// ACLRule allows or drops packets. Protocol, FromPort and ToPort mean what they mean in
// Rule.
type ACLRule struct {
	Number           int
	Allow            bool
	Protocol         string
	FromPort, ToPort int
	CIDR             netip.Prefix
}

// aclChains returns a chain for what leaves and one for what enters each subnet with a
// network ACL. Packets within a subnet return from both at once.
func (r Router) aclChains() []chain {
	var all []chain
	for _, s := range r.Subnets {
		if s.ACL != nil {
			all = append(all,
				aclChain(leaveChain(s.ID), s.CIDR, r.Family.destination(), s.ACL.Egress, r.refuse(refusedBySender)),
				aclChain(enterChain(s.ID), s.CIDR, r.Family.source(), s.ACL.Ingress, r.refuse(refusedByReceiver)))
		}
	}
	return all
}

// aclChain returns the chain of one direction. peer is the field that holds the address
// outside the subnet, and refuse the rule for what the ACL does not allow.
func aclChain(name string, subnet netip.Prefix, peer field, rules []ACLRule, refuse rule) chain {
	c := chain{name: name, rules: []rule{{inPrefix{peer, subnet, false}, returnToCaller}}}
	byNumber := func(a, b ACLRule) int { return a.Number - b.Number }
	for _, a := range slices.SortedStableFunc(slices.Values(rules), byNumber) {
		then := refuse
		if a.Allow {
			then = rule{returnToCaller}
		}
		r := Rule{Protocol: a.Protocol, FromPort: a.FromPort, ToPort: a.ToPort, CIDR: a.CIDR}
		c.rules = r.appendTo(c.rules, peer, then...)
	}
	c.rules = append(c.rules, refuse)
	return c
}
