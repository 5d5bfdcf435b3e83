//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// setAddresses makes desired the addresses of the device, each with its prefix length.
// It leaves alone loopback addresses and those that the kernel gives each device for IPv6.
func (n *namespace) setAddresses(link netlink.Link, desired []netip.Prefix) error {
	present, err := n.netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
	}
	missing := map[netip.Prefix]bool{}
	for _, d := range desired {
		missing[d] = true
	}
	for _, a := range present {
		prefix := prefixOf(a.IPNet)
		if missing[prefix] || prefix.Addr().IsLoopback() || isLinkLocal6(prefix.Addr()) {
			delete(missing, prefix)
			continue
		}
		if err := n.netlink.AddrDel(link, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("remove address %s: %w", prefix, err)
		}
	}
	for _, d := range desired {
		if !missing[d] {
			continue
		}
		delete(missing, d)
		if err := n.addAddress(link, d); err != nil {
			return err
		}
	}
	return nil
}

// addAddress adds an address to a device. It can be used when addAddress returns: the router has
// seen to it that no other device on the link has it.
func (n *namespace) addAddress(link netlink.Link, p netip.Prefix) error {
	address := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		address.Flags = unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE
	}
	if err := n.netlink.AddrReplace(link, address); err != nil {
		return fmt.Errorf("add address %s to %s: %w", p, link.Attrs().Name, err)
	}
	if p.Addr().Is6() {
		return n.awaitLocal(p.Addr())
	}
	return nil
}

// awaitLocal waits until the kernel takes packets to an IPv6 address for its own, which it does a
// little after the address is added. Until then a connection's first packet would be lost for a
// second.
func (n *namespace) awaitLocal(a netip.Addr) error {
	local := &netlink.Route{Table: unix.RT_TABLE_LOCAL, Dst: ipNet(hostPrefix(a))}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(upTimeout); time.Now().Before(deadline); <-tick.C {
		found, err := n.netlink.RouteListFiltered(
			netlink.FAMILY_V6, local, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_DST,
		)
		if err != nil {
			return fmt.Errorf("await address %s: %w", a, err)
		}
		if len(found) > 0 {
			return nil
		}
	}
	return nil // it will be there in a moment; only latency depends on it
}

func isLinkLocal6(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

// familyOf returns the kernel's number of the family of an address.
func familyOf(a netip.Addr) int {
	if a.Is6() {
		return netlink.FAMILY_V6
	}
	return netlink.FAMILY_V4
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefixOf converts a prefix without masking its address. Netlink's nil stands for the
// default route of IPv4.
func prefixOf(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	addr, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), bits)
}

// hostPrefix returns the prefix that contains only the address.
func hostPrefix(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
