//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// detachStale deletes the devices of interfaces and peers that are no longer desired, or
// desired in another namespace, and the tracked flows of addresses that moved.
func (r *router) detachStale(vpc VPC, desired map[string]attachment, present map[string]netlink.Link) error {
	moved := map[netip.Addr]bool{}
	stale := r.forgetStale(desired, present, moved)
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
	problems := r.removeDevices(stale)
	if len(moved) > 0 {
		_, err := r.netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, flowsWith(moved))
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("delete tracked flows: %w", err))
		}
	}
	return problems
}

// forgetStale drops attachments that differ from the desired ones and returns their
// devices, which it deletes from present. It adds addresses that moved to moved.
func (r *router) forgetStale(
	desired map[string]attachment, present map[string]netlink.Link, moved map[netip.Addr]bool,
) (stale []netlink.Link) {
	for id, observed := range r.attached {
		want, ok := desired[id]
		if !ok || want.private != observed.private || want.public != observed.public {
			moved[observed.private] = true
		}
		link := present[observed.device]
		if link != nil && ok && want.namespaceID == observed.namespaceID && want.private == observed.private &&
			link.Attrs().Index == observed.index {
			observed.public = want.public
			r.attached[id] = observed
			continue
		}
		delete(r.attached, id)
		if link != nil {
			stale = append(stale, link)
			delete(present, observed.device)
		}
	}
	return stale
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
