//go:build linux

package firewall

import "net/netip"

// Edge describes the edge, the namespace that stands in for the internet.
type Edge struct {
	Family     Family
	Host       string         // device towards the host
	Public     netip.Prefix   // range of public addresses
	Proxies    netip.Addr     // address at which machines reach the host's proxies; zero: none
	Listener   netip.AddrPort // of the proxy for connections to the outside
	VPCs       []netip.Prefix // private ranges; packets to them are dropped
	Translated netip.Prefix   // of addresses that stand for those of the other family; zero: none
	Refuse     bool           // TCP to the outside, because the host has no way there, except to Translated
	Flows      uint32         // most open flows that each public address began; 0: no limit
}

// Ruleset returns the edge's table. Connections between public addresses pass, TCP to
// other addresses is redirected to Listener, and everything else is dropped. The host
// can open connections to machines but not the reverse.
func (e Edge) Ruleset(table string) Ruleset {
	source, destination := e.Family.source(), e.Family.destination()
	fromHost, tcp := equals{inDevice, deviceValue(e.Host)}, equals{protocol, byteValue(6)}
	toPublic, redirect := inPrefix{destination, e.Public, false}, dnatTo{e.Listener}
	sanitize := chain{name: "sanitize", hook: preroutingRaw, rules: []rule{{fromHost, accept}}}
	for _, vpc := range e.VPCs {
		sanitize.rules = append(sanitize.rules, rule{inPrefix{destination, vpc, false}, drop})
	}
	toTranslated := inPrefix{destination, e.Translated, false}
	if e.Refuse {
		// Machines learn at once to use the other family. Linux overlooks that the network is
		// unreachable while it still sends a connection's first packet, and tries again after a second.
		refused := append(outside([]netip.Prefix{e.Public, e.Translated}, destination), tcp, resetTCP{})
		sanitize.rules = append(sanitize.rules, refused)
	}
	redirecting := chain{name: "outside", hook: preroutingNAT, rules: []rule{{fromHost, accept}}}
	if e.Proxies.IsValid() {
		redirecting.rules = append(redirecting.rules, rule{equals{destination, addressValue(e.Proxies)}, tcp, redirect})
	}
	redirecting.rules = append(redirecting.rules, rule{toPublic, accept})
	if e.Refuse {
		redirecting.rules = append(redirecting.rules, rule{toTranslated, tcp, redirect})
	} else {
		redirecting.rules = append(redirecting.rules, rule{tcp, redirect})
	}
	var sets []set
	var limit []rule
	if e.Flows > 0 {
		sets, limit = []set{flowSet(source)}, []rule{{isNew, flowsOver{source, e.Flows}, drop}}
	}
	listener := chain{name: "listener", hook: inputFilter, dropByDefault: true}
	listener.rules = append(limit[:len(limit):len(limit)], rule{redirected, accept})
	if e.Family == IPv6 {
		listener.rules = append(listener.rules, neighborDiscovery())
	}
	forward := chain{name: "forward", hook: forwardFilter, dropByDefault: true, rules: []rule{
		{established, accept},
		{equals{outDevice, deviceValue(e.Host)}, drop},
		{fromHost, toPublic, accept},
	}}
	forward.rules = append(append(forward.rules, limit...), rule{toPublic, accept})
	chains := []chain{sanitize, redirecting, listener, forward}
	return Ruleset{Table: table, Family: e.Family, sets: sets, chains: chains}
}
