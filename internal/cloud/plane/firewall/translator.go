//go:build linux

package firewall

import "net/netip"

// Translator describes the namespace of a NAT gateway.
type Translator struct {
	Device  string       // towards the VPC's router
	CIDR    netip.Prefix // of the VPC
	Private netip.Addr   // source of what leaves
}

// Ruleset returns the translator's table. New flows pass from the VPC to the outside and
// not the reverse, and leave with the address Private and a free port. As on AWS, the
// protocols are TCP, UDP and ICMP (Amazon VPC User Guide, NAT gateway basics). Nothing
// reaches the namespace itself.
func (t Translator) Ruleset(table string) Ruleset {
	fromVPC, toOutside := inPrefix{source, t.CIDR, false}, inPrefix{destination, t.CIDR, true}
	forward := chain{name: "forward", hook: forwardFilter, dropByDefault: true, rules: []rule{
		{established, accept}, {invalid, drop},
	}}
	for _, name := range []string{"icmp", "tcp", "udp"} {
		is := equals{protocol, byteValue(protocolNumbers[name])}
		forward.rules = append(forward.rules, rule{fromVPC, toOutside, is, accept})
	}
	return Ruleset{Table: table, chains: []chain{
		{name: "services", hook: inputFilter, dropByDefault: true},
		forward,
		{name: "outward", hook: postroutingNAT, rules: []rule{
			{equals{outDevice, deviceValue(t.Device)}, fromVPC, snatTo{t.Private}},
		}},
	}}
}
