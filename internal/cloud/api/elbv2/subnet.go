package elbv2

import (
	"context"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Requirements on a load balancer's subnets (Application Load Balancer guide,
// Availability Zone subnets). A Network Load Balancer may have smaller ones (Network
// Load Balancer guide, Availability Zones).
const (
	maxPrefixLength  = 27
	minFreeAddresses = 8
)

// findSubnets returns the subnets of the places, in their order, if they are in as many zones
// as a load balancer like lb needs.
func findSubnets(r store.Reader, lb *store.LoadBalancer, places []place) ([]*store.Subnet, error) {
	var out []*store.Subnet
	zones := map[string]bool{}
	for _, p := range places {
		s, ok := store.Subnets.Get(r, p.subnet)
		if !ok || s.Region != lb.Region {
			return nil, subnetNotFound(p.subnet)
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
	switch {
	case len(zones) == 0 && lb.IsNetwork():
		return nil, invalid("At least one subnet must be specified")
	case len(zones) < 2 && !lb.IsNetwork():
		return nil, invalid("At least two subnets in two different Availability Zones must be specified")
	}
	return out, nil
}

// checkSubnets returns the subnets of the places, in their order, if a load balancer
// like lb can have nodes in them. It already has the nodes given.
func checkSubnets(
	r store.Reader, lb *store.LoadBalancer, places []place, nodes []store.Node,
) ([]*store.Subnet, error) {
	out, err := findSubnets(r, lb, places)
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, n := range nodes {
		kept[n.SubnetID] = true
	}
	for _, s := range out {
		switch {
		case s.VPCID != out[0].VPCID:
			return nil, wire.Errorf(
				"InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", out[0].VPCID,
			)
		case s.CIDR.Bits() > maxPrefixLength && !lb.IsNetwork():
			return nil, wire.Errorf(
				"InvalidSubnet",
				"The subnet '%s' is too small: a load balancer needs a CIDR block of /%d or larger",
				s.ID,
				maxPrefixLength,
			)
		case lb.HasIPv6() && !s.IPv6.CIDR.IsValid():
			return nil, errNoIPv6()
		case !kept[s.ID] && addressing.CountFree(r, s) < minFreeAddresses:
			return nil, wire.Errorf(
				"InvalidSubnet",
				"Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.",
				s.ID,
				minFreeAddresses,
			)
		}
	}
	if vpc := out[0].VPCID; lb.Scheme == internetFacing && len(store.InternetGatewaysByVPC.List(r, vpc)) == 0 {
		return nil, wire.Errorf("InvalidSubnet", "VPC %s has no internet gateway", vpc)
	}
	return out, nil
}

// SetSubnets replaces the subnets of a load balancer. Nodes in subnets that it
// keeps are left alone.
func (a *API) SetSubnets(ctx context.Context, in *elb.SetSubnetsInput) (*elb.SetSubnetsOutput, error) {
	if in.EnablePrefixForIpv6SourceNat != "" {
		return nil, wire.NotImplemented("IPv6 prefixes of load balancers")
	}
	return update(a, func(tx *store.Tx) (*elb.SetSubnetsOutput, error) {
		old, err := loadBalancer(tx, wire.RegionFrom(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		lb, err := withIPAddressType(tx, old, in.IpAddressType)
		if err != nil {
			return nil, err
		}
		places, err := readPlaces(lb, in.Subnets, in.SubnetMappings)
		if err != nil {
			return nil, err
		}
		subnets, err := checkSubnets(tx, lb, places, old.Nodes)
		if err != nil {
			return nil, err
		}
		if subnets[0].VPCID != old.VPCID {
			return nil, wire.Errorf(
				"InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", old.VPCID,
			)
		}
		if err := a.placeNodes(tx, lb, places, subnets); err != nil {
			return nil, err
		}
		if err := a.readdress(tx, old, lb); err != nil {
			return nil, err
		}
		store.LoadBalancers.Put(tx, lb)
		return &elb.SetSubnetsOutput{
			AvailabilityZones: availabilityZones(tx, lb),
			IpAddressType:     types.IpAddressType(lb.IPAddressType),
		}, nil
	})
}
