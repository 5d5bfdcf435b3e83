package elbv2

import (
	"context"

	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkSecurityGroups returns the IDs sorted if all are security groups of the
// VPC. Without IDs it returns the VPC's default security group.
func checkSecurityGroups(r store.Reader, vpc string, ids []string) ([]string, error) {
	inVPC := map[string]bool{}
	defaultID := ""
	for _, g := range store.SecurityGroupsByVPC.List(r, vpc) {
		inVPC[g.ID] = true
		if g.Name == "default" {
			defaultID = g.ID
		}
	}
	if len(ids) == 0 && defaultID != "" {
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
		if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "" {
			return nil, wire.Errorf(
				"InvalidConfigurationRequest",
				"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is not supported for load balancers of "+
					"type 'application'",
			)
		}
		if len(in.SecurityGroups) == 0 {
			return nil, model.Null("securityGroups")
		}
		ids, err := checkSecurityGroups(tx, lb.VPCID, in.SecurityGroups)
		if err != nil {
			return nil, err
		}
		store.LoadBalancers.Edit(tx, lb.ARN, func(lb *store.LoadBalancer) { lb.GroupIDs = ids })
		for _, n := range lb.Nodes {
			store.NetworkInterfaces.Edit(tx, n.InterfaceID, func(nic *store.NetworkInterface) { nic.GroupIDs = ids })
		}
		return &elb.SetSecurityGroupsOutput{SecurityGroupIds: ids}, nil
	})
}
