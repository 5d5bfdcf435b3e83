package elbv2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkIPAddressType refuses an IP address type that a load balancer cannot have; empty: that which
// it has.
func checkIPAddressType(lb *store.LoadBalancer, given types.IpAddressType) error {
	switch {
	case given == "":
		return nil
	case !slices.Contains(given.Values(), given):
		return model.OutOfSet("ipAddressType", given, "ipv4", "dualstack", store.WithoutPublicIPv4)
	case given == store.WithoutPublicIPv4 && lb.IsNetwork():
		return wire.Errorf(
			"InvalidConfigurationRequest",
			"The IP address type '%s' is only supported for Application Load Balancers", given,
		)
	case given == store.WithoutPublicIPv4 && lb.Scheme != internetFacing:
		return wire.Errorf(
			"InvalidConfigurationRequest",
			"The IP address type '%s' is only supported for internet-facing load balancers", given,
		)
	}
	return nil
}

// errNoIPv6 returns the error for a subnet without IPv6 addresses (kubernetes-sigs/
// aws-load-balancer-controller, issue 4852).
func errNoIPv6() error {
	return invalid("You must specify subnets with an associated IPv6 CIDR block.")
}

// withIPAddressType returns a copy of a load balancer with another IP address type; empty: with its
// own. Its target groups must be reachable with it.
func withIPAddressType(r store.Reader, lb *store.LoadBalancer, given types.IpAddressType) (*store.LoadBalancer, error) {
	if err := checkIPAddressType(lb, given); err != nil {
		return nil, err
	}
	changed := *lb
	changed.IPAddressType = cmp.Or(string(given), lb.IPAddressType)
	for _, l := range store.ListenersByLoadBalancer.List(r, lb.ARN) {
		if err := checkDatagrams(&changed, l.Protocol); err != nil {
			return nil, err
		}
	}
	for _, group := range store.TargetGroups.InRegion(r, lb.Region) {
		if !group.IsIPv6() || !slices.Contains(loadBalancersOf(r, group), lb.ARN) {
			continue
		}
		if err := checkFamily(&changed, group); err != nil {
			return nil, err
		}
	}
	return &changed, nil
}

// checkDatagrams refuses a listener's protocol if nodes cannot forward it over IPv6. On AWS they can
// forward UDP if each has a range of addresses to translate clients' into
// (EnablePrefixForIpv6SourceNat).
func checkDatagrams(lb *store.LoadBalancer, protocol string) error {
	if lb.HasIPv6() && (protocol == "UDP" || protocol == "TCP_UDP") {
		return wire.NotImplemented("%s listeners of load balancers of IP address type %s", protocol, lb.IPAddressType)
	}
	return nil
}

// checkFamily refuses a target group whose targets the nodes of a load balancer cannot reach
// (zalando-incubator/kube-ingress-aws-controller, pull request 752).
func checkFamily(lb *store.LoadBalancer, group *store.TargetGroup) error {
	if group.IsIPv6() && !lb.HasIPv6() {
		return wire.Errorf(
			"InvalidConfigurationRequest",
			"You cannot associate an IPv6 target group with a load balancer that has an '%s' IP address type",
			lb.IPAddressType,
		)
	}
	return nil
}

// readdress gives the nodes of a load balancer, which was old, the IPv6 and public addresses that its
// new IP address type asks for, and takes those that it does not. Addresses that they keep do not
// change.
func (a *API) readdress(tx *store.Tx, old, lb *store.LoadBalancer) error {
	if old.IPAddressType == lb.IPAddressType {
		return nil
	}
	lb.Nodes = slices.Clone(lb.Nodes)
	for i, n := range lb.Nodes {
		lb.Nodes[i].ChosenIPv6 = n.ChosenIPv6 && lb.HasIPv6()
		nic, ok := store.NetworkInterfaces.Get(tx, n.InterfaceID)
		if !ok {
			continue
		}
		if err := a.setIPv6(tx, lb, nic); err != nil {
			return err
		}
		if err := a.setPublicIPv4(tx, lb, nic); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) setIPv6(tx *store.Tx, lb *store.LoadBalancer, nic *store.NetworkInterface) error {
	has := nic.FirstIPv6().IsValid()
	switch subnet, ok := store.Subnets.Get(tx, nic.SubnetID); {
	case has && !lb.HasIPv6():
		store.NetworkInterfaces.Edit(tx, nic.ID, func(row *store.NetworkInterface) { row.IPv6 = nil })
	case !has && lb.HasIPv6() && ok:
		if _, err := addressing.AddIPv6(tx, a.ids, nic, subnet, nil, 1); err != nil {
			return errNoIPv6()
		}
	}
	return nil
}

func (a *API) setPublicIPv4(tx *store.Tx, lb *store.LoadBalancer, nic *store.NetworkInterface) error {
	var public netip.Addr
	switch {
	case nic.PublicIP.IsValid() == lb.HasPublicIPv4():
		return nil
	case lb.HasPublicIPv4():
		var err error
		if public, err = addressing.FreePublic(tx, a.ids, a.public); err != nil {
			return wire.Errorf("InvalidSubnet", "Cannot place a load balancer in %s: %s", nic.SubnetID, err)
		}
	}
	store.NetworkInterfaces.Edit(tx, nic.ID, func(row *store.NetworkInterface) { row.PublicIP = public })
	return nil
}

// SetIpAddressType changes the IP address type of a load balancer. Its nodes keep their IPv4
// addresses.
func (a *API) SetIpAddressType(
	ctx context.Context, in *elb.SetIpAddressTypeInput,
) (*elb.SetIpAddressTypeOutput, error) {
	return update(a, func(tx *store.Tx) (*elb.SetIpAddressTypeOutput, error) {
		old, err := loadBalancer(tx, wire.RegionFrom(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		if in.IpAddressType == "" {
			return nil, model.Null("ipAddressType")
		}
		lb, err := withIPAddressType(tx, old, in.IpAddressType)
		if err != nil {
			return nil, err
		}
		if err := a.readdress(tx, old, lb); err != nil {
			return nil, err
		}
		store.LoadBalancers.Put(tx, lb)
		return &elb.SetIpAddressTypeOutput{IpAddressType: in.IpAddressType}, nil
	})
}
