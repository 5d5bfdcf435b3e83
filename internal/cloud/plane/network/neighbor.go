//go:build linux

package network

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// keepNeighbor records which device has an address, on the device at the other end, for
// good. All namespaces of the host share one table of neighbours, in which the kernel makes
// room when it is full (arp(7), gc_thresh3). It leaves permanent entries alone, so a machine
// that fills the table does not cut off those that need no others.
func keepNeighbor(at end, addr netip.Addr, has netlink.Link) error {
	err := at.namespace.netlink.NeighSet(&netlink.Neigh{
		LinkIndex: at.link.Attrs().Index, Family: familyOf(addr), State: netlink.NUD_PERMANENT,
		IP: addr.AsSlice(), HardwareAddr: has.Attrs().HardwareAddr,
	})
	if err != nil {
		return fmt.Errorf("keep the neighbour %s: %w", addr, err)
	}
	return nil
}
