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
	host, tcp := is{inDevice, device(e.Host)}, is{protocol, octet(6)}
	sanitize := chain{name: "sanitize", hook: "prerouting", kind: "filter", prio: raw, rules: []rule{{host, accept}}}
	for _, vpc := range e.VPCs {
		sanitize.rules = append(sanitize.rules, rule{inRange{destination, vpc, false}, drop})
	}
	return Ruleset{Table: table, chains: []chain{
		sanitize,
		{name: "outside", hook: "prerouting", kind: "nat", prio: dstnat, rules: []rule{
			{host, accept},
			{is{destination, address(e.Proxies)}, tcp, redirect{e.Listener}},
			{inRange{destination, e.Public, false}, accept},
			{tcp, redirect{e.Listener}},
		}},
		{name: "listener", hook: "input", kind: "filter", prio: filter, drop: true, rules: []rule{
			{redirected, accept},
		}},
		{name: "forward", hook: "forward", kind: "filter", prio: filter, drop: true, rules: []rule{
			{established, accept},
			{is{outDevice, device(e.Host)}, drop},
			{inRange{destination, e.Public, false}, accept},
		}},
	}}
}
