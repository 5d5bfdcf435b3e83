package autoscaling

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// Clients ask about what the local cloud has none of, because no operation of it makes one.
// The truthful answer is an empty list.

// emptyPage returns the error for a page of an empty list, or nil.
func emptyPage(maxRecords *int32, token *string) error {
	_, _, err := paginate(pageRequest{maxRecords, token, 50, 100}, []string{}, func(s string) string { return s })
	return err
}

// DescribeLoadBalancers lists the Classic Load Balancers of a group.
func (a *API) DescribeLoadBalancers(
	ctx context.Context, in *autoscaling.DescribeLoadBalancersInput,
) (*autoscaling.DescribeLoadBalancersOutput, error) {
	if _, err := findGroup(a.Store.Read(ctx), wire.RegionFrom(ctx), in.AutoScalingGroupName); err != nil {
		return nil, err
	}
	return &autoscaling.DescribeLoadBalancersOutput{
		LoadBalancers: []types.LoadBalancerState{},
	}, emptyPage(in.MaxRecords, in.NextToken)
}

// classicNotFound returns AWS's error for Classic Load Balancers that do not exist.
func classicNotFound(names []string) error {
	if len(names) == 0 {
		return nil
	}
	return invalid("Provided Load Balancers may not be valid. Please ensure they exist and try again.")
}

// AttachLoadBalancers refuses Classic Load Balancers, because there are none.
func (a *API) AttachLoadBalancers(
	ctx context.Context, in *autoscaling.AttachLoadBalancersInput,
) (*autoscaling.AttachLoadBalancersOutput, error) {
	_, err := findActiveGroup(a.Store.View(), wire.RegionFrom(ctx), in.AutoScalingGroupName)
	return &autoscaling.AttachLoadBalancersOutput{}, cmp.Or(
		err, model.Required("loadBalancerNames", in.LoadBalancerNames != nil), classicNotFound(in.LoadBalancerNames),
	)
}

// DetachLoadBalancers refuses Classic Load Balancers, because no group has one.
func (a *API) DetachLoadBalancers(
	ctx context.Context, in *autoscaling.DetachLoadBalancersInput,
) (*autoscaling.DetachLoadBalancersOutput, error) {
	_, err := findActiveGroup(a.Store.View(), wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err = cmp.Or(err, model.Required("loadBalancerNames", in.LoadBalancerNames != nil)); err != nil {
		return nil, err
	}
	if len(in.LoadBalancerNames) > 0 {
		return nil, invalid("Trying to remove Load Balancers that are not part of the group")
	}
	return &autoscaling.DetachLoadBalancersOutput{}, nil
}
