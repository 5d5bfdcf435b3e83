//go:build linux

package firewall

import "net/netip"

// ClientMark is the mark of packets that the namespace of a Network Load Balancer's node keeps,
// whatever their destination: replies to connections that a process of the node has made with
// the address of a client. It is the conntrack mark of these connections too.
const ClientMark = 2

// terminated returns the rules that admit clients to the process.
func (b Balancer) terminated() []rule {
	toNode := b.toNode()
	tcp := equals{protocol, byteValue(protocolNumbers["tcp"])}
	var rules []rule
	for _, s := range b.Services {
		if s.Terminates {
			rules = append(rules, rule{toNode, tcp, equals{port, portValue(int(s.Port))}, accept})
		}
	}
	return rules
}

// impersonation returns the chains that mark connections which the process makes with the address
// of a client, and the replies to them.
func (b Balancer) impersonation() []chain {
	if len(b.terminated()) == 0 {
		return nil
	}
	foreign := inPrefix{FamilyOf(b.Address).source(), netip.PrefixFrom(b.Address, b.Address.BitLen()), true}
	return []chain{
		{name: "impersonate", hook: outputMark, rules: []rule{{isNew, foreign, markConnection(ClientMark)}}},
		{name: "keep", hook: preroutingMark, rules: []rule{
			{reply, hasConnectionMark(ClientMark), markAsConnection{}},
		}},
	}
}
