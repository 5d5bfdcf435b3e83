package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// createPair joins two places by a pair of devices, which are still off. What bore
// the far name goes; it cannot be of use without its other end.
func createPair(
	near *namespace,
	nearName string,
	far *namespace,
	farName string,
	mac net.HardwareAddr,
	mtu int,
) (nearEnd, farEnd netlink.Link, err error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = nearName, mtu
	pair := netlink.NewVeth(attrs)
	pair.PeerName, pair.PeerHardwareAddr, pair.PeerNamespace = farName, mac, netlink.NsFd(far.fd())
	err = near.netlink.LinkAdd(pair)
	if errors.Is(err, unix.EEXIST) {
		old, lookErr := far.netlink.LinkByName(farName)
		if lookErr != nil {
			return nil, nil, fmt.Errorf("make devices %s and %s: %w", nearName, farName, errors.Join(err, lookErr))
		}
		if err := far.removeDevice(old); err != nil {
			return nil, nil, err
		}
		err = near.netlink.LinkAdd(pair)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("make devices %s and %s: %w", nearName, farName, err)
	}
	if farEnd, err = far.netlink.LinkByName(farName); err != nil {
		return nil, nil, fmt.Errorf("find device %s: %w", farName, err)
	}
	return pair, farEnd, nil
}

// end is a device in its place.
type end struct {
	namespace *namespace
	link      netlink.Link
}

// setUpPair switches on both ends of a pair, and waits until the first sends.
func setUpPair(near, far end) error {
	for _, e := range []end{near, far} {
		if err := e.namespace.netlink.LinkSetUp(e.link); err != nil {
			return fmt.Errorf("switch on %s: %w", e.link.Attrs().Name, err)
		}
	}
	return near.namespace.waitUp(near.link)
}

// setUpLoopback switches on lo, and gives it.
func (p *namespace) setUpLoopback() (netlink.Link, error) {
	lo, err := p.netlink.LinkByName("lo")
	if err == nil {
		err = p.netlink.LinkSetUp(lo)
	}
	if err != nil {
		return nil, fmt.Errorf("switch on lo in %s: %w", p.path, err)
	}
	return lo, nil
}

// upTimeout is how long the kernel may take to see that a device has a far end.
const upTimeout = 200 * time.Millisecond

// waitUp waits until the device, whose far end came up after it, really sends.
// Until then the kernel drops packets, and a connection's first would be lost for
// a second. Asking for the device makes Linux 6.8 and later look at once.
func (p *namespace) waitUp(link netlink.Link) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(upTimeout); time.Now().Before(deadline); <-tick.C {
		now, err := p.netlink.LinkByIndex(link.Attrs().Index)
		if err != nil {
			return fmt.Errorf("look at device %s: %w", link.Attrs().Name, err)
		}
		if now.Attrs().OperState == netlink.OperUp {
			return nil
		}
	}
	return nil // it will in a moment; nothing but speed depends on it
}

// paired tells whether two devices are the ends of one pair.
func paired(near, far netlink.Link) bool {
	a, b := near.Attrs(), far.Attrs()
	return a.ParentIndex == b.Index && b.ParentIndex == a.Index
}

// removeDevice deletes a device, if it is still there.
func (p *namespace) removeDevice(link netlink.Link) error {
	if err := p.netlink.LinkDel(link); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove device %s: %w", link.Attrs().Name, err)
	}
	return nil
}

// deletionGroup is a group of devices (IFLA_GROUP) that are about to go.
const deletionGroup = 161

// removeDevices deletes devices together: the kernel waits for their last packets
// once, which takes ten milliseconds and more, and not once for each.
func (p *namespace) removeDevices(links []netlink.Link) error {
	if len(links) < 2 {
		for _, link := range links {
			return p.removeDevice(link)
		}
		return nil
	}
	for _, link := range links {
		if err := p.netlink.LinkSetGroup(link, deletionGroup); err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("remove device %s: %w", link.Attrs().Name, err)
		}
	}
	err := inNamespace(p.path, func() error {
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

// setAddresses gives the device exactly these addresses, each with its prefix.
// Loopback addresses are not touched.
func (p *namespace) setAddresses(link netlink.Link, wanted []netip.Prefix) error {
	present, err := p.netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
	}
	missing := map[netip.Prefix]bool{}
	for _, w := range wanted {
		missing[w] = true
	}
	for _, a := range present {
		prefix := prefixOf(a.IPNet)
		if missing[prefix] || prefix.Addr().IsLoopback() {
			delete(missing, prefix)
			continue
		}
		if err := p.netlink.AddrDel(link, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("remove address %s: %w", prefix, err)
		}
	}
	for _, w := range wanted {
		if !missing[w] {
			continue
		}
		delete(missing, w)
		if err := p.netlink.AddrReplace(link, &netlink.Addr{IPNet: ipNet(w)}); err != nil {
			return fmt.Errorf("add address %s to %s: %w", w, link.Attrs().Name, err)
		}
	}
	return nil
}
