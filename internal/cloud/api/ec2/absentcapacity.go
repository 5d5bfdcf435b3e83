package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// DescribeCapacityReservations lists Capacity Reservations.
func (a *API) DescribeCapacityReservations(
	ctx context.Context, in *ec2.DescribeCapacityReservationsInput,
) (*ec2.DescribeCapacityReservationsOutput, error) {
	out := &ec2.DescribeCapacityReservationsOutput{CapacityReservations: []types.CapacityReservation{}}
	return out, a.none(ctx, absent{
		operation: "DescribeCapacityReservations",
		dryRun:    in.DryRun, ids: in.CapacityReservationIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidCapacityReservationId.NotFound", text: "The capacityReservation ID",
	})
}

// DescribeCapacityReservationFleets lists Capacity Reservation Fleets.
func (a *API) DescribeCapacityReservationFleets(
	ctx context.Context, in *ec2.DescribeCapacityReservationFleetsInput,
) (*ec2.DescribeCapacityReservationFleetsOutput, error) {
	out := &ec2.DescribeCapacityReservationFleetsOutput{
		CapacityReservationFleets: []types.CapacityReservationFleet{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeCapacityReservationFleets",
		dryRun:    in.DryRun, ids: in.CapacityReservationFleetIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidCapacityReservationFleetId.NotFound", text: "The capacityReservationFleet ID",
	})
}

// DescribeHosts lists Dedicated Hosts.
func (a *API) DescribeHosts(ctx context.Context, in *ec2.DescribeHostsInput) (*ec2.DescribeHostsOutput, error) {
	out := &ec2.DescribeHostsOutput{Hosts: []types.Host{}}
	return out, a.none(ctx, absent{
		operation: "DescribeHosts",
		ids:       in.HostIds, filters: in.Filter, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidHostID.NotFound", text: "The host ID",
	})
}

// DescribeHostReservations lists reservations of Dedicated Hosts.
func (a *API) DescribeHostReservations(
	ctx context.Context, in *ec2.DescribeHostReservationsInput,
) (*ec2.DescribeHostReservationsOutput, error) {
	out := &ec2.DescribeHostReservationsOutput{HostReservationSet: []types.HostReservation{}}
	return out, a.none(ctx, absent{
		operation: "DescribeHostReservations",
		ids:       in.HostReservationIdSet, filters: in.Filter, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidHostReservationID.NotFound", text: "The host reservation ID",
	})
}

// DescribeSpotFleetRequests lists requests for Spot Fleets.
func (a *API) DescribeSpotFleetRequests(
	ctx context.Context, in *ec2.DescribeSpotFleetRequestsInput,
) (*ec2.DescribeSpotFleetRequestsOutput, error) {
	out := &ec2.DescribeSpotFleetRequestsOutput{SpotFleetRequestConfigs: []types.SpotFleetRequestConfig{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.SpotFleetRequestIds, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidSpotFleetRequestId.NotFound", text: "The spot fleet request ID",
	})
}

// DescribeInstanceEventWindows lists event windows.
func (a *API) DescribeInstanceEventWindows(
	ctx context.Context, in *ec2.DescribeInstanceEventWindowsInput,
) (*ec2.DescribeInstanceEventWindowsOutput, error) {
	out := &ec2.DescribeInstanceEventWindowsOutput{InstanceEventWindows: []types.InstanceEventWindow{}}
	return out, a.none(ctx, absent{
		operation: "DescribeInstanceEventWindows",
		dryRun:    in.DryRun, ids: in.InstanceEventWindowIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidInstanceEventWindowID.NotFound", text: "The instance event window ID",
	})
}

// DescribeInstanceEventNotificationAttributes says which tags notifications of scheduled events have:
// none. No events are scheduled.
func (a *API) DescribeInstanceEventNotificationAttributes(
	ctx context.Context, in *ec2.DescribeInstanceEventNotificationAttributesInput,
) (*ec2.DescribeInstanceEventNotificationAttributesOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.DescribeInstanceEventNotificationAttributesOutput{
		InstanceTagAttribute: &types.InstanceTagNotificationAttribute{
			IncludeAllTagsOfInstance: aws.Bool(false), InstanceTagKeys: []string{},
		},
	}, err
}
