package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// detachStale removes the devices of interfaces that are not wanted, or wanted in
// another namespace, and forgets the flows of addresses that moved.
func (r *router) detachStale(wanted map[string]attachment, present map[string]netlink.Link) error {
	moved := map[netip.Addr]bool{}
	stale := r.forgetStale(wanted, present, moved)
	devices := make(map[string]bool, len(wanted))
	for _, w := range wanted {
		devices[w.device] = true
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
			problems = errors.Join(problems, fmt.Errorf("forget flows: %w", err))
		}
	}
	return problems
}

// forgetStale drops the wires that are not as wanted, and returns their devices,
// which are present no more. Addresses that moved are added to moved.
func (r *router) forgetStale(
	wanted map[string]attachment,
	present map[string]netlink.Link,
	moved map[netip.Addr]bool,
) (stale []netlink.Link) {
	for id, have := range r.attached {
		w, ok := wanted[id]
		if !ok || w.private != have.private || w.public != have.public {
			moved[have.private] = true
		}
		link := present[have.device]
		if link != nil && ok && w.namespaceID == have.namespaceID && w.private == have.private && link.Attrs().Index == have.index {
			have.public = w.public
			r.attached[id] = have
			continue
		}
		delete(r.attached, id)
		if link != nil {
			stale = append(stale, link)
			delete(present, have.device)
		}
	}
	return stale
}

// flowsWith matches the flows from and to private addresses.
type flowsWith map[netip.Addr]bool

// MatchConntrackFlow tells whether one of the addresses is an end of the flow.
func (f flowsWith) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	for _, ip := range []net.IP{flow.Forward.SrcIP, flow.Forward.DstIP, flow.Reverse.SrcIP, flow.Reverse.DstIP} {
		if addr, ok := netip.AddrFromSlice(ip); ok && f[addr.Unmap()] {
			return true
		}
	}
	return false
}

// attachAll wires each wanted interface that is not, or takes over the wire that
// a former process made.
func (r *router) attachAll(vpc VPC, wanted map[string]attachment, present map[string]netlink.Link) error {
	ranges := make(map[string]netip.Prefix, len(vpc.Subnets))
	for _, s := range vpc.Subnets {
		ranges[s.ID] = s.CIDR
	}
	var problems error
	var prompt []sysctl
	for _, i := range vpc.Interfaces {
		w, ok := wanted[i.ID]
		if _, done := r.attached[i.ID]; done || !ok {
			continue
		}
		subnet, ok := ranges[i.SubnetID]
		if !ok {
			problems = errors.Join(problems, fmt.Errorf("attach interface %s: no subnet %s", i.ID, i.SubnetID))
			continue
		}
		index, err := r.attach(i, w, subnet, present[w.device])
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("attach interface %s: %w", i.ID, err))
			continue
		}
		w.index = index
		r.attached[i.ID] = w
		// Without this the router waits up to 0.8 s before it answers for others (arp(7), proxy_delay).
		prompt = append(prompt, sysctl{"ipv4/neigh/" + w.device + "/proxy_delay", "0"})
	}
	if len(prompt) > 0 {
		problems = errors.Join(problems, inNamespace(r.path, func() error { return writeSysctls(prompt) }))
	}
	return problems
}

// attach gives the index of the interface's device in the router.
func (r *router) attach(i Interface, w attachment, subnet netip.Prefix, present netlink.Link) (int, error) {
	machine, err := openNamespace(w.namespace)
	if err != nil {
		return 0, err
	}
	defer func() { _ = machine.close() }()
	if _, err := machine.setUpLoopback(); err != nil {
		return 0, err
	}
	near := present
	far, err := machine.netlink.LinkByName(machineDevice)
	if near != nil && (err != nil || !paired(near, far)) {
		if err := r.removeDevice(near); err != nil {
			return 0, err
		}
		near = nil
	}
	if near == nil {
		if near, far, err = createPair(r.namespace, w.device, machine, machineDevice, i.MAC, r.mtu); err != nil {
			return 0, err
		}
	}
	if err := setUpPair(end{r.namespace, near}, end{machine, far}); err != nil {
		return 0, err
	}
	return near.Attrs().Index, machine.configureMachine(far, i.Private, subnet)
}

// configureMachine gives a machine its address and its way to everywhere else.
func (p *namespace) configureMachine(link netlink.Link, private netip.Addr, subnet netip.Prefix) error {
	wanted := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(private, subnet.Bits()))}
	if err := p.netlink.AddrReplace(link, wanted); err != nil {
		return fmt.Errorf("add address %s: %w", private, err)
	}
	out := netlink.Route{LinkIndex: link.Attrs().Index, Gw: subnetGateway(subnet).AsSlice(), Family: netlink.FAMILY_V4}
	if err := p.netlink.RouteReplace(&out); err != nil {
		return fmt.Errorf("add the default route: %w", err)
	}
	return nil
}

var _ netlink.CustomConntrackFilter = flowsWith(nil)
