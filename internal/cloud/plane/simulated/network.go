package simulated

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/network"
)

// Network is a network plane that remembers. Its zero value is ready.
type Network struct {
	Faults

	mu     sync.Mutex
	config network.Config
}

// Set takes the whole network in.
func (n *Network) Set(ctx context.Context, config network.Config) error {
	if err := n.recordCall("Set", ""); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.config = config
	return ctx.Err()
}

// Config is what was set last.
func (n *Network) Config() network.Config {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.config
}

// NodeNamespace is where a load balancer's node would be.
func (n *Network) NodeNamespace(interfaceID string) string { return "/simulated/nodes/" + interfaceID }

// String prints VPCs with their subnets, routes, interfaces and groups.
func (n *Network) String() string {
	var out strings.Builder
	for _, vpc := range n.Config().VPCs {
		_, _ = fmt.Fprintf(&out, "vpc %s %s gateway=%t dns=%t\n", vpc.ID, vpc.CIDR, vpc.Gateway, vpc.DNSSupport)
		for _, s := range vpc.Subnets {
			_, _ = fmt.Fprintf(&out, "  subnet %s %s", s.ID, s.CIDR)
			for _, r := range s.Routes {
				_, _ = fmt.Fprintf(
					&out,
					" %s→%s",
					r.Destination,
					[...]string{network.Local: "local", network.Gateway: "gateway", network.Blackhole: "blackhole"}[r.Via],
				)
			}
			_, _ = fmt.Fprintln(&out)
		}
		for _, i := range vpc.Interfaces {
			_, _ = fmt.Fprintf(
				&out,
				"  interface %s %s in %s groups=%s",
				i.ID,
				i.Private,
				i.SubnetID,
				strings.Join(i.SecurityGroups, ","),
			)
			if i.Public.IsValid() {
				_, _ = fmt.Fprintf(&out, " public=%s", i.Public)
			}
			switch {
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
