package stack

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// existingCheck checks a network that exists before anything is created in it.
type existingCheck struct {
	spec     *spec.Spec
	network  *ExistingNetwork
	facts    Facts
	problems diag.List
}

// checkExisting returns all reasons why an application cannot be deployed in a network that
// exists.
func checkExisting(s *spec.Spec, facts Facts) error {
	c := &existingCheck{spec: s, network: facts.Network, facts: facts}
	if !c.network.Available {
		c.add("network.vpc", "aws ec2 describe-vpcs lists the VPCs of the region",
			"there is no VPC %s in %s that can be used", c.network.ID, s.Region)
		return c.problems.Err()
	}
	if !c.network.DNSSupport {
		c.add("network.vpc", "ask its owner to set enableDnsSupport",
			"%s has no DNS: machines in it find neither packages nor the APIs of AWS", c.network.ID)
	}
	publicIDs, privateIDs := s.Network.Subnets.IDs()
	for _, id := range slices.Concat(publicIDs, privateIDs) {
		c.membership(id)
	}
	if len(c.problems) > 0 {
		return c.problems.Err()
	}
	c.zones()
	public, private := c.network.chosen(s)
	for _, subnet := range public {
		c.publicSubnet(subnet)
	}
	for _, subnet := range private {
		c.privateSubnet(subnet)
	}
	if s.Security.ThroughEndpoint() {
		c.endpoint()
	}
	return c.problems.Err()
}

func (c *existingCheck) add(path, hint, format string, args ...any) {
	c.problems.Add(cmp.Or(c.spec.File, spec.FileName), hint, path+": "+format, args...)
}

// membership checks that a subnet exists and belongs to the VPC.
func (c *existingCheck) membership(id string) {
	switch subnet, ok := c.network.subnet(id); {
	case !ok:
		c.add("network.subnets", "aws ec2 describe-subnets lists the subnets of the region",
			"there is no subnet %s in %s", id, c.spec.Region)
	case subnet.VPC != c.network.ID:
		c.add("network.subnets", "name subnets of the VPC in network.vpc",
			"%s belongs to %s and not to %s", id, subnet.VPC, c.network.ID)
	}
}

// zones checks that each zone has one subnet of a kind, that private subnets are where public
// ones are, because a load balancer sends requests only to zones that it is in, that the zones
// offer the servers' types, and that a load balancer that stands keeps one of its zones.
func (c *existingCheck) zones() {
	public, private := c.network.chosen(c.spec)
	for _, kind := range [][]ExistingSubnet{public, private} {
		for i, subnet := range kind {
			if i > 0 && subnet.Zone == kind[i-1].Zone {
				c.add("network.subnets", "name one subnet for each zone",
					"%s and %s are both in %s", kind[i-1].ID, subnet.ID, subnet.Zone)
			}
		}
	}
	in := func(zone string) func(ExistingSubnet) bool {
		return func(s ExistingSubnet) bool { return s.Zone == zone }
	}
	for _, subnet := range private {
		if !slices.ContainsFunc(public, in(subnet.Zone)) {
			c.add("network.subnets", "name a public subnet in "+subnet.Zone+" too, or a private one elsewhere",
				"%s is in %s, where the load balancer has no subnet", subnet.ID, subnet.Zone)
		}
	}
	for _, subnet := range public {
		at := slices.IndexFunc(c.facts.Zones, func(z Zone) bool { return z.Name == subnet.Zone })
		if at < 0 || !c.facts.Zones[at].OffersAny(c.spec.Machines.Types) {
			c.add("machines.type", "choose another type, or a subnet in another zone",
				"%s, where %s is, does not offer %s", subnet.Zone, subnet.ID, preference(c.spec.Machines.Types))
		}
	}
	serving := c.network.Serving
	stays := func(zone string) bool { return slices.ContainsFunc(public, in(zone)) }
	if len(serving) > 0 && !slices.ContainsFunc(serving, stays) {
		c.add("network.subnets", "move in two steps, with one of these zones in both",
			"the load balancer would leave all its zones, %s, at once, and nothing would serve meanwhile",
			strings.Join(serving, ", "))
	}
}

const smallestBalancerBits = 27

func (c *existingCheck) publicSubnet(s ExistingSubnet) {
	if s.CIDR.Bits() > smallestBalancerBits {
		c.add("network.subnets", "name a larger one",
			"%s has %s, and an Application Load Balancer needs /%d or larger", s.ID, s.CIDR, smallestBalancerBits)
	}
	switch {
	case s.Blackhole:
		c.deadRoute(s)
	case s.WayOut == "":
		c.add("network.subnets", "name a public subnet",
			"%s is not public: its route table %s has no default route", s.ID, s.RouteTable)
	case !strings.HasPrefix(s.WayOut, "igw-"):
		c.add("network.subnets", "name a public subnet",
			"%s is not public: its route table %s leads 0.0.0.0/0 to %s and not to an internet gateway",
			s.ID, s.RouteTable, s.WayOut)
	}
}

func (c *existingCheck) deadRoute(s ExistingSubnet) {
	c.add("network.subnets", "ask the owner of the VPC to mend the route",
		"the default route of %s, in %s, leads to %s, which is gone", s.ID, s.RouteTable, cmp.Or(s.WayOut, "something"))
}

func (c *existingCheck) privateSubnet(s ExistingSubnet) {
	switch {
	case s.Blackhole:
		c.deadRoute(s)
	case strings.HasPrefix(s.WayOut, "igw-"):
		c.add("network.subnets.private", "list it under public alone, or name a subnet behind a NAT gateway",
			"%s leads to an internet gateway, which is no way out for servers without public addresses", s.ID)
	case s.WayOut == "":
		if missing := c.unreachable(); len(missing) > 0 {
			c.add("network.subnets.private",
				"name a subnet with a way out, or have interface endpoints with private DNS names made in the VPC",
				"%s has no default route, and the VPC no endpoint of %s, which the servers need",
				s.ID, strings.Join(missing, ", "))
		}
	}
}

// unreachable returns the services of AWS that servers need and that no endpoint offers.
func (c *existingCheck) unreachable() []string {
	var missing []string
	for _, service := range c.services() {
		if !c.network.DNSNames || !slices.Contains(c.network.Services, service) {
			missing = append(missing, service)
		}
	}
	return missing
}

// services returns the services of AWS that servers call: for their variables, their secrets
// and their log.
func (c *existingCheck) services() []string {
	var all []string
	if e := c.facts.Environment; e != nil && len(e.Names()) > 0 {
		all = append(all, "ssm")
		for _, reference := range e.Secrets {
			if strings.HasPrefix(reference, "secretsmanager:") {
				all = append(all, "secretsmanager")
				break
			}
		}
	}
	if c.spec.Logs != nil {
		all = append(all, "logs")
	}
	return all
}

// endpoint checks whether an endpoint of the VPC can be used. Without one, Aloft makes one.
func (c *existingCheck) endpoint() {
	n := c.network
	if n.OwnEndpoint {
		return
	}
	usable := n.Endpoint()
	if usable == nil {
		for _, e := range n.Endpoints {
			c.unusable(e)
		}
		return
	}
	for _, block := range n.machineBlocks(c.spec) {
		if !slices.ContainsFunc(usable.Outbound, func(r Rule) bool { return lets(r, block) }) {
			c.add("security.access",
				"ask its owner for an outbound rule for TCP port 22, or use access: ssh",
				"the security groups of %s let nothing out to port 22 in %s", usable.ID, block)
		}
	}
}

// unusable says why an endpoint cannot be used. A VPC has only one.
func (c *existingCheck) unusable(e ExistingEndpoint) {
	if e.State == StateConnectable {
		c.add("security.access",
			"ask its owner for one with PreserveClientIp false, or use access: ssh",
			"%s, the endpoint of the VPC, keeps the addresses of clients, which Aloft's rules do not admit", e.ID)
		return
	}
	c.add("security.access", "run the same command again when it is ready or gone",
		"%s, the endpoint of the VPC, is in the state %s", e.ID, e.State)
}

// lets reports whether a rule lets SSH out to a block.
func lets(r Rule, block netip.Prefix) bool {
	to, err := netip.ParsePrefix(r.CIDR)
	ports := r.Protocol == AllProtocols || r.Protocol == "tcp" && r.First <= 22 && 22 <= r.Last
	return err == nil && r.Egress && ports && to.Bits() <= block.Bits() && to.Contains(block.Addr())
}

// NetworkProblem returns why an application cannot be brought into the network of a spec:
// what runs is in another VPC, from which a load balancer cannot move. vpcs are the VPCs in
// which it is, and own are those that Aloft made for it.
func NetworkProblem(s *spec.Spec, vpcs, own []string) error {
	const hint = "aloft down, then aloft up, moves it with an interruption; to move without one, deploy it under " +
		"another name or as a stage, then lead its users there"
	problem := &diag.Diagnostic{Where: "network.vpc", Hint: hint}
	for _, vpc := range vpcs {
		made := slices.Contains(own, vpc)
		switch wanted := s.Network.VPC; {
		case wanted == vpc && !made, wanted == "" && made:
			continue
		case wanted == "":
			problem.Summary = fmt.Sprintf("%s runs in %s, which existed before, and cannot move to a VPC of its own",
				s.App, vpc)
			problem.Hint = "restore vpc and subnets under network; " + hint
		case made:
			problem.Summary = fmt.Sprintf("%s runs in %s, which Aloft made for it, and cannot move to %s",
				s.App, vpc, wanted)
			problem.Hint = "remove vpc and subnets from network; " + hint
		default:
			problem.Summary = fmt.Sprintf("%s runs in %s and cannot move to %s", s.App, vpc, wanted)
		}
		return diag.List{problem}
	}
	return nil
}
