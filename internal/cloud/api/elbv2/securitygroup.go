package elbv2

import (
	"context"

	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkSecurityGroups returns the IDs sorted if all are security groups of the load
// balancer's VPC. Without IDs it returns the VPC's default security group for an
// Application Load Balancer, and none for a Network Load Balancer.
func checkSecurityGroups(r store.Reader, lb *store.LoadBalancer, ids []string) ([]string, error) {
	inVPC := map[string]bool{}
	defaultID := ""
	for _, g := range store.SecurityGroupsByVPC.List(r, lb.VPCID) {
		inVPC[g.ID] = true
		if g.Name == "default" {
			defaultID = g.ID
		}
	}
	switch {
	case len(ids) == 0 && lb.IsNetwork():
		return nil, nil
	case len(ids) == 0 && defaultID != "":
		return []string{defaultID}, nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids {
		if !inVPC[id] {
			return nil, wire.Errorf("InvalidConfigurationRequest", "One or more security groups are invalid")
		}
	}
	return ids, nil
}

// SetSecurityGroups replaces the security groups of a load balancer.
func (a *API) SetSecurityGroups(
	ctx context.Context, in *elb.SetSecurityGroupsInput,
) (*elb.SetSecurityGroupsOutput, error) {
	return update(a, func(tx *store.Tx) (*elb.SetSecurityGroupsOutput, error) {
		lb, err := loadBalancer(tx, wire.RegionFrom(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		enforce := in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic
		if err := checkPrivateLink(lb, enforce); err != nil {
			return nil, err
		}
		if len(in.SecurityGroups) == 0 {
			return nil, model.Null("securityGroups")
		}
		ids, err := checkSecurityGroups(tx, lb, in.SecurityGroups)
		if err != nil {
			return nil, err
		}
		changed := *lb
		changed.GroupIDs = ids
		if enforce != "" {
			changed.UncheckedPrivateLink = enforce == enforcementOff
		}
		store.LoadBalancers.Put(tx, &changed)
		for _, n := range lb.Nodes {
			store.NetworkInterfaces.Edit(tx, n.InterfaceID, func(nic *store.NetworkInterface) { nic.GroupIDs = ids })
		}
		out := &elb.SetSecurityGroupsOutput{SecurityGroupIds: ids}
		if text := describePrivateLink(&changed); text != nil {
			enforce = types.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum(*text)
			out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = enforce
		}
		return out, nil
	})
}

const enforcementOff = types.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnumOff

// checkPrivateLink refuses to change the security groups of a load balancer that has none, and
// a setting for AWS PrivateLink that the load balancer cannot have.
func checkPrivateLink(
	lb *store.LoadBalancer, enforce types.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum,
) error {
	switch {
	case lb.IsNetwork() && len(lb.GroupIDs) == 0: // kubernetes-sigs/cluster-api-provider-aws, issue 4790
		return wire.Errorf(
			"InvalidConfigurationRequest",
			"You cannot set security groups on a Network Load Balancer which was created without any security groups.",
		)
	case enforce == "":
		return nil
	case !lb.IsNetwork():
		return wire.Errorf(
			"InvalidConfigurationRequest",
			"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is not supported for load balancers of "+
				"type 'application'",
		)
	case !slices.Contains(enforce.Values(), enforce):
		return model.OutOfSet("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", enforce, "off", "on")
	}
	return nil
}

// describePrivateLink describes whether security groups filter what comes from AWS PrivateLink;
// nil: the load balancer has none.
func describePrivateLink(lb *store.LoadBalancer) *string {
	switch {
	case !lb.IsNetwork() || len(lb.GroupIDs) == 0:
		return nil
	case lb.UncheckedPrivateLink:
		return new(string(enforcementOff))
	}
	return new(string(types.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnumOn))
}
