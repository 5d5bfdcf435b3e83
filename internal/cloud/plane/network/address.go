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
// It leaves loopback addresses alone.
func (n *namespace) setAddresses(link netlink.Link, desired []netip.Prefix) error {
	present, err := n.netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
	}
	missing := map[netip.Prefix]bool{}
	for _, d := range desired {
		missing[d] = true
	}
	for _, a := range present {
		prefix := prefixOf(a.IPNet)
		if missing[prefix] || prefix.Addr().IsLoopback() {
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
		if err := n.netlink.AddrReplace(link, &netlink.Addr{IPNet: ipNet(d)}); err != nil {
			return fmt.Errorf("add address %s to %s: %w", d, link.Attrs().Name, err)
		}
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefixOf converts a prefix without masking its address. Netlink's nil stands for the
// default route.
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
