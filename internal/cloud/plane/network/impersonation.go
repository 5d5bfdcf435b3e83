//go:build linux

package network

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// The routing table of packets that a node keeps, and the priority of the rule that selects it.
const (
	keepTable    = 100
	keepPriority = 100
)

// keepMarked makes the namespace of a Network Load Balancer's node keep packets with
// firewall.ClientMark, as if their destinations were its own. A socket for the client's address
// receives them (Linux, Documentation/networking/tproxy.rst).
func (n *namespace) keepMarked(family firewall.Family) error {
	all := everywhere
	if family == firewall.IPv6 {
		all = everywhere6
	}
	lo, err := n.setUpLoopback()
	if err != nil {
		return err
	}
	err = n.netlink.RouteReplace(&netlink.Route{
		Table: keepTable, Dst: ipNet(all), Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST,
		LinkIndex: lo.Attrs().Index, Protocol: routeProtocol,
	})
	if err != nil {
		return fmt.Errorf("keep packets for clients in %s: add a route: %w", n.path, err)
	}
	rule := netlink.NewRule()
	rule.Priority, rule.Mark, rule.Table = keepPriority, firewall.ClientMark, keepTable
	rule.Family = int(familyNumber(family))
	if err := n.netlink.RuleAdd(rule); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("keep packets for clients in %s: add a rule: %w", n.path, err)
	}
	return nil
}
