package elbv2

import (
	"context"
	"strconv"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
)

// DescribeAccountLimits describes the quotas of load balancers and target groups.
func (a *API) DescribeAccountLimits(
	_ context.Context, in *elb.DescribeAccountLimitsInput,
) (*elb.DescribeAccountLimitsOutput, error) {
	limited := a.manners.Has(manners.Limits)
	var limits []types.Limit
	for name, most := range map[string]int{
		"application-load-balancers":                            quota.LoadBalancers.Applied(limited),
		"certificates-per-application-load-balancer":            maxCertificates,
		"condition-values-per-alb-rule":                         maxConditionValues,
		"condition-wildcards-per-alb-rule":                      maxConditionWildcards,
		"listeners-per-application-load-balancer":               quota.Listeners.Applied(limited),
		"listeners-per-network-load-balancer":                   quota.NetworkListeners.Applied(limited),
		"network-load-balancers":                                quota.NetworkLoadBalancers.Applied(limited),
		"rules-per-application-load-balancer":                   quota.ListenerRules.Applied(limited),
		"target-groups":                                         quota.TargetGroups.Applied(limited),
		"target-groups-per-action-on-application-load-balancer": maxTargetGroups,
		"targets-per-application-load-balancer":                 quota.Targets.Applied(limited),
		"targets-per-network-load-balancer":                     quota.NetworkTargets.Applied(limited),
	} {
		limits = append(limits, types.Limit{Name: new(name), Max: new(strconv.Itoa(most))})
	}
	limits, next, err := paginate(limits, func(l types.Limit) string { return *l.Name }, in.PageSize, in.Marker)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeAccountLimitsOutput{Limits: limits, NextMarker: next}, nil
}
