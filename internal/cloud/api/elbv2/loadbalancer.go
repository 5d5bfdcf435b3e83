package elbv2

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const internetFacing = string(types.LoadBalancerSchemeEnumInternetFacing)

// checkCreateLoadBalancer refuses requests that are invalid regardless of stored
// resources.
func checkCreateLoadBalancer(in *elb.CreateLoadBalancerInput) error {
	if err := model.Required("name", in.Name != nil); err != nil {
		return err
	}
	if err := checkName("The load balancer", *in.Name); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(*in.Name, "internal-"):
		return invalid("The load balancer name '%s' cannot begin with 'internal-'", *in.Name)
	case in.Type != "" && !slices.Contains(in.Type.Values(), in.Type):
		return model.OutOfSet("type", in.Type, "application", "gateway", "network")
	case in.Type == types.LoadBalancerTypeEnumGateway:
		return wire.NotImplemented("load balancers of type %s", in.Type)
	case in.Scheme != "" && !slices.Contains(in.Scheme.Values(), in.Scheme):
		return wire.Errorf("InvalidScheme", "The requested scheme is not valid")
	case in.CustomerOwnedIpv4Pool != nil || in.IpamPools != nil || in.EnablePrefixForIpv6SourceNat != "":
		return wire.NotImplemented("address pools for load balancers")
	}
	return nil
}

// CreateLoadBalancer creates an Application Load Balancer or a Network Load Balancer.
// Repeating a request returns the load balancer that the first one created.
func (a *API) CreateLoadBalancer(
	ctx context.Context, in *elb.CreateLoadBalancerInput,
) (*elb.CreateLoadBalancerOutput, error) {
	if err := checkCreateLoadBalancer(in); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	lb := &store.LoadBalancer{
		Region: wire.RegionFrom(ctx), Name: *in.Name, Scheme: internetFacing, Tags: tags,
		IPAddressType: string(cmp.Or(in.IpAddressType, types.IpAddressTypeIpv4)),
	}
	if in.Type == types.LoadBalancerTypeEnumNetwork {
		lb.Type = string(in.Type)
	}
	if in.Scheme != "" {
		lb.Scheme = string(in.Scheme)
	}
	if err := checkIPAddressType(lb, in.IpAddressType); err != nil {
		return nil, err
	}
	places, err := readPlaces(lb, in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	return update(a, func(tx *store.Tx) (*elb.CreateLoadBalancerOutput, error) {
		existing := loadBalancerNamed(tx, lb)
		var nodes []store.Node
		if existing != nil {
			nodes = existing.Nodes
		}
		subnets, err := checkSubnets(tx, lb, places, nodes)
		if err != nil {
			return nil, err
		}
		lb.VPCID = subnets[0].VPCID
		if lb.GroupIDs, err = checkSecurityGroups(tx, lb, in.SecurityGroups); err != nil {
			return nil, err
		}
		if existing == nil {
			if err := a.limitLoadBalancers(tx, lb); err != nil {
				return nil, err
			}
			err = a.createLoadBalancer(tx, lb, places, subnets)
		} else {
			lb, err = existing, checkSameLoadBalancer(tx, existing, lb, places)
		}
		if err != nil {
			return nil, err
		}
		return &elb.CreateLoadBalancerOutput{LoadBalancers: []types.LoadBalancer{describeLoadBalancer(tx, lb)}}, nil
	})
}

// loadBalancerNamed returns the load balancer with the name of the requested one, or nil.
// One of another type may have the same name.
func loadBalancerNamed(r store.Reader, requested *store.LoadBalancer) *store.LoadBalancer {
	for _, lb := range store.LoadBalancers.InRegion(r, requested.Region) {
		if lb.Name == requested.Name && lb.Type == requested.Type {
			return lb
		}
	}
	return nil
}

// checkSameLoadBalancer refuses a request for a load balancer with an existing
// name and other settings.
func checkSameLoadBalancer(r store.Reader, old, requested *store.LoadBalancer, places []place) error {
	same := old.Scheme == requested.Scheme && old.VPCID == requested.VPCID &&
		old.IPAddressType == requested.IPAddressType &&
		slices.Equal(old.GroupIDs, requested.GroupIDs) && maps.Equal(old.Tags, requested.Tags) &&
		len(old.Nodes) == len(places)
	for _, p := range places {
		same = same && slices.ContainsFunc(old.Nodes, func(n store.Node) bool { return p.has(r, n) })
	}
	if !same {
		return wire.Errorf(
			"DuplicateLoadBalancerName",
			"A load balancer with the same name '%s' already exists, but with different settings",
			old.Name,
		)
	}
	return nil
}

func (a *API) createLoadBalancer(
	tx *store.Tx, lb *store.LoadBalancer, places []place, in []*store.Subnet,
) error {
	id := a.ids.Hex(16)
	if lb.IsNetwork() {
		lb.ARN = arn(lb.Region, "loadbalancer/net/"+lb.Name+"/"+id)
		lb.DNSName = dnsname.NetworkLoadBalancer(lb.Name, id, lb.Region.Name(), a.suffix)
	} else {
		lb.ARN = arn(lb.Region, "loadbalancer/app/"+lb.Name+"/"+id)
		number := 100_000_000 + a.ids.Number(1_900_000_000)
		lb.DNSName = dnsname.LoadBalancer(lb.Name, number, lb.Region.Name(), a.suffix, lb.Scheme != internetFacing)
	}
	lb.Attributes = attributesOf(lb).defaults()
	if lb.Scheme != internetFacing {
		lb.Attributes["ipv6.deny_all_igw_traffic"] = "true"
	}
	lb.CookieKey = a.ids.Hex(64)
	lb.Created = a.now().UTC()
	lb.ActiveAt = a.manners.Until(lb.Created, manners.CreateLoadBalancer, lb.ARN)
	lb.NamedAt = a.manners.Until(lb.Created, manners.PublishName, lb.ARN)
	lb.State = string(types.LoadBalancerStateEnumProvisioning)
	if err := a.placeNodes(tx, lb, places, in); err != nil {
		return err
	}
	servicerole.Ensure(tx, a.ids, lb.Region, servicerole.LoadBalancing, lb.Created)
	store.LoadBalancers.Put(tx, lb)
	return nil
}

func describeLoadBalancer(r store.Reader, lb *store.LoadBalancer) types.LoadBalancer {
	out := types.LoadBalancer{
		LoadBalancerArn:   new(lb.ARN),
		LoadBalancerName:  new(lb.Name),
		DNSName:           new(lb.DNSName),
		CreatedTime:       new(lb.Created),
		Scheme:            types.LoadBalancerSchemeEnum(lb.Scheme),
		VpcId:             new(lb.VPCID),
		SecurityGroups:    lb.GroupIDs,
		IpAddressType:     types.IpAddressType(lb.IPAddressType),
		Type:              types.LoadBalancerTypeEnumApplication,
		State:             &types.LoadBalancerState{Code: types.LoadBalancerStateEnum(lb.State)},
		AvailabilityZones: availabilityZones(r, lb),
	}
	zones := hostedZones
	if lb.IsNetwork() {
		out.Type, zones = types.LoadBalancerTypeEnumNetwork, networkHostedZones
		out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = describePrivateLink(lb)
	}
	if lb.StateReason != "" {
		out.State.Reason = new(lb.StateReason)
	}
	if zone, ok := zones[lb.Region.Name()]; ok {
		out.CanonicalHostedZoneId = new(zone)
	}
	return out
}

func availabilityZones(r store.Reader, lb *store.LoadBalancer) []types.AvailabilityZone {
	out := make([]types.AvailabilityZone, 0, len(lb.Nodes))
	for _, n := range lb.Nodes {
		out = append(out, types.AvailabilityZone{
			ZoneName:              new(n.Zone),
			SubnetId:              new(n.SubnetID),
			LoadBalancerAddresses: chosenAddresses(r, n),
		})
	}
	slices.SortFunc(out, func(x, y types.AvailabilityZone) int { return strings.Compare(*x.ZoneName, *y.ZoneName) })
	return out
}

// DescribeLoadBalancers describes the Region's load balancers.
func (a *API) DescribeLoadBalancers(
	ctx context.Context, in *elb.DescribeLoadBalancersInput,
) (*elb.DescribeLoadBalancersOutput, error) {
	arnOf := func(lb *store.LoadBalancer) string { return lb.ARN }
	nameOf := func(lb *store.LoadBalancer) string { return lb.Name }
	view := a.store.Read(ctx)
	rows := store.LoadBalancers.InRegion(view, wire.RegionFrom(ctx))
	rows, missing := selected(rows, in.LoadBalancerArns, in.Names, arnOf, nameOf)
	if len(missing) > 0 {
		return nil, wire.Errorf("LoadBalancerNotFound", "Load balancers '[%s]' not found", strings.Join(missing, ", "))
	}
	rows, next, err := paginate(rows, arnOf, in.PageSize, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{}, NextMarker: next}
	for _, lb := range rows {
		out.LoadBalancers = append(out.LoadBalancers, describeLoadBalancer(view, lb))
	}
	return out, nil
}

// DeleteLoadBalancer deletes a load balancer with its listeners and network
// interfaces. Deleting one that does not exist succeeds.
func (a *API) DeleteLoadBalancer(
	ctx context.Context, in *elb.DeleteLoadBalancerInput,
) (*elb.DeleteLoadBalancerOutput, error) {
	if err := checkARN(in.LoadBalancerArn, "loadBalancerArn", "loadbalancer", "load balancer"); err != nil {
		return nil, err
	}
	return &elb.DeleteLoadBalancerOutput{}, a.store.Update(func(tx *store.Tx) error {
		lb, ok := store.LoadBalancers.Get(tx, *in.LoadBalancerArn)
		if !ok || lb.Region != wire.RegionFrom(ctx) {
			return nil
		}
		if lb.Attributes["deletion_protection.enabled"] == "true" {
			return wire.Errorf(
				"OperationNotPermitted",
				"Load balancer '%s' cannot be deleted because deletion protection is enabled",
				lb.ARN,
			)
		}
		if err := checkNotRegistered(tx, lb); err != nil {
			return err
		}
		for _, l := range store.ListenersByLoadBalancer.List(tx, lb.ARN) {
			removeListener(tx, l)
		}
		a.releaseNodes(tx, lb.ARN, lb.Nodes)
		store.LoadBalancers.Delete(tx, lb.ARN)
		return nil
	})
}
