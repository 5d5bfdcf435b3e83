package elbv2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/cloud/wire"
)

// A Region's default quota of reserved capacity is zero, so no load balancer of
// the local cloud ever has a reservation. Both operations answer as AWS does for
// such a load balancer: without a minimum capacity, a time of modification or
// zones. Clients rely on that: the AWS Load Balancer Controller expects a minimum
// capacity as soon as a zone is listed (kubernetes-sigs/
// aws-load-balancer-controller, getCurrentCapacityReservation).

// ModifyCapacityReservation reserves capacity for a load balancer or ends its
// reservation. The quota leaves room for none, so every reservation is refused.
func (a *API) ModifyCapacityReservation(
	ctx context.Context, in *elb.ModifyCapacityReservationInput,
) (*elb.ModifyCapacityReservationOutput, error) {
	if _, err := loadBalancer(a.store.View(), wire.RegionFrom(ctx), in.LoadBalancerArn); err != nil {
		return nil, err
	}
	minimum := in.MinimumLoadBalancerCapacity
	if minimum == nil && !aws.ToBool(in.ResetCapacityReservation) {
		return nil, invalid("You must specify either 'MinimumLoadBalancerCapacity' or 'ResetCapacityReservation'")
	}
	if minimum != nil {
		if minimum.CapacityUnits == nil {
			return nil, model.Null("minimumLoadBalancerCapacity.capacityUnits")
		}
		if units := *minimum.CapacityUnits; units < 1 {
			return nil, invalid("The number of capacity units '%d' must be greater than 0", units)
		}
		return nil, wire.Errorf(
			"CapacityUnitsLimitExceeded",
			"The reservation of %d capacity units exceeds the quota of the Region, which is %d",
			*minimum.CapacityUnits, maxReservedCapacityUnits,
		)
	}
	return &elb.ModifyCapacityReservationOutput{DecreaseRequestsRemaining: new(int32(maxCapacityDecreases))}, nil
}

// DescribeCapacityReservation describes the capacity reservation of a load balancer.
func (a *API) DescribeCapacityReservation(
	ctx context.Context, in *elb.DescribeCapacityReservationInput,
) (*elb.DescribeCapacityReservationOutput, error) {
	if _, err := loadBalancer(a.store.Read(ctx), wire.RegionFrom(ctx), in.LoadBalancerArn); err != nil {
		return nil, err
	}
	return &elb.DescribeCapacityReservationOutput{DecreaseRequestsRemaining: new(int32(maxCapacityDecreases))}, nil
}
