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
		if err := n.netlink.AddrReplace(link, newAddress(d)); err != nil {
			return fmt.Errorf("add address %s to %s: %w", d, link.Attrs().Name, err)
		}
	}
	return nil
}

func isLinkLocal6(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

// newAddress returns the kernel's form of an address. One of IPv6 can be used at once: the router
// has seen to it that no other device on the link has it.
func newAddress(p netip.Prefix) *netlink.Addr {
	address := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		address.Flags = unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE
	}
	return address
}

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
