package stack

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// AllProtocols is the Protocol of a rule for all traffic.
const AllProtocols = "all"

// Rule allows one kind of traffic from or to one peer. The peer is the one of
// CIDR, GroupID, PrefixListID and Group that is set. Rules are comparable.
type Rule struct {
	Protocol string // "tcp", "udp", "icmp" or AllProtocols
	// First and Last are the range of ports, or the type and code of ICMP, where -1
	// means any. They are zero if Protocol is AllProtocols.
	First, Last int32
	Egress      bool // a rule for packets that leave

	CIDR         string // IPv4 or IPv6
	GroupID      string // "sg-…"
	PrefixListID string // "pl-…"
	Group        Ref    // a security group of the stack
}

// AllOutbound allows all outbound traffic.
var AllOutbound = Rule{Protocol: AllProtocols, Egress: true, CIDR: "0.0.0.0/0"}

// TCPFrom returns a rule that allows inbound TCP to one port from a CIDR block.
func TCPFrom(port int, source netip.Prefix) Rule {
	return Rule{Protocol: "tcp", First: int32(port), Last: int32(port), CIDR: source.String()}
}

// Term returns the rule as a value of an attribute.
func (r Rule) Term() Term {
	head, preposition := r.Protocol, "from"
	if r.Egress {
		preposition = "to"
	}
	if r.Protocol != AllProtocols {
		head += fmt.Sprintf(" %d", r.First)
		if r.Last != r.First {
			head += fmt.Sprintf("-%d", r.Last)
		}
	}
	peer := cmp.Or(r.CIDR, r.GroupID, r.PrefixListID)
	return Term{Text: head + " " + preposition + " " + peer, Ref: r.Group}
}

// String returns the rule in the form "tcp 22 from 192.0.2.0/24" or
// "all to 0.0.0.0/0".
func (r Rule) String() string { return r.Term().String() }

// ruleTerms returns rules as values of an attribute.
func ruleTerms(rules []Rule) []Term {
	var terms []Term
	for _, r := range rules {
		terms = append(terms, r.Term())
	}
	return terms
}

// tcpFromAll returns a rule for each source, without duplicates.
func tcpFromAll(port int, sources []netip.Prefix) []Rule {
	var rules []Rule
	for _, source := range sources {
		if rule := TCPFrom(port, source); !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return rules
}
