package firewall

import (
	"net/netip"
	"slices"
	"strconv"
)

// referencedGroups lists the groups that rules refer to.
func (r Router) referencedGroups() []string {
	seen := map[string]bool{}
	for _, g := range r.SecurityGroups {
		for _, rule := range slices.Concat(g.Ingress, g.Egress) {
			if rule.SecurityGroup != "" {
				seen[rule.SecurityGroup] = true
			}
		}
	}
	ids := make([]string, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// interfaceChains gives each interface a chain for what it sends and one for
// what it receives: the chains of its groups in turn, and then the end.
func (r Router) interfaceChains() []chain {
	known := map[string]bool{}
	for _, g := range r.SecurityGroups {
		known[g.ID] = true
	}
	var all []chain
	for _, i := range r.Interfaces {
		from, to := chain{name: "from-" + i.ID}, chain{name: "to-" + i.ID}
		for _, id := range i.SecurityGroups {
			if known[id] {
				from.rules = append(from.rules, rule{jumpTo("egress-" + id)})
				to.rules = append(to.rules, rule{jumpTo("ingress-" + id)})
			}
		}
		from.rules, to.rules = append(from.rules, rule{drop}), append(to.rules, rule{drop})
		all = append(all, from, to)
	}
	return all
}

func (r Router) groupChains() []chain {
	var all []chain
	for _, g := range r.SecurityGroups {
		egress, ingress := chain{name: "egress-" + g.ID}, chain{name: "ingress-" + g.ID}
		for _, allowed := range g.Egress {
			egress.rules = allowed.appendTo(egress.rules, destination, goTo("receive"))
		}
		for _, allowed := range g.Ingress {
			ingress.rules = allowed.appendTo(ingress.rules, source, accept)
		}
		all = append(all, egress, ingress)
	}
	return all
}

// aclChains gives each ACL a chain for what leaves its subnet and one for what
// enters. What stays within the subnet passes neither.
func (r Router) aclChains() []chain {
	var all []chain
	for _, s := range r.Subnets {
		if s.ACL == nil {
			continue
		}
		all = append(all,
			aclChain("leave-"+s.ID, s.CIDR, destination, s.ACL.Egress),
			aclChain("enter-"+s.ID, s.CIDR, source, s.ACL.Ingress),
		)
	}
	return all
}

func aclChain(name string, within netip.Prefix, peer field, rules []ACLRule) chain {
	c := chain{name: name, rules: []rule{{inPrefix{peer, within, false}, returnToCaller}}}
	sorted := slices.SortedStableFunc(slices.Values(rules), func(a, b ACLRule) int { return a.Number - b.Number })
	for _, a := range sorted {
		decision := drop
		if a.Allow {
			decision = returnToCaller
		}
		c.rules = Rule{
			Protocol: a.Protocol,
			FromPort: a.FromPort,
			ToPort:   a.ToPort,
			CIDR:     a.CIDR,
		}.appendTo(
			c.rules,
			peer,
			decision,
		)
	}
	c.rules = append(c.rules, rule{drop})
	return c
}

// protocolNumbers of the protocols that have names (IANA, Protocol Numbers).
var protocolNumbers = map[string]int{"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}

// appendTo appends the rule with its verdict, where peer is the end that it restricts.
// A rule for IPv6 matches nothing here and is left out.
func (r Rule) appendTo(rules []rule, peer field, decision verdict) []rule {
	var all rule
	switch {
	case r.SecurityGroup != "":
		all = append(all, inSet{[]field{peer}, "members-" + r.SecurityGroup, false})
	case !r.CIDR.Addr().Is4():
		return rules
	case r.CIDR.Bits() > 0:
		all = append(all, inPrefix{peer, r.CIDR, false})
	}
	return append(rules, append(append(all, r.matchProtocol()...), decision))
}

// matchProtocol matches the protocol and what the rule says of it.
func (r Rule) matchProtocol() rule {
	if r.Protocol == "-1" || r.Protocol == "" {
		return nil
	}
	number, named := protocolNumbers[r.Protocol]
	if !named {
		number, _ = strconv.Atoi(r.Protocol) // validated where rules come from
	}
	all := rule{equals{protocol, byteValue(number)}}
	switch number {
	case protocolNumbers["tcp"], protocolNumbers["udp"]:
		switch {
		case r.FromPort == r.ToPort && r.FromPort >= 0:
			all = append(all, equals{port, portValue(r.FromPort)})
		case r.FromPort > 0 || r.ToPort >= 0 && r.ToPort < 65535:
			all = append(all, inInterval{port, portValue(max(r.FromPort, 0)), portValue(r.ToPort)})
		}
	case protocolNumbers["icmp"]:
		if r.FromPort >= 0 {
			all = append(all, equals{icmpType, byteValue(r.FromPort)})
			if r.ToPort >= 0 {
				all = append(all, equals{icmpCode, byteValue(r.ToPort)})
			}
		}
	}
	return all
}
