//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// end is one end of a veth pair.
type end struct {
	namespace *namespace
	link      netlink.Link
}

// createPair creates a veth pair between two namespaces; both ends are still down. It
// replaces a device that has the far name: without its other end it is useless.
func createPair(
	near *namespace, nearName string, far *namespace, farName string, mac net.HardwareAddr, mtu int,
) (nearEnd, farEnd netlink.Link, err error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = nearName, mtu
	pair := netlink.NewVeth(attrs)
	pair.PeerName, pair.PeerHardwareAddr, pair.PeerNamespace = farName, mac, netlink.NsFd(far.fd())
	err = near.netlink.LinkAdd(pair)
	if errors.Is(err, unix.EEXIST) {
		old, findErr := far.netlink.LinkByName(farName)
		if findErr != nil {
			return nil, nil, fmt.Errorf("create devices %s and %s: %w", nearName, farName, errors.Join(err, findErr))
		}
		if err := far.removeDevice(old); err != nil {
			return nil, nil, err
		}
		err = near.netlink.LinkAdd(pair)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("create devices %s and %s: %w", nearName, farName, err)
	}
	if nearEnd, err = near.netlink.LinkByName(nearName); err != nil { // with its hardware address
		return nil, nil, fmt.Errorf("find device %s: %w", nearName, err)
	}
	if farEnd, err = far.netlink.LinkByName(farName); err != nil {
		return nil, nil, fmt.Errorf("find device %s: %w", farName, err)
	}
	return nearEnd, farEnd, nil
}

// paired reports whether two devices are the ends of one veth pair.
func paired(near, far netlink.Link) bool {
	a, b := near.Attrs(), far.Attrs()
	return a.ParentIndex == b.Index && b.ParentIndex == a.Index
}

// setUpPair sets both ends up and waits until they transmit.
func setUpPair(near, far end) error {
	for _, e := range []end{near, far} {
		if err := e.namespace.netlink.LinkSetUp(e.link); err != nil {
			return fmt.Errorf("set %s up: %w", e.link.Attrs().Name, err)
		}
	}
	return errors.Join(near.namespace.waitUp(near.link), far.namespace.waitUp(far.link))
}

// setUpLoopback sets lo up and returns it.
func (n *namespace) setUpLoopback() (netlink.Link, error) {
	lo, err := n.netlink.LinkByName("lo")
	if err == nil {
		err = n.netlink.LinkSetUp(lo)
	}
	if err != nil {
		return nil, fmt.Errorf("set lo up in %s: %w", n.path, err)
	}
	return lo, nil
}

// waitUp waits until the device, whose peer came up after it, transmits. Until then
// the kernel drops packets, and a connection's first packet would be lost for a
// second. Querying the device makes Linux 6.8 and later update its state at once.
func (n *namespace) waitUp(link netlink.Link) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(upTimeout); time.Now().Before(deadline); <-tick.C {
		now, err := n.netlink.LinkByIndex(link.Attrs().Index)
		if err != nil {
			return fmt.Errorf("query device %s: %w", link.Attrs().Name, err)
		}
		if now.Attrs().OperState == netlink.OperUp {
			return nil
		}
	}
	return nil // it will be up in a moment; only latency depends on it
}

// removeDevice deletes a device if it still exists.
func (n *namespace) removeDevice(link netlink.Link) error {
	if err := n.netlink.LinkDel(link); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove device %s: %w", link.Attrs().Name, err)
	}
	return nil
}

// deletionGroup is the device group (IFLA_GROUP) of devices about to be deleted.
const deletionGroup = 161

// removeDevices deletes devices in one request. The kernel then waits for their last
// packets, which takes ten milliseconds and more, once and not for each device.
func (n *namespace) removeDevices(links []netlink.Link) error {
	if len(links) < 2 {
		for _, link := range links {
			return n.removeDevice(link)
		}
		return nil
	}
	for _, link := range links {
		if err := n.netlink.LinkSetGroup(link, deletionGroup); err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("remove device %s: %w", link.Attrs().Name, err)
		}
	}
	err := inNamespace(n.path, func() error {
		request := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
		request.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
		request.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(deletionGroup)))
		_, err := request.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove %d devices: %w", len(links), err)
	}
	return nil
}
