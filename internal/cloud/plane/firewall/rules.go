package firewall

import (
	"net/netip"
	"slices"
	"strconv"
)

// referenced lists the groups that rules refer to.
func (r Router) referenced() []string {
	seen := map[string]bool{}
	for _, g := range r.Groups {
		for _, rule := range slices.Concat(g.Ingress, g.Egress) {
			if rule.Group != "" {
				seen[rule.Group] = true
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
	for _, g := range r.Groups {
		known[g.ID] = true
	}
	var all []chain
	for _, i := range r.Interfaces {
		from, to := chain{name: "from-" + i.ID}, chain{name: "to-" + i.ID}
		for _, id := range i.Groups {
			if known[id] {
				from.rules = append(from.rules, rule{jump("egress-" + id)})
				to.rules = append(to.rules, rule{jump("ingress-" + id)})
			}
		}
		from.rules, to.rules = append(from.rules, rule{drop}), append(to.rules, rule{drop})
		all = append(all, from, to)
	}
	return all
}

func (r Router) groupChains() []chain {
	var all []chain
	for _, g := range r.Groups {
		egress, ingress := chain{name: "egress-" + g.ID}, chain{name: "ingress-" + g.ID}
		for _, allowed := range g.Egress {
			egress.rules = allowed.add(egress.rules, destination, follow("receive"))
		}
		for _, allowed := range g.Ingress {
			ingress.rules = allowed.add(ingress.rules, source, accept)
		}
		all = append(all, egress, ingress)
	}
	return all
}

// accessLists gives each ACL a chain for what leaves its subnet and one for what
// enters. What stays within the subnet passes neither.
func (r Router) accessLists() []chain {
	var all []chain
	for _, s := range r.Subnets {
		if s.ACL == nil {
			continue
		}
		all = append(all,
			accessList("leave-"+s.ID, s.CIDR, destination, s.ACL.Egress),
			accessList("enter-"+s.ID, s.CIDR, source, s.ACL.Ingress),
		)
	}
	return all
}

func accessList(name string, within netip.Prefix, peer field, rules []ACLRule) chain {
	c := chain{name: name, rules: []rule{{inRange{peer, within, false}, leave}}}
	sorted := slices.SortedStableFunc(slices.Values(rules), func(a, b ACLRule) int { return a.Number - b.Number })
	for _, a := range sorted {
		decision := drop
		if a.Allow {
			decision = leave
		}
		c.rules = Rule{
			Protocol: a.Protocol,
			FromPort: a.FromPort,
			ToPort:   a.ToPort,
			CIDR:     a.CIDR,
		}.add(
			c.rules,
			peer,
			decision,
		)
	}
	c.rules = append(c.rules, rule{drop})
	return c
}

// numbers of the protocols that have names (IANA, Protocol Numbers).
var numbers = map[string]int{"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}

// add appends the rule with its verdict, where peer is the end that it restricts.
// A rule for IPv6 matches nothing here and is left out.
func (r Rule) add(rules []rule, peer field, decision verdict) []rule {
	var all rule
	switch {
	case r.Group != "":
		all = append(all, inSet{[]field{peer}, "members-" + r.Group, false})
	case !r.CIDR.Addr().Is4():
		return rules
	case r.CIDR.Bits() > 0:
		all = append(all, inRange{peer, r.CIDR, false})
	}
	return append(rules, append(append(all, r.kind()...), decision))
}

// kind matches the protocol and what the rule says of it.
func (r Rule) kind() rule {
	if r.Protocol == "-1" || r.Protocol == "" {
		return nil
	}
	number, named := numbers[r.Protocol]
	if !named {
		number, _ = strconv.Atoi(r.Protocol) // validated where rules come from
	}
	all := rule{is{protocol, octet(number)}}
	switch number {
	case numbers["tcp"], numbers["udp"]:
		switch {
		case r.FromPort == r.ToPort && r.FromPort >= 0:
			all = append(all, is{port, portOf(r.FromPort)})
		case r.FromPort > 0 || r.ToPort >= 0 && r.ToPort < 65535:
			all = append(all, between{port, portOf(max(r.FromPort, 0)), portOf(r.ToPort)})
		}
	case numbers["icmp"]:
		if r.FromPort >= 0 {
			all = append(all, is{icmpType, octet(r.FromPort)})
			if r.ToPort >= 0 {
				all = append(all, is{icmpCode, octet(r.ToPort)})
			}
		}
	}
	return all
}
