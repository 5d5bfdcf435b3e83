//go:build linux

package simulated

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/network"
)

// Network is a network plane that only stores its configuration. The zero value is ready to
// use.
type Network struct {
	Faults

	mu      sync.Mutex
	config  network.Config
	changes []string
}

// Set replaces the whole configuration.
func (n *Network) Set(ctx context.Context, config network.Config) error {
	if err := n.recordCall("Set", ""); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.config = config
	return ctx.Err()
}

// Change makes the next Audit return a change by another program.
func (n *Network) Change(change string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes = append(n.changes, change)
}

// Audit returns what was changed since the last call.
func (n *Network) Audit() ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	changes := n.changes
	n.changes = nil
	return changes, nil
}

// Config returns the configuration that was set last.
func (n *Network) Config() network.Config {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.config
}

// NodeNamespace returns the path that the namespace of a load balancer's node would have.
func (n *Network) NodeNamespace(interfaceID string) string { return "/simulated/nodes/" + interfaceID }

// routeTargets names the targets of routes in the text of a network.
func routeTargets() map[network.Target]string {
	return map[network.Target]string{
		network.Local: "local", network.Gateway: "gateway", network.EgressOnlyGateway: "egress-only",
		network.Blackhole:   "blackhole",
		network.ToInterface: "", network.NAT64: "nat64", network.PeerVPC: "peer ",
	}
}

// texts joins prefixes with commas.
func texts(blocks []netip.Prefix) string {
	all := make([]string, 0, len(blocks))
	for _, block := range blocks {
		all = append(all, block.String())
	}
	return strings.Join(all, ",")
}

// routesText formats routes, each after a space.
func routesText(routes []network.Route) string {
	var text strings.Builder
	for _, r := range routes {
		_, _ = fmt.Fprintf(&text, " %s→%s%s%s", r.Destination, routeTargets()[r.Via], r.Interface, r.Peer)
	}
	return text.String()
}

// String formats VPCs with their subnets, routes, interfaces and security groups.
func (n *Network) String() string {
	var out strings.Builder
	for _, vpc := range n.Config().VPCs {
		blocks := texts(slices.Concat(vpc.CIDRs, vpc.IPv6))
		_, _ = fmt.Fprintf(&out, "vpc %s %s gateway=%t dns=%t\n", vpc.ID, blocks, vpc.Gateway, vpc.DNSSupport)
		if len(vpc.Ingress) > 0 {
			_, _ = fmt.Fprintf(&out, "  ingress%s\n", routesText(vpc.Ingress))
		}
		for _, s := range vpc.Subnets {
			_, _ = fmt.Fprintf(&out, "  subnet %s %s", s.ID, s.CIDR)
			if s.IPv6.IsValid() {
				_, _ = fmt.Fprintf(&out, ",%s", s.IPv6)
			}
			_, _ = fmt.Fprintln(&out, routesText(s.Routes))
		}
		for _, i := range vpc.Interfaces {
			groups := strings.Join(i.SecurityGroups, ",")
			_, _ = fmt.Fprintf(&out, "  interface %s %s in %s groups=%s", i.ID, i.Private, i.SubnetID, groups)
			if i.Public.IsValid() {
				_, _ = fmt.Fprintf(&out, " public=%s", i.Public)
			}
			for _, address := range i.Secondary {
				_, _ = fmt.Fprintf(&out, " and %s", address.Private)
			}
			for _, address := range i.IPv6 {
				_, _ = fmt.Fprintf(&out, " and %s", address)
			}
			switch {
			case i.Translates:
				_, _ = fmt.Fprint(&out, " nat")
			case i.OwnNamespace:
				_, _ = fmt.Fprint(&out, " node")
			case i.Namespace == "":
				_, _ = fmt.Fprint(&out, " unattached")
			}
			if i.Cut {
				_, _ = fmt.Fprint(&out, " cut")
			}
			_, _ = fmt.Fprintln(&out)
		}
		for _, g := range vpc.SecurityGroups {
			_, _ = fmt.Fprintf(&out, "  group %s: %d in, %d out\n", g.ID, len(g.Ingress), len(g.Egress))
		}
	}
	return out.String()
}
