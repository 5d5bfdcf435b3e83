//go:build linux

package firewall

import (
	"net/netip"
	"slices"
)

// Translator describes the namespace of a NAT gateway.
type Translator struct {
	Device  string         // towards the VPC's router
	CIDRs   []netip.Prefix // of the VPC
	Sources []netip.Addr   // of what leaves: each flow has one of them
}

// Ruleset returns the translator's table. New flows pass from the VPC to the outside and
// not the reverse, and leave with one of the addresses Sources and a free port. As on AWS, the
// protocols are TCP, UDP and ICMP (Amazon VPC User Guide, NAT gateway basics). Nothing
// reaches the namespace itself.
func (t Translator) Ruleset(table string) Ruleset {
	forward := chain{name: "forward", hook: forwardFilter, dropByDefault: true, rules: []rule{
		{established, accept}, {invalid, drop},
	}}
	outward := chain{name: "outward", hook: postroutingNAT}
	for _, block := range t.CIDRs {
		fromVPC := rule{inPrefix{source, block, false}}
		leaves := slices.Concat(fromVPC, outside(t.CIDRs, destination))
		for _, name := range []string{"icmp", "tcp", "udp"} {
			is := equals{protocol, byteValue(protocolNumbers[name])}
			forward.rules = append(forward.rules, slices.Concat(leaves, rule{is, accept}))
		}
		for n, address := range t.Sources {
			outward.rules = append(outward.rules, slices.Concat(
				rule{equals{outDevice, deviceValue(t.Device)}}, fromVPC, share(n, len(t.Sources)),
				rule{snatTo{address}},
			))
		}
	}
	return Ruleset{Table: table, chains: []chain{
		{name: "services", hook: inputFilter, dropByDefault: true}, forward, outward,
	}}
}

// share matches the nth of so many shares of the flows, among those that earlier rules leave: the
// kernel gives the hash of each rule a seed of its own.
func share(n, of int) rule {
	if n == of-1 {
		return nil
	}
	return rule{inFirstSlot{[]field{source, destination, ports}, uint32(of - n)}}
}
