//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Machines have the addresses and routes that amazon-ec2-net-utils gives those of Amazon
// Linux 2023 (lib/lib.sh). The primary interface has the default route. What has an address
// of another interface as its source leaves through that one, by a routing table and rules
// of its own. They have the same number.

// tableBase is the number of the table of device 0, which does not have one.
const tableBase = 10000

// configureMachine sets the addresses of one of the machine's devices inside the VPC and its
// routes.
func (n *namespace) configureMachine(link netlink.Link, a attachment, subnet Subnet) error {
	n.ipv6 = subnet.IPv6.IsValid()
	if err := n.setMachineAddresses(link, a, subnet); err != nil {
		return err
	}
	device := link.Attrs().Index
	if a.number == 0 {
		return n.setDefaultRoutes(device, a, subnet)
	}
	table := tableBase + a.number
	var routes []route
	if len(a.addresses) > 0 {
		routes = []route{
			{table: table, to: subnet.CIDR.Masked(), device: device},
			{table: table, to: everywhere, device: device, via: subnetGateway(subnet.CIDR)},
		}
	}
	if len(a.ipv6) > 0 {
		routes = append(routes, route{table: table, to: everywhere6, device: device, via: gateway6})
	}
	if err := n.setRoutes(routes, func(r route) bool { return r.table == table }); err != nil {
		return err
	}
	return n.setSourceRules(a)
}

// setDefaultRoutes sets the default routes of the machine's primary device.
func (n *namespace) setDefaultRoutes(device int, a attachment, subnet Subnet) error {
	if len(a.addresses) > 0 {
		gateway := subnetGateway(subnet.CIDR)
		route := netlink.Route{LinkIndex: device, Gw: gateway.AsSlice(), Family: netlink.FAMILY_V4}
		if err := n.netlink.RouteReplace(&route); err != nil {
			return fmt.Errorf("add the default route: %w", err)
		}
	}
	route := netlink.Route{LinkIndex: device, Gw: gateway6.AsSlice(), Family: netlink.FAMILY_V6}
	if len(a.ipv6) > 0 {
		if err := n.netlink.RouteReplace(&route); err != nil {
			return fmt.Errorf("add the default route of IPv6: %w", err)
		}
		return nil
	}
	if !n.ipv6 {
		return nil
	}
	if err := n.netlink.RouteDel(&route); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("remove the default route of IPv6: %w", err)
	}
	return nil
}

// addMachineAddresses adds the addresses of a device, and returns them. Only the primary address
// of the primary interface has a route to the subnet in the main table.
func (n *namespace) addMachineAddresses(
	link netlink.Link, a attachment, subnet Subnet,
) (added map[netip.Addr]bool, err error) {
	added = map[netip.Addr]bool{}
	for i, address := range a.addresses {
		added[address.Private] = true
		entry := &netlink.Addr{IPNet: ipNet(hostPrefix(address.Private)), Flags: unix.IFA_F_NOPREFIXROUTE}
		if i == 0 {
			entry.IPNet = ipNet(netip.PrefixFrom(address.Private, subnet.CIDR.Bits()))
		}
		if i == 0 && a.number == 0 {
			entry.Flags = 0
		}
		if err := n.netlink.AddrReplace(link, entry); err != nil {
			return nil, fmt.Errorf("add address %s: %w", address.Private, err)
		}
	}
	for _, address := range a.ipv6 {
		added[address] = true
		if err := n.addAddress(link, hostPrefix(address)); err != nil {
			return nil, err
		}
	}
	return added, nil
}

// setMachineAddresses sets the addresses of a device. It leaves those outside of the subnet
// alone, which a machine that forwards may have given itself.
func (n *namespace) setMachineAddresses(link netlink.Link, a attachment, subnet Subnet) error {
	family := netlink.FAMILY_V4
	if n.ipv6 {
		family = netlink.FAMILY_ALL
	}
	present, err := n.netlink.AddrList(link, family)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
	}
	desired, err := n.addMachineAddresses(link, a, subnet)
	if err != nil {
		return err
	}
	for _, old := range present {
		address := prefixOf(old.IPNet).Addr()
		if desired[address] || !subnet.CIDR.Contains(address) && !subnet.IPv6.Contains(address) {
			continue
		}
		if err := n.netlink.AddrDel(link, &old); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("remove address %s: %w", address, err)
		}
	}
	return nil
}

// setSourceRules makes what has an address of the attachment as its source use the table of
// its device, and nothing else. An attachment without addresses has no rules.
func (n *namespace) setSourceRules(a attachment) error {
	table := tableBase + a.number
	var present []netlink.Rule
	for _, family := range n.families() {
		rules, err := n.netlink.RuleList(family)
		if err != nil {
			return fmt.Errorf("list routing rules: %w", err)
		}
		present = append(present, rules...)
	}
	missing := map[netip.Prefix]bool{}
	for _, address := range a.all() {
		missing[hostPrefix(address)] = true
	}
	for _, rule := range present {
		if rule.Table != table {
			continue
		}
		if rule.Src != nil && missing[prefixOf(rule.Src)] {
			delete(missing, prefixOf(rule.Src))
			continue
		}
		if err := n.netlink.RuleDel(&rule); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove routing rule: %w", err)
		}
	}
	for _, address := range a.all() {
		if !missing[hostPrefix(address)] {
			continue
		}
		rule := netlink.NewRule()
		rule.Family, rule.Priority, rule.Table = familyOf(address), table, table
		rule.Src = ipNet(hostPrefix(address))
		if err := n.netlink.RuleAdd(rule); err != nil {
			return fmt.Errorf("add routing rule: %w", err)
		}
	}
	return nil
}

// forgetMachine removes the rules of a device that was detached from a machine that still
// runs. Its routes are gone with it.
func (a attachment) forgetMachine() error {
	if id, err := statNamespace(a.namespace); a.number == 0 || err != nil || id != a.namespaceID {
		return nil
	}
	machine, err := openNamespace(a.namespace)
	if err != nil {
		return err
	}
	defer func() { _ = machine.close() }()
	machine.ipv6 = len(a.ipv6) > 0
	a.addresses, a.ipv6 = nil, nil
	return machine.setSourceRules(a)
}

// samePrivate reports whether two attachments have the same addresses inside the VPC.
func (a attachment) samePrivate(b attachment) bool { return slices.Equal(a.all(), b.all()) }
