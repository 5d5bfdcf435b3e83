package elbv2

import (
	"context"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func loadBalancerPairs(values map[string]string) []types.LoadBalancerAttribute {
	var out []types.LoadBalancerAttribute
	each(values, func(key, value string) {
		out = append(out, types.LoadBalancerAttribute{Key: new(key), Value: new(value)})
	})
	return out
}

// ModifyLoadBalancerAttributes sets attributes of a load balancer.
func (a *API) ModifyLoadBalancerAttributes(ctx context.Context, in *elb.ModifyLoadBalancerAttributesInput) (*elb.ModifyLoadBalancerAttributesOutput, error) {
	pairs := make([]pair, 0, len(in.Attributes))
	for _, given := range in.Attributes {
		pairs = append(pairs, pair{given.Key, given.Value})
	}
	return update(a, func(tx *store.Tx) (*elb.ModifyLoadBalancerAttributesOutput, error) {
		lb, err := loadBalancer(tx, region(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		values, err := loadBalancerAttributes.changed(lb.Attributes, pairs)
		if err != nil {
			return nil, err
		}
		if err := checkAccessLogs(values); err != nil {
			return nil, err
		}
		store.LoadBalancers.Edit(tx, lb.ARN, func(lb *store.LoadBalancer) { lb.Attributes = values })
		return &elb.ModifyLoadBalancerAttributesOutput{Attributes: loadBalancerPairs(values)}, nil
	})
}

// DescribeLoadBalancerAttributes tells all attributes of a load balancer.
func (a *API) DescribeLoadBalancerAttributes(ctx context.Context, in *elb.DescribeLoadBalancerAttributesInput) (*elb.DescribeLoadBalancerAttributesOutput, error) {
	lb, err := loadBalancer(a.store.View(), region(ctx), in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeLoadBalancerAttributesOutput{Attributes: loadBalancerPairs(lb.Attributes)}, nil
}

func targetGroupPairs(values map[string]string) []types.TargetGroupAttribute {
	var out []types.TargetGroupAttribute
	each(values, func(key, value string) {
		out = append(out, types.TargetGroupAttribute{Key: new(key), Value: new(value)})
	})
	return out
}

// ModifyTargetGroupAttributes sets attributes of a target group.
func (a *API) ModifyTargetGroupAttributes(ctx context.Context, in *elb.ModifyTargetGroupAttributesInput) (*elb.ModifyTargetGroupAttributesOutput, error) {
	pairs := make([]pair, 0, len(in.Attributes))
	for _, given := range in.Attributes {
		pairs = append(pairs, pair{given.Key, given.Value})
	}
	return update(a, func(tx *store.Tx) (*elb.ModifyTargetGroupAttributesOutput, error) {
		group, err := targetGroup(tx, region(ctx), in.TargetGroupArn)
		if err != nil {
			return nil, err
		}
		values, err := targetGroupAttributes.changed(group.Attributes, pairs)
		if err != nil {
			return nil, err
		}
		if err := checkTogether(tx, group, values); err != nil {
			return nil, err
		}
		store.TargetGroups.Edit(tx, group.ARN, func(group *store.TargetGroup) { group.Attributes = values })
		return &elb.ModifyTargetGroupAttributesOutput{Attributes: targetGroupPairs(values)}, nil
	})
}

// DescribeTargetGroupAttributes tells all attributes of a target group.
func (a *API) DescribeTargetGroupAttributes(ctx context.Context, in *elb.DescribeTargetGroupAttributesInput) (*elb.DescribeTargetGroupAttributesOutput, error) {
	group, err := targetGroup(a.store.View(), region(ctx), in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeTargetGroupAttributesOutput{Attributes: targetGroupPairs(group.Attributes)}, nil
}
