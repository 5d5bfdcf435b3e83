package elbv2

import (
	"context"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// DescribeCapacityReservation tells that no capacity is reserved: the local
// cloud has no such thing, and ModifyCapacityReservation is not implemented.
func (a *API) DescribeCapacityReservation(ctx context.Context, in *elb.DescribeCapacityReservationInput) (*elb.DescribeCapacityReservationOutput, error) {
	if _, err := loadBalancer(a.store.View(), region(ctx), in.LoadBalancerArn); err != nil {
		return nil, err
	}
	return &elb.DescribeCapacityReservationOutput{
		DecreaseRequestsRemaining: new(int32(2)),
		CapacityReservationState:  []types.ZonalCapacityReservationState{},
	}, nil
}
