//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// Machines have the addresses and routes that amazon-ec2-net-utils gives those of Amazon
// Linux 2023 (lib/lib.sh). The primary interface has the default route. What has an address
// of another interface as its source leaves through that one, by a routing table and rules
// of its own. They have the same number.

// tableBase is the number of the table of device 0, which does not have one.
const tableBase = 10000

// configureMachine sets the private addresses of one of the machine's devices and its
// routes.
func (n *namespace) configureMachine(link netlink.Link, a attachment, subnet netip.Prefix) error {
	if err := n.setMachineAddresses(link, a, subnet); err != nil {
		return err
	}
	if a.number == 0 {
		route := netlink.Route{
			LinkIndex: link.Attrs().Index, Gw: subnetGateway(subnet).AsSlice(), Family: netlink.FAMILY_V4,
		}
		if err := n.netlink.RouteReplace(&route); err != nil {
			return fmt.Errorf("add the default route: %w", err)
		}
		return nil
	}
	table := tableBase + a.number
	err := n.setRoutes([]route{
		{table: table, to: subnet.Masked(), device: link.Attrs().Index},
		{table: table, to: everywhere, device: link.Attrs().Index, via: subnetGateway(subnet)},
	}, func(r route) bool { return r.table == table })
	if err != nil {
		return err
	}
	return n.setSourceRules(a)
}

// setMachineAddresses sets the addresses of a device. It leaves those outside of the subnet
// alone, which a machine that forwards may have given itself. Only the primary address of
// the primary interface has a route to the subnet in the main table.
func (n *namespace) setMachineAddresses(link netlink.Link, a attachment, subnet netip.Prefix) error {
	present, err := n.netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
	}
	desired := map[netip.Addr]bool{}
	for i, address := range a.addresses {
		desired[address.Private] = true
		entry := &netlink.Addr{IPNet: ipNet(hostPrefix(address.Private)), Flags: unix.IFA_F_NOPREFIXROUTE}
		if i == 0 {
			entry.IPNet = ipNet(netip.PrefixFrom(address.Private, subnet.Bits()))
		}
		if i == 0 && a.number == 0 {
			entry.Flags = 0
		}
		if err := n.netlink.AddrReplace(link, entry); err != nil {
			return fmt.Errorf("add address %s: %w", address.Private, err)
		}
	}
	for _, old := range present {
		address := prefixOf(old.IPNet).Addr()
		if desired[address] || !subnet.Contains(address) {
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
	present, err := n.netlink.RuleList(netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list routing rules: %w", err)
	}
	missing := map[netip.Prefix]bool{}
	for _, address := range a.addresses {
		missing[hostPrefix(address.Private)] = true
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
	for _, address := range a.addresses {
		if !missing[hostPrefix(address.Private)] {
			continue
		}
		rule := netlink.NewRule()
		rule.Family, rule.Priority, rule.Table = netlink.FAMILY_V4, table, table
		rule.Src = ipNet(hostPrefix(address.Private))
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
	a.addresses = nil
	return machine.setSourceRules(a)
}

// samePrivate reports whether two attachments have the same private addresses.
func (a attachment) samePrivate(b attachment) bool {
	return slices.EqualFunc(
		a.addresses, b.addresses, func(x, y firewall.Address) bool { return x.Private == y.Private },
	)
}
