//go:build linux

package network

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"

	"github.com/vishvananda/netlink"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// attachment is a network interface and the veth pair that attaches it to the router.
type attachment struct {
	namespace   string // path of the machine's
	namespaceID namespaceID
	device      string             // in the router
	index       int                // of device
	number      int                // of the machine's device
	addresses   []firewall.Address // of IPv4, the primary one first
	ipv6        []netip.Addr
	outward6    bool // its IPv6 addresses reach the internet
	public6     bool // the internet reaches its IPv6 addresses
	forwards    bool // routes can lead to it
	intercepted bool // routes lead what comes from the internet to another interface first
}

// private returns the primary address of IPv4 inside the VPC and its public one, zero if there is none.
func (a attachment) private() firewall.Address {
	if len(a.addresses) == 0 {
		return firewall.Address{}
	}
	return a.addresses[0]
}

// all returns the addresses of both families inside the VPC.
func (a attachment) all() []netip.Addr {
	all := make([]netip.Addr, 0, len(a.addresses)+len(a.ipv6))
	for _, address := range a.addresses {
		all = append(all, address.Private)
	}
	return append(all, a.ipv6...)
}

// primary returns the first address of the same family as to, zero if there is none.
func (a attachment) primary(to netip.Addr) netip.Addr {
	for _, address := range a.all() {
		if address.Is4() == to.Is4() {
			return address
		}
	}
	return netip.Addr{}
}

// outside returns the addresses of the interface that the edge knows.
func (a attachment) outside() (all []netip.Addr) {
	for _, address := range a.addresses {
		if address.Public.IsValid() {
			all = append(all, address.Public)
		}
	}
	if a.outward6 {
		all = append(all, a.ipv6...)
	}
	return all
}

// addresses returns the private IPv4 addresses of an interface, the primary one first.
func (i Interface) addresses() []firewall.Address {
	if !i.Private.IsValid() {
		return nil
	}
	return append([]firewall.Address{{Private: i.Private, Public: i.Public}}, i.Secondary...)
}

// desiredAttachments returns the attachments of the VPC's interfaces by interface ID.
// A namespace that cannot be found is an error of its interface alone.
func desiredAttachments(vpc VPC, nodePath func(string) string) (map[string]attachment, error) {
	var problems error
	all := make(map[string]attachment, len(vpc.Interfaces))
	public, public6 := vpc.subnetsTo(Gateway, firewall.IPv4), vpc.subnetsTo(Gateway, firewall.IPv6)
	intercepted, intercepted6 := vpc.intercepted(firewall.IPv4), vpc.intercepted(firewall.IPv6)
	maps.Copy(public, intercepted)
	maps.Copy(public6, intercepted6)
	private6, translated := vpc.subnetsTo(EgressOnlyGateway, firewall.IPv6), vpc.subnetsTo(NAT64, firewall.IPv6)
	for _, i := range vpc.Interfaces {
		path := i.Namespace
		if i.OwnNamespace {
			path = nodePath(i.ID)
			if err := pin(path); err != nil {
				problems = errors.Join(problems, fmt.Errorf("interface %s: %w", i.ID, err))
				continue
			}
		}
		if path == "" {
			continue
		}
		id, err := statNamespace(path)
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("attach interface %s: %w", i.ID, err))
			continue
		}
		a := attachment{
			namespace: path, namespaceID: id, device: deviceName("eni", i.ID), number: i.Number,
			addresses: i.addresses(), ipv6: i.IPv6, public6: public6[i.SubnetID] && !i.Inside6,
			forwards: !i.SourceDestCheck, intercepted: intercepted[i.SubnetID],
			outward6: public6[i.SubnetID] || private6[i.SubnetID] || translated[i.SubnetID],
		}
		a.outward6 = a.outward6 && !i.Inside6
		if !public[i.SubnetID] {
			for n := range a.addresses {
				a.addresses[n].Public = netip.Addr{}
			}
		}
		all[i.ID] = a
	}
	return all, problems
}

// subnetsTo returns the IDs of subnets with a route of a family to a gateway that the VPC has.
func (vpc VPC) subnetsTo(gateway Target, family firewall.Family) map[string]bool {
	has := map[Target]bool{Gateway: vpc.Gateway, EgressOnlyGateway: vpc.EgressOnly, NAT64: vpc.Gateway}
	with := map[string]bool{}
	for _, s := range vpc.Subnets {
		for _, route := range s.Routes {
			if has[gateway] && route.Via == gateway && firewall.FamilyOf(route.Destination.Addr()) == family {
				with[s.ID] = true
			}
		}
	}
	return with
}

// attachAll attaches each desired interface that is not attached, or adopts the veth
// pair that an earlier process created.
func (r *router) attachAll(vpc VPC, desired map[string]attachment, present map[string]netlink.Link) error {
	subnets := make(map[string]Subnet, len(vpc.Subnets))
	for _, s := range vpc.Subnets {
		subnets[s.ID] = s
	}
	var problems error
	var proxyDelays []sysctl
	for _, i := range vpc.Interfaces {
		a, ok := desired[i.ID]
		if _, done := r.attached[i.ID]; done || !ok {
			continue
		}
		subnet, ok := subnets[i.SubnetID]
		if !ok {
			problems = errors.Join(problems, fmt.Errorf("attach interface %s: no subnet %s", i.ID, i.SubnetID))
			continue
		}
		index, err := r.attach(i, a, subnet, present[a.device])
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("attach interface %s: %w", i.ID, err))
			continue
		}
		a.index = index
		r.attached[i.ID] = a
		// By default the router waits up to 0.8 s before it answers ARP for others
		// (arp(7), proxy_delay).
		proxyDelays = append(proxyDelays, sysctl{"ipv4/neigh/" + a.device + "/proxy_delay", "0"})
	}
	if len(proxyDelays) > 0 {
		problems = errors.Join(problems, inNamespace(r.path, func() error { return writeSysctls(proxyDelays) }))
	}
	return problems
}

// attach connects an interface's machine with the router and returns the index of the
// router's device. near is that device if it exists, or nil.
func (r *router) attach(i Interface, a attachment, subnet Subnet, near netlink.Link) (int, error) {
	machine, err := openNamespace(a.namespace)
	if err != nil {
		return 0, err
	}
	defer func() { _ = machine.close() }()
	if _, err := machine.setUpLoopback(); err != nil {
		return 0, err
	}
	name := machineDevice(i.Number)
	far, err := machine.netlink.LinkByName(name)
	if near != nil && (err != nil || !paired(near, far)) {
		if err := r.removeDevice(near); err != nil {
			return 0, err
		}
		near = nil
	}
	if near == nil {
		if near, far, err = createPair(r.namespace, a.device, machine, name, i.MAC, r.mtu); err != nil {
			return 0, err
		}
	}
	if err := setUpPair(end{r.namespace, near}, end{machine, far}); err != nil {
		return 0, err
	}
	if err := machine.configureMachine(far, a, subnet); err != nil {
		return 0, err
	}
	var problems error
	if len(a.addresses) > 0 {
		problems = keepNeighbor(end{machine, far}, subnetGateway(subnet.CIDR), near)
	}
	if len(a.ipv6) > 0 {
		problems = errors.Join(problems,
			r.setAddresses(near, []netip.Prefix{hostPrefix(gateway6)}),
			keepNeighbor(end{machine, far}, gateway6, near),
		)
	}
	for _, address := range a.all() {
		problems = errors.Join(problems, keepNeighbor(end{r.namespace, near}, address, far))
	}
	return near.Attrs().Index, problems
}
