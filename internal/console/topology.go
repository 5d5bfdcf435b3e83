package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/inventory"
)

// Health is how something is, as a colour and a shape.
type Health string

// The kinds of health.
const (
	Good    Health = "good"
	Waiting Health = "waiting" // it becomes good or ends
	Bad     Health = "bad"
	Off     Health = "off" // it is not meant to work now
)

// Item is one thing in the topology.
type Item struct {
	Kind   string // "machine", "load balancer", …
	ID     string
	Name   string
	Detail string
	Health Health
	State  string // in words
	Allows []Allowance
}

// Topology describes the resources of a region.
type Topology struct {
	Region string
	VPCs   []VPC
}

// VPC is a network with what stands at its border and in its zones.
type VPC struct {
	Item

	CIDR      string
	Border    []Item // gateways and load balancers
	Zones     []Zone
	IsDefault bool
}

// Zone is an Availability Zone with the subnets of a VPC in it.
type Zone struct {
	Name    string
	Subnets []Subnet
}

// Subnet is a subnet with what stands in it.
type Subnet struct {
	Item

	CIDR   string
	Public bool // a route leads to an internet gateway
	Items  []Item
}

// newTopology arranges an inventory. VPCs with something in them come first.
func newTopology(i *inventory.Inventory) Topology {
	t := Topology{Region: i.Region}
	a := arrangement{i, newFirewall(i), targetHealth(i)}
	for _, vpc := range i.VPCs {
		t.VPCs = append(t.VPCs, a.vpc(vpc))
	}
	slices.SortStableFunc(t.VPCs, func(a, b VPC) int {
		return cmp.Or(compareBool(a.IsDefault, b.IsDefault), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return t
}

// arrangement is the state while an inventory is arranged.
type arrangement struct {
	*inventory.Inventory
	firewall *firewall
	health   map[string]elbtypes.TargetHealth // of targets, by their ids
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// nameOf returns a resource's Name, or aloft's address of it, or "".
func nameOf(tags []types.Tag) string {
	name := ""
	for _, tag := range tags {
		switch aws.ToString(tag.Key) {
		case "Name":
			return aws.ToString(tag.Value)
		case "aloft:address":
			name = aws.ToString(tag.Value)
		}
	}
	return name
}

func (i arrangement) vpc(vpc types.Vpc) VPC {
	id := aws.ToString(vpc.VpcId)
	v := VPC{
		Item: Item{Kind: "VPC", ID: id, Name: nameOf(vpc.Tags), Health: Good, State: string(vpc.State)},
		CIDR: aws.ToString(vpc.CidrBlock), IsDefault: aws.ToBool(vpc.IsDefault), Border: i.border(id),
	}
	zones := map[string]*Zone{}
	for _, s := range i.Subnets {
		if aws.ToString(s.VpcId) != id {
			continue
		}
		name := aws.ToString(s.AvailabilityZone)
		if zones[name] == nil {
			zones[name] = &Zone{Name: name}
		}
		zones[name].Subnets = append(zones[name].Subnets, i.subnet(s))
	}
	for _, z := range zones {
		slices.SortFunc(z.Subnets, func(a, b Subnet) int { return cmp.Compare(a.CIDR, b.CIDR) })
		v.Zones = append(v.Zones, *z)
	}
	slices.SortFunc(v.Zones, func(a, b Zone) int { return cmp.Compare(a.Name, b.Name) })
	return v
}

// border returns the internet gateways and the load balancers of a VPC.
func (i arrangement) border(vpc string) (items []Item) {
	for _, g := range i.InternetGateways {
		for _, a := range g.Attachments {
			if aws.ToString(a.VpcId) == vpc {
				items = append(items, Item{
					Kind: "internet gateway", ID: aws.ToString(g.InternetGatewayId), Name: nameOf(g.Tags),
					Health: Good, State: "attached",
				})
			}
		}
	}
	for _, lb := range i.LoadBalancers {
		if aws.ToString(lb.VpcId) != vpc {
			continue
		}
		item := Item{
			Kind: "load balancer", ID: aws.ToString(lb.LoadBalancerArn), Name: aws.ToString(lb.LoadBalancerName),
			Detail: listens(lb), Health: Bad, Allows: i.firewall.ofGroups(lb.SecurityGroups),
		}
		if lb.State != nil {
			item.State = string(lb.State.Code)
			switch lb.State.Code {
			case elbtypes.LoadBalancerStateEnumActive:
				item.Health = Good
			case elbtypes.LoadBalancerStateEnumProvisioning:
				item.Health = Waiting
			}
		}
		items = append(items, item)
	}
	return items
}

// listens says on what a load balancer listens: "HTTP 80, HTTPS 443".
func listens(lb inventory.LoadBalancer) string {
	var all []string
	for _, l := range lb.Listeners {
		all = append(all, fmt.Sprintf("%s %d", l.Protocol, aws.ToInt32(l.Port)))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (i arrangement) subnet(row types.Subnet) Subnet {
	id := aws.ToString(row.SubnetId)
	s := Subnet{
		Item: Item{Kind: "subnet", ID: id, Name: nameOf(row.Tags), Health: Good, State: string(row.State)},
		CIDR: aws.ToString(row.CidrBlock), Public: isPublic(i.Inventory, id, aws.ToString(row.VpcId)),
	}
	s.Allows = i.firewall.ofSubnet(id)
	for _, m := range i.Instances {
		if aws.ToString(m.SubnetId) == id {
			item := machineItem(m, i.health)
			item.Allows = i.firewall.ofGroups(groupsOf(m))
			s.Items = append(s.Items, item)
		}
	}
	for _, nic := range i.Interfaces {
		name, isNode := strings.CutPrefix(aws.ToString(nic.Description), "ELB ")
		if isNode && aws.ToString(nic.SubnetId) == id {
			parts := strings.Split(name, "/")
			s.Items = append(s.Items, Item{
				Kind: "load balancer node", ID: aws.ToString(nic.NetworkInterfaceId), Name: parts[min(1, len(parts)-1)],
				Detail: aws.ToString(nic.PrivateIpAddress), Health: Good, State: string(nic.Status),
			})
		}
	}
	for _, g := range i.NATGateways {
		if aws.ToString(g.SubnetId) == id && g.State != types.NatGatewayStateDeleted {
			item := Item{
				Kind: "NAT gateway", ID: aws.ToString(g.NatGatewayId), Name: nameOf(g.Tags),
				Health: Waiting, State: string(g.State),
			}
			switch g.State {
			case types.NatGatewayStateAvailable:
				item.Health = Good
			case types.NatGatewayStateFailed:
				item.Health = Bad
			}
			s.Items = append(s.Items, item)
		}
	}
	for _, e := range i.Endpoints {
		if aws.ToString(e.SubnetId) == id {
			item := Item{
				Kind: "connect endpoint", ID: aws.ToString(e.InstanceConnectEndpointId), Name: nameOf(e.Tags),
				Health: Waiting, State: string(e.State), Allows: i.firewall.ofGroups(e.SecurityGroupIds),
			}
			if e.State == types.Ec2InstanceConnectEndpointStateCreateComplete {
				item.Health = Good
			}
			s.Items = append(s.Items, item)
		}
	}
	slices.SortStableFunc(s.Items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return s
}

// isPublic reports whether a subnet's route table leads to an internet gateway.
func isPublic(i *inventory.Inventory, subnet, vpc string) bool {
	public := func(table types.RouteTable) bool {
		return slices.ContainsFunc(table.Routes, func(r types.Route) bool {
			return strings.HasPrefix(aws.ToString(r.GatewayId), "igw-") && r.State == types.RouteStateActive
		})
	}
	main := false
	for _, table := range i.RouteTables {
		for _, a := range table.Associations {
			if aws.ToString(a.SubnetId) == subnet {
				return public(table)
			}
			if aws.ToBool(a.Main) && aws.ToString(table.VpcId) == vpc {
				main = public(table)
			}
		}
	}
	return main
}

// targetHealth returns the health of targets by their ids. Of several target groups, the worst
// counts.
func targetHealth(i *inventory.Inventory) map[string]elbtypes.TargetHealth {
	found := map[string]elbtypes.TargetHealth{}
	for _, group := range i.TargetGroups {
		for _, t := range group.Targets {
			id := aws.ToString(t.Target.Id)
			if old, ok := found[id]; t.TargetHealth != nil &&
				(!ok || old.State == elbtypes.TargetHealthStateEnumHealthy) {
				found[id] = *t.TargetHealth
			}
		}
	}
	return found
}

// groupsOf returns the ids of the security groups of a machine's interfaces.
func groupsOf(m types.Instance) (ids []string) {
	for _, nic := range m.NetworkInterfaces {
		for _, g := range nic.Groups {
			if id := aws.ToString(g.GroupId); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// machineItem describes a machine. It is as healthy as its load balancer says.
func machineItem(m types.Instance, health map[string]elbtypes.TargetHealth) Item {
	id := aws.ToString(m.InstanceId)
	item := Item{
		Kind: "machine", ID: id, Name: nameOf(m.Tags), Health: Waiting,
		Detail: string(m.InstanceType) + " " + aws.ToString(m.PrivateIpAddress),
	}
	if m.State != nil {
		item.State = string(m.State.Name)
		switch m.State.Name {
		case types.InstanceStateNameRunning:
			item.Health = Good
		case types.InstanceStateNameStopped, types.InstanceStateNameTerminated:
			item.Health = Off
		}
	}
	target, isTarget := health[id]
	if !isTarget || item.Health != Good {
		return item
	}
	item.State = string(target.State)
	switch target.State {
	case elbtypes.TargetHealthStateEnumHealthy:
	case elbtypes.TargetHealthStateEnumUnhealthy:
		item.Health = Bad
		item.State += ": " + aws.ToString(target.Description)
	default:
		item.Health = Waiting
	}
	return item
}

func (c *Console) topologyPage(r *http.Request) (View, error) {
	all, err := c.inventory(r)
	if err != nil {
		return View{}, err
	}
	traffic, err := c.traffic(r, all)
	if err != nil {
		return View{}, err
	}
	events, err := c.events(r)
	if err != nil {
		return View{}, err
	}
	v := View{Title: "Topology", Current: "topology", Sections: []Section{
		{ID: "topology", Template: "topology.html", Data: newTopology(all)},
	}}
	if c.Counts != nil {
		var flows flowData
		if flows, v.Moving, err = c.flows(r.Context(), all); err != nil {
			return View{}, err
		}
		v.Sections = append(v.Sections, Section{ID: "flow", Template: "flow.html", Data: flows})
	}
	v.Sections = append(v.Sections,
		Section{ID: "traffic", Template: "traffic.html", Data: traffic},
		Section{ID: "events", Template: "events.html", Data: events})
	return v, nil
}
