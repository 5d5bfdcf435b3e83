package autoscaling

import (
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
