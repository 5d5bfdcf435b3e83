//go:build linux

package firewall

import "net/netip"

// Edge describes the edge, the namespace that stands in for the internet.
type Edge struct {
	Family   Family
	Host     string         // device towards the host
	Public   netip.Prefix   // range of public addresses
	Proxies  netip.Addr     // address at which machines reach the host's proxies; zero: none
	Listener netip.AddrPort // of the proxy for connections to the outside; zero: they are refused
	VPCs     []netip.Prefix // private ranges; packets to them are dropped
	Flows    uint32         // most open flows that each public address began; 0: no limit
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
	if !e.Listener.IsValid() {
		// Machines learn at once to use the other family. Linux overlooks that the network is
		// unreachable while it still sends a connection's first packet, and tries again after a second.
		sanitize.rules = append(sanitize.rules, rule{inPrefix{destination, e.Public, true}, tcp, resetTCP{}})
	}
	outside := chain{name: "outside", hook: preroutingNAT, rules: []rule{{fromHost, accept}}}
	if e.Proxies.IsValid() {
		outside.rules = append(outside.rules, rule{equals{destination, addressValue(e.Proxies)}, tcp, redirect})
	}
	outside.rules = append(outside.rules, rule{toPublic, accept})
	if e.Listener.IsValid() {
		outside.rules = append(outside.rules, rule{tcp, redirect})
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
	return Ruleset{Table: table, Family: e.Family, sets: sets, chains: []chain{sanitize, outside, listener, forward}}
}
