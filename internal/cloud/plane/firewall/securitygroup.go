//go:build linux

package firewall

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
)

// SecurityGroup is a stateful filter around network interfaces. It drops what no rule
// allows. As on AWS, removing a rule ends no flow that the rule allowed; new flows are
// dropped (Amazon EC2 User Guide, Security group connection tracking).
type SecurityGroup struct {
	ID              string
	Ingress, Egress []Rule
}

// Rule allows one protocol from or to a CIDR, or from or to the members of a security
// group.
type Rule struct {
	Protocol string // "-1" (all), "tcp", "udp", "icmp", "icmpv6" or an IANA protocol number

	// FromPort and ToPort are the range of destination ports of tcp and udp. For icmp and
	// icmpv6 they are the type and the code, -1 for any. Other protocols ignore them.
	FromPort, ToPort int

	CIDR          netip.Prefix // zero when SecurityGroup is set
	SecurityGroup string       // ID; matches its members' private addresses
}

// securityGroupChains returns an egress and an ingress chain for each security group.
func (r Router) securityGroupChains() []chain {
	var all []chain
	for _, g := range r.SecurityGroups {
		egress, ingress := chain{name: "egress-" + g.ID}, chain{name: "ingress-" + g.ID}
		for _, allowed := range g.Egress {
			egress.rules = allowed.appendTo(egress.rules, r.Family.destination(), goTo("receive"))
		}
		for _, allowed := range g.Ingress {
			ingress.rules = allowed.appendTo(ingress.rules, r.Family.source(), accept)
			if allowed.SecurityGroup != "" && r.balances(allowed.SecurityGroup) {
				ingress.rules = append(ingress.rules, allowed.fromBalancers())
			}
		}
		all = append(all, egress, ingress)
	}
	return all
}

// interfaceChains returns a chain for what each interface sends and one for what it
// receives. They try the chains of the interface's security groups and then drop.
func (r Router) interfaceChains() []chain {
	known := map[string]bool{}
	for _, g := range r.SecurityGroups {
		known[g.ID] = true
	}
	var all []chain
	for _, i := range r.Interfaces {
		from, to := chain{name: senderChain(i.ID)}, chain{name: receiverChain(i.ID)}
		for _, id := range i.SecurityGroups {
			if known[id] {
				from.rules = append(from.rules, rule{jumpTo("egress-" + id)})
				to.rules = append(to.rules, rule{jumpTo("ingress-" + id)})
			}
		}
		if i.Translates {
			from.rules = append(from.rules, rule{equals{outDevice, deviceValue(r.Uplink)}, accept})
		}
		if i.Unfiltered {
			from.rules, to.rules = append(from.rules, rule{goTo("receive")}), append(to.rules, rule{accept})
		}
		from.rules = append(from.rules, r.refuse(refusedBySender))
		to.rules = append(to.rules, r.refuse(refusedByReceiver))
		all = append(all, from, to)
	}
	return all
}

// referencedGroups returns the IDs of the security groups that rules refer to, sorted.
func (r Router) referencedGroups() []string {
	referenced := map[string]bool{}
	for _, g := range r.SecurityGroups {
		for _, rule := range slices.Concat(g.Ingress, g.Egress) {
			if rule.SecurityGroup != "" {
				referenced[rule.SecurityGroup] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(referenced))
}

// memberSets returns a set of the members' addresses for each security group that a
// rule refers to.
func (r Router) memberSets() []set {
	referenced := r.referencedGroups()
	all := make([]set, 0, len(referenced))
	for _, id := range referenced {
		members := set{name: "members-" + id, key: []field{r.Family.source()}}
		for _, m := range r.Members {
			if FamilyOf(m.Private) == r.Family && slices.Contains(m.SecurityGroups, id) {
				members.elements = append(members.elements, element{key: []value{addressValue(m.Private)}})
			}
		}
		all = append(all, members)
	}
	return all
}

// protocolNumbers are the numbers of protocols with names (IANA, Protocol Numbers).
var protocolNumbers = map[string]int{"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}

// appendTo appends the rule, which ends with then, to rules. peer is the field that the rule
// restricts. It leaves out rules for addresses of the other family, which match nothing.
func (r Rule) appendTo(rules []rule, peer field, then ...statement) []rule {
	var statements rule
	switch {
	case r.SecurityGroup != "":
		statements = append(statements, inSet{[]field{peer}, "members-" + r.SecurityGroup, false})
	case !peer.holds(r.CIDR.Addr()):
		return rules
	case r.CIDR.Bits() > 0:
		statements = append(statements, inPrefix{peer, r.CIDR, false})
	}
	return append(rules, append(append(statements, r.matchProtocol()...), then...))
}

// matchProtocol matches the rule's protocol and its ports, or its ICMP type and code.
func (r Rule) matchProtocol() rule {
	if r.Protocol == "-1" || r.Protocol == "" {
		return nil
	}
	number, named := protocolNumbers[r.Protocol]
	if !named {
		number, _ = strconv.Atoi(r.Protocol) // the API has validated it
	}
	statements := rule{equals{protocol, byteValue(number)}}
	switch number {
	case protocolNumbers["tcp"], protocolNumbers["udp"]:
		switch {
		case r.FromPort == r.ToPort && r.FromPort >= 0:
			statements = append(statements, equals{port, portValue(r.FromPort)})
		case r.FromPort > 0 || r.ToPort >= 0 && r.ToPort < 65535:
			statements = append(statements, inInterval{port, portValue(max(r.FromPort, 0)), portValue(r.ToPort)})
		}
	case protocolNumbers["icmp"], protocolNumbers["icmpv6"]:
		if r.FromPort >= 0 {
			statements = append(statements, equals{icmpType, byteValue(r.FromPort)})
			if r.ToPort >= 0 {
				statements = append(statements, equals{icmpCode, byteValue(r.ToPort)})
			}
		}
	}
	return statements
}
