package elbv2_test

import (
	"errors"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
)

func TestCapacityReservationObeysQuota(t *testing.T) {
	w := newWorld(t)
	client, lb := w.client(), w.balancer()
	modify := func(units *int32, reset *bool) (*elb.ModifyCapacityReservationOutput, error) {
		in := &elb.ModifyCapacityReservationInput{
			LoadBalancerArn:          lb.LoadBalancerArn,
			ResetCapacityReservation: reset,
		}
		if units != nil {
			in.MinimumLoadBalancerCapacity = &types.MinimumLoadBalancerCapacity{CapacityUnits: units}
		}
		return client.ModifyCapacityReservation(w.ctx, in)
	}
	wantNone := func(minimum *types.MinimumLoadBalancerCapacity, zones int, decreases *int32) {
		t.Helper()
		if minimum != nil || zones != 0 || decreases == nil || *decreases != 2 {
			t.Errorf(
				"minimum %+v, %d zones, %v decreases; want no reservation and 2 decreases", minimum, zones, decreases,
			)
		}
	}

	_, err := modify(new(int32(100)), nil)
	if _, ok := errors.AsType[*types.CapacityUnitsLimitExceededException](err); !ok {
		t.Errorf("reserve 100 units: %v, want CapacityUnitsLimitExceeded", err)
	}
	_, err = modify(new(int32(0)), nil)
	wantAPICode(t, err, "ValidationError")
	_, err = modify(nil, nil)
	wantAPICode(t, err, "ValidationError")
	reset := must(modify(nil, new(true)))(t)
	wantNone(reset.MinimumLoadBalancerCapacity, len(reset.CapacityReservationState), reset.DecreaseRequestsRemaining)

	in := &elb.DescribeCapacityReservationInput{LoadBalancerArn: lb.LoadBalancerArn}
	out := must(client.DescribeCapacityReservation(w.ctx, in))(t)
	wantNone(out.MinimumLoadBalancerCapacity, len(out.CapacityReservationState), out.DecreaseRequestsRemaining)
	in.LoadBalancerArn = new(*lb.LoadBalancerArn + "0")
	_, err = client.DescribeCapacityReservation(w.ctx, in)
	wantAPICode(t, err, "LoadBalancerNotFound")
}

func wantAPICode(t *testing.T, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
