package firewall

import "net/netip"

// Edge is what the edge, the local internet, must know.
type Edge struct {
	Host     string         // device towards the host
	Public   netip.Prefix   // range of public addresses
	Proxies  netip.Addr     // address at which machines find the host's proxies
	Listener netip.AddrPort // where connections to the outside are taken up
	VPCs     []netip.Prefix // ranges that nothing may leave for
}

// Ruleset gives the edge's table: connections between public addresses pass,
// TCP to the world goes to the listener, everything else is dropped. The host
// can reach machines and not the reverse.
func (e Edge) Ruleset(table string) Ruleset {
	host, tcp := equals{inDevice, deviceValue(e.Host)}, equals{protocol, byteValue(6)}
	sanitize := chain{name: "sanitize", hook: "prerouting", chainType: "filter", prio: priorityRaw, rules: []rule{{host, accept}}}
	for _, vpc := range e.VPCs {
		sanitize.rules = append(sanitize.rules, rule{inPrefix{destination, vpc, false}, drop})
	}
	return Ruleset{Table: table, chains: []chain{
		sanitize,
		{name: "outside", hook: "prerouting", chainType: "nat", prio: priorityDstNAT, rules: []rule{
			{host, accept},
			{equals{destination, addressValue(e.Proxies)}, tcp, dnatTo{e.Listener}},
			{inPrefix{destination, e.Public, false}, accept},
			{tcp, dnatTo{e.Listener}},
		}},
		{name: "listener", hook: "input", chainType: "filter", prio: priorityFilter, dropByDefault: true, rules: []rule{
			{redirected, accept},
		}},
		{name: "forward", hook: "forward", chainType: "filter", prio: priorityFilter, dropByDefault: true, rules: []rule{
			{established, accept},
			{equals{outDevice, deviceValue(e.Host)}, drop},
			{inPrefix{destination, e.Public, false}, accept},
		}},
	}}
}
