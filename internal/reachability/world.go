package reachability

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/inventory"
)

// world finds things in an inventory by their ids.
type world struct{ *inventory.Inventory }

// find returns the item with an id, or nil.
func find[T any](items []T, id func(*T) *string, want string) *T {
	i := slices.IndexFunc(items, func(item T) bool { return aws.ToString(id(&item)) == want })
	if i < 0 || want == "" {
		return nil
	}
	return &items[i]
}

func (w *world) instance(id string) *types.Instance {
	return find(w.Instances, func(i *types.Instance) *string { return i.InstanceId }, id)
}

func (w *world) nic(id string) *types.NetworkInterface {
	return find(w.Interfaces, func(i *types.NetworkInterface) *string { return i.NetworkInterfaceId }, id)
}

func (w *world) natGateway(id string) *types.NatGateway {
	return find(w.NATGateways, func(g *types.NatGateway) *string { return g.NatGatewayId }, id)
}

func (w *world) internetGateway(id string) *types.InternetGateway {
	return find(w.InternetGateways, func(g *types.InternetGateway) *string { return g.InternetGatewayId }, id)
}

func (w *world) loadBalancer(ref string) *inventory.LoadBalancer {
	for i := range w.LoadBalancers {
		lb := &w.LoadBalancers[i]
		if ref != "" && slices.Contains([]string{
			aws.ToString(lb.LoadBalancerArn), aws.ToString(lb.LoadBalancerName), aws.ToString(lb.DNSName),
		}, ref) {
			return lb
		}
	}
	return nil
}

// attachedGateway returns the internet gateway of a VPC, or nil.
func (w *world) attachedGateway(vpc string) *types.InternetGateway {
	for i := range w.InternetGateways {
		if attachedTo(&w.InternetGateways[i], vpc) {
			return &w.InternetGateways[i]
		}
	}
	return nil
}

func attachedTo(gateway *types.InternetGateway, vpc string) bool {
	return slices.ContainsFunc(gateway.Attachments, func(a types.InternetGatewayAttachment) bool {
		return aws.ToString(a.VpcId) == vpc
	})
}

// routeTable returns the table of a subnet: its own, or else the main one of its VPC.
func (w *world) routeTable(subnet, vpc string) *types.RouteTable {
	var main *types.RouteTable
	for i := range w.RouteTables {
		table := &w.RouteTables[i]
		for _, a := range table.Associations {
			if aws.ToString(a.SubnetId) == subnet {
				return table
			}
			if aws.ToBool(a.Main) && aws.ToString(table.VpcId) == vpc {
				main = table
			}
		}
	}
	return main
}

// networkACL returns the network ACL of a subnet.
func (w *world) networkACL(subnet string) *types.NetworkAcl {
	i := slices.IndexFunc(w.NetworkACLs, func(acl types.NetworkAcl) bool {
		return slices.ContainsFunc(acl.Associations, func(a types.NetworkAclAssociation) bool {
			return aws.ToString(a.SubnetId) == subnet
		})
	})
	if i < 0 {
		return nil
	}
	return &w.NetworkACLs[i]
}
