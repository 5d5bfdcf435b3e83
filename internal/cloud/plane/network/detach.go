//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
)

// detachStale deletes the devices of interfaces and peers that are no longer desired, or
// desired in another namespace, and the tracked flows of addresses that moved.
func (r *router) detachStale(vpc VPC, desired map[string]attachment, present map[string]netlink.Link) error {
	moved := map[netip.Addr]bool{}
	stale, problems := r.forgetStale(desired, present, moved)
	devices := make(map[string]bool, len(desired))
	for _, a := range desired {
		devices[a.device] = true
	}
	for _, peer := range vpc.Peers {
		devices[peerDevice(peer.ID)] = true
	}
	for name, link := range present {
		if link.Type() == "veth" && name != uplink && !devices[name] {
			stale = append(stale, link)
			delete(present, name)
		}
	}
	problems = errors.Join(problems, r.removeDevices(stale))
	if len(moved) > 0 {
		for _, family := range r.families() {
			family := netlink.InetFamily(family)
			_, err := r.netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, flowsWith(moved))
			if err != nil {
				problems = errors.Join(problems, fmt.Errorf("delete tracked flows: %w", err))
			}
		}
	}
	return problems
}

// forgetStale drops attachments that differ from the desired ones and returns their
// devices, which it deletes from present, unless a device can be attached again. It adds
// addresses that moved to moved.
func (r *router) forgetStale(
	desired map[string]attachment, present map[string]netlink.Link, moved map[netip.Addr]bool,
) (stale []netlink.Link, problems error) {
	for id, observed := range r.attached {
		want, ok := desired[id]
		for _, address := range observed.addresses {
			if !slices.Contains(want.addresses, address) {
				moved[address.Private] = true
			}
		}
		for _, address := range observed.ipv6 {
			if !slices.Contains(want.ipv6, address) || want.public6 != observed.public6 {
				moved[address] = true
			}
		}
		link := present[observed.device]
		if link != nil && ok && want.namespaceID == observed.namespaceID && want.number == observed.number &&
			want.private().Private == observed.private().Private && link.Attrs().Index == observed.index {
			want.index = observed.index
			r.attached[id] = want
			if !want.samePrivate(observed) {
				delete(r.attached, id)
			}
			continue
		}
		delete(r.attached, id)
		problems = errors.Join(problems, observed.forgetMachine())
		if link != nil {
			stale = append(stale, link)
			delete(present, observed.device)
		}
	}
	return stale, problems
}

// flowsWith matches flows from and to private addresses.
type flowsWith map[netip.Addr]bool

var _ netlink.CustomConntrackFilter = flowsWith(nil)

// MatchConntrackFlow reports whether the flow starts or ends at one of the addresses.
func (f flowsWith) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	for _, ip := range []net.IP{flow.Forward.SrcIP, flow.Forward.DstIP, flow.Reverse.SrcIP, flow.Reverse.DstIP} {
		if addr, ok := netip.AddrFromSlice(ip); ok && f[addr.Unmap()] {
			return true
		}
	}
	return false
}
