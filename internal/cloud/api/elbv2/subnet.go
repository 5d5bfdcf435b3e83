package elbv2

import (
	"context"

	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Requirements on a load balancer's subnets (Application Load Balancer guide,
// Availability Zone subnets).
const (
	maxPrefixLength  = 27
	minFreeAddresses = 8
)

// subnetIDs returns the subnets of a request, which can name them in two places,
// sorted and without duplicates.
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

// checkSubnets returns the subnets if a load balancer with the scheme can have
// nodes in them. It already has nodes in those of kept.
func checkSubnets(
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
			return nil, subnetNotFound(id)
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
				"InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", out[0].VPCID,
			)
		case s.CIDR.Bits() > maxPrefixLength:
			return nil, wire.Errorf(
				"InvalidSubnet",
				"The subnet '%s' is too small: a load balancer needs a CIDR block of /%d or larger",
				s.ID,
				maxPrefixLength,
			)
		case !kept[s.ID] && addressing.CountFree(r, s) < minFreeAddresses:
			return nil, wire.Errorf(
				"InvalidSubnet",
				"Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.",
				s.ID,
				minFreeAddresses,
			)
		}
	}
	if vpc := out[0].VPCID; scheme == internetFacing && len(store.InternetGatewaysByVPC.List(r, vpc)) == 0 {
		return nil, wire.Errorf("InvalidSubnet", "VPC %s has no internet gateway", vpc)
	}
	return out, nil
}

// SetSubnets replaces the subnets of a load balancer. Nodes in subnets that it
// keeps are left alone.
func (a *API) SetSubnets(ctx context.Context, in *elb.SetSubnetsInput) (*elb.SetSubnetsOutput, error) {
	if in.IpAddressType != "" && in.IpAddressType != types.IpAddressTypeIpv4 {
		return nil, wire.NotImplemented("load balancers of IP address type %s", in.IpAddressType)
	}
	ids, err := subnetIDs(in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	return update(a, func(tx *store.Tx) (*elb.SetSubnetsOutput, error) {
		old, err := loadBalancer(tx, wire.RegionFrom(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		kept := map[string]bool{}
		for _, n := range old.Nodes {
			kept[n.SubnetID] = true
		}
		subnets, err := checkSubnets(tx, wire.RegionFrom(ctx), ids, kept, old.Scheme)
		if err != nil {
			return nil, err
		}
		if subnets[0].VPCID != old.VPCID {
			return nil, wire.Errorf(
				"InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", old.VPCID,
			)
		}
		lb := *old
		if err := a.placeNodes(tx, &lb, subnets); err != nil {
			return nil, err
		}
		store.LoadBalancers.Put(tx, &lb)
		return &elb.SetSubnetsOutput{
			AvailabilityZones: availabilityZones(&lb),
			IpAddressType:     types.IpAddressType(lb.IPAddressType),
		}, nil
	})
}
