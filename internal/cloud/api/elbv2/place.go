package elbv2

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// What a subnet must offer to a load balancer (Application Load Balancer guide,
// Availability Zone subnets).
const (
	longestPrefix = 27
	freeAddresses = 8
)

// subnetIDs merges the two ways to name subnets.
func subnetIDs(ids []string, mappings []types.SubnetMapping) ([]string, error) {
	if len(ids) > 0 && len(mappings) > 0 {
		return nil, invalid("You must specify either subnets or subnet mappings, not both")
	}
	for _, m := range mappings {
		if m.AllocationId != nil || m.PrivateIPv4Address != nil || m.IPv6Address != nil ||
			m.SourceNatIpv6Prefix != nil {
			return nil, wire.Errorf(
				"InvalidConfigurationRequest",
				"You cannot specify addresses for the subnets of an Application Load Balancer",
			)
		}
		if err := model.Required("subnetMappings.member.subnetId", m.SubnetId != nil); err != nil {
			return nil, err
		}
		ids = append(ids, *m.SubnetId)
	}
	return slices.Compact(slices.Sorted(slices.Values(ids))), nil
}

// subnets finds the subnets of a load balancer and checks that they can have
// one. Those in kept have a node already.
func subnets(
	r store.Reader,
	region string,
	ids []string,
	kept map[string]bool,
	scheme string,
) ([]*store.Subnet, error) {
	var out []*store.Subnet
	zones := map[string]bool{}
	for _, id := range ids {
		s, ok := store.Subnets.Get(r, id)
		if !ok || s.Region != region {
			return nil, wire.Errorf("SubnetNotFound", "The subnet ID '%s' is not valid", id)
		}
		if zones[s.Zone] {
			return nil, wire.Errorf(
				"InvalidConfigurationRequest",
				"A load balancer cannot be attached to multiple subnets in the same Availability Zone",
			)
		}
		zones[s.Zone] = true
		out = append(out, s)
	}
	if len(zones) < 2 {
		return nil, invalid("At least two subnets in two different Availability Zones must be specified")
	}
	for _, s := range out {
		switch {
		case s.VPCID != out[0].VPCID:
			return nil, wire.Errorf(
				"InvalidConfigurationRequest",
				"All subnets must belong to the same VPC: '%s'",
				out[0].VPCID,
			)
		case s.CIDR.Bits() > longestPrefix:
			return nil, wire.Errorf(
				"InvalidSubnet",
				"The subnet '%s' is too small: a load balancer needs a CIDR block of /%d or larger",
				s.ID,
				longestPrefix,
			)
		case !kept[s.ID] && addressing.Available(r, s) < freeAddresses:
			return nil, wire.Errorf(
				"InvalidSubnet",
				"Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.",
				s.ID,
				freeAddresses,
			)
		}
	}
	if vpc := out[0].VPCID; scheme == internetFacing && len(store.InternetGateways.By(r, "vpc", vpc)) == 0 {
		return nil, wire.Errorf("InvalidSubnet", "VPC %s has no internet gateway", vpc)
	}
	return out, nil
}

// groups checks security groups; without any it is the VPC's default group.
func groups(r store.Reader, vpc string, ids []string) ([]string, error) {
	of := map[string]bool{}
	standard := ""
	for _, g := range store.SecurityGroups.By(r, "vpc", vpc) {
		of[g.ID] = true
		if g.Name == "default" {
			standard = g.ID
		}
	}
	if len(ids) == 0 && standard != "" {
		return []string{standard}, nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids {
		if !of[id] {
			return nil, wire.Errorf("InvalidConfigurationRequest", "One or more security groups are invalid")
		}
	}
	return ids, nil
}

// settle gives the load balancer a node in each of the subnets and none
// elsewhere. lb is changed, not stored.
func (a *API) settle(tx *store.Tx, lb *store.LoadBalancer, in []*store.Subnet) error {
	old := map[string]store.Node{}
	for _, n := range lb.Nodes {
		old[n.SubnetID] = n
	}
	lb.Nodes = nil
	for _, s := range in {
		if n, ok := old[s.ID]; ok {
			lb.Nodes = append(lb.Nodes, n)
			delete(old, s.ID)
			continue
		}
		wish := addressing.Wish{
			Subnet: s, GroupIDs: lb.GroupIDs, Description: "ELB " + suffix(lb.ARN, "loadbalancer"),
			LoadBalancerARN: lb.ARN, AttachedAt: a.now(),
		}
		if lb.Scheme == internetFacing {
			wish.PublicFrom = a.public
		}
		nic, err := addressing.NewInterface(tx, a.ids, wish)
		if err != nil {
			return wire.Errorf("InvalidSubnet", "Cannot place a load balancer in %s: %s", s.ID, err)
		}
		lb.Nodes = append(lb.Nodes, store.Node{Zone: s.Zone, SubnetID: s.ID, InterfaceID: nic.ID})
	}
	for n := range maps.Values(old) {
		store.NetworkInterfaces.Delete(tx, n.InterfaceID)
	}
	return nil
}
