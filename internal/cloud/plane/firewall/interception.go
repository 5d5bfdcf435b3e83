//go:build linux

package firewall

import (
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A route of the internet gateway can lead what comes from the internet to an interface that passes
// it on. The packets of such a flow pass the router twice, and conntrack has one entry for them: it
// would take the second passage of a flow that it translates for another flow. Addresses of
// intercepted interfaces are therefore translated packet by packet, before conntrack sees what
// arrives and after it has seen what leaves. IPv6 addresses are not translated at all.

// intercepts reports whether there are addresses that are translated packet by packet.
func (r Router) intercepts() bool { return len(r.interceptedSets()) > 0 }

// interceptedSets returns the maps between private and public addresses of intercepted interfaces,
// if there are any.
func (r Router) interceptedSets() []set {
	arriving := set{name: "arriving", key: []field{destination}, value: &destination}
	leaving := set{name: "leaving", key: []field{source}, value: &source}
	for _, i := range r.Interfaces {
		for _, a := range i.addresses() {
			if i.Intercepted && a.Public.IsValid() {
				arriving.add(element{key: []value{addressValue(a.Public)}, value: addressValue(a.Private)})
				leaving.add(element{key: []value{addressValue(a.Private)}, value: addressValue(a.Public)})
			}
		}
	}
	if r.Family == IPv6 || len(arriving.elements) == 0 {
		return nil
	}
	return []set{arriving, leaving}
}

// arrive returns the rules for what comes from the internet: a mark that selects the gateway's
// routes, and private addresses.
func (r Router) arrive() (rules []rule) {
	from := equals{inDevice, deviceValue(r.Uplink)}
	if r.UplinkMark != 0 {
		rules = append(rules, rule{from, setMark{inDevice, "subnets"}})
	}
	if r.intercepts() {
		rules = append(rules, rule{from, rewrite{destination, "arriving"}})
	}
	return rules
}

// leave returns the rule that gives what leaves to the internet public addresses.
func (r Router) leave() []rule {
	if !r.intercepts() {
		return nil
	}
	return []rule{{equals{outDevice, deviceValue(r.Uplink)}, rewrite{source, "leaving"}}}
}

// rewrite writes the map's value for an IPv4 address of the packet into its place, and corrects the
// checksums.
type rewrite struct {
	address field
	set     string
}

func (w rewrite) text() string {
	return w.address.text + " set " + w.address.text + " map @" + w.set
}

func (w rewrite) exprs() []expr.Any {
	const headerChecksum = 10 // offset (RFC 791)
	offset := map[string]uint32{source.text: 12, destination.text: 16}[w.address.text]
	return []expr.Any{
		w.address.load(register1),
		&expr.Lookup{SourceRegister: register1, SetName: w.set, IsDestRegSet: true, DestRegister: register1},
		&expr.Payload{
			OperationType: expr.PayloadWrite, SourceRegister: register1, Base: network, Offset: offset, Len: 4,
			CsumType: expr.CsumTypeInet, CsumOffset: headerChecksum, CsumFlags: unix.NFT_PAYLOAD_L4CSUM_PSEUDOHDR,
		},
	}
}
