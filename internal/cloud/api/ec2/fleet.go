package ec2

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

type fleet = *store.Fleet

var uuidPattern = regexp.MustCompile("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

var fleets = resourceType[store.Fleet]{
	table: store.Fleets, kind: types.ResourceTypeFleet, prefix: "fleet-",
	notFoundCode: "InvalidFleetId.NotFound", notFoundText: "The fleet ID", malformedCode: "InvalidFleetId.Malformed",
	key:  func(row fleet) (identity.Region, string) { return row.Region, row.ID },
	tags: func(row fleet) *store.Tags { return &row.Tags },
	wellFormed: func(id string) bool {
		rest, ok := strings.CutPrefix(id, "fleet-")
		return ok && uuidPattern.MatchString(rest)
	},
	filters: filters[fleet]{
		"activity-status":                    field(func(row fleet) string { return string(activityStatus(row)) }),
		"excess-capacity-termination-policy": noValue[fleet],
		"fleet-state":                        field(func(row fleet) string { return string(fleetState(row)) }),
		"replace-unhealthy-instances":        constant[fleet]("false"),
		"type":                               constant[fleet](string(types.FleetTypeInstant)),
	},
}

func fleetState(row fleet) types.FleetStateCode {
	if row.Deleted {
		return types.FleetStateCodeDeletedTerminatingInstances
	}
	return types.FleetStateCodeActive
}

// fleetInput returns the request that created a fleet.
func fleetInput(row fleet) *ec2.CreateFleetInput {
	in := &ec2.CreateFleetInput{}
	if err := json.Unmarshal([]byte(row.Request), in); err != nil {
		return &ec2.CreateFleetInput{} // nothing else writes the field
	}
	return in
}

// fulfilledCapacity returns how many units of its capacity a fleet has launched, by the launches
// that counts reports.
func fulfilledCapacity(row fleet, in *ec2.CreateFleetInput, counts func(store.FleetLaunch) bool) (units float64) {
	for _, l := range row.Launches {
		if counts(l) {
			units += float64(len(l.InstanceIDs)) * overrideAt(in, l.Config, l.Override).weight()
		}
	}
	return units
}

func everything(store.FleetLaunch) bool   { return true }
func isOnDemand(l store.FleetLaunch) bool { return !l.Spot }

// activityStatus reports whether a fleet has launched its capacity. One of the type instant does not
// try again.
func activityStatus(row fleet) types.FleetActivityStatus {
	in := fleetInput(row)
	if s := in.TargetCapacitySpecification; s != nil &&
		fulfilledCapacity(row, in, everything) < float64(aws.ToInt32(s.TotalTargetCapacity)) {
		return types.FleetActivityStatusError
	}
	return types.FleetActivityStatusFulfilled
}

// DescribeFleets describes the fleets with the ids. As on AWS, fleets of the type instant, and the
// local cloud has no others, are listed only if the request names them.
func (a *API) DescribeFleets(ctx context.Context, in *ec2.DescribeFleetsInput) (*ec2.DescribeFleetsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := fleets.describe(view, region, describeQuery{
		ids: in.FleetIds, idParameter: "fleetIds", filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeFleetsOutput{Fleets: []types.FleetData{}}
	if len(in.FleetIds) > 0 {
		out.Fleets, out.NextToken = list(rows, fleetItem), next
	}
	return out, nil
}

func fleetItem(row fleet) types.FleetData {
	in := fleetInput(row)
	capacity := capacityOf(in.TargetCapacitySpecification)
	item := types.FleetData{
		FleetId: aws.String(row.ID), FleetState: fleetState(row), Type: types.FleetTypeInstant,
		ActivityStatus: activityStatus(row), ClientToken: optionalString(row.ClientToken),
		CreateTime: aws.Time(row.Created), FulfilledCapacity: aws.Float64(fulfilledCapacity(row, in, everything)),
		FulfilledOnDemandCapacity: aws.Float64(fulfilledCapacity(row, in, isOnDemand)),
		ReplaceUnhealthyInstances: aws.Bool(false),
		TargetCapacitySpecification: &types.TargetCapacitySpecification{
			TotalTargetCapacity:       in.TargetCapacitySpecification.TotalTargetCapacity,
			OnDemandTargetCapacity:    aws.Int32(int32(capacity.onDemand)),
			SpotTargetCapacity:        aws.Int32(int32(capacity.spot)),
			DefaultTargetCapacityType: defaultCapacityType(in),
		},
		LaunchTemplateConfigs: list(in.LaunchTemplateConfigs, templateConfigItem),
		Tags:                  tagSet(row.Tags),
		Instances: list(row.Launches, func(l store.FleetLaunch) types.DescribeFleetsInstances {
			return types.DescribeFleetsInstances{
				InstanceIds: l.InstanceIDs, InstanceType: types.InstanceType(l.Type),
				Lifecycle:                  fleetLifecycle(l.Spot),
				LaunchTemplateAndOverrides: overrideAt(in, l.Config, l.Override).item(),
			}
		}),
		Errors: list(row.Failures, func(f store.FleetFailure) types.DescribeFleetError {
			return types.DescribeFleetError{
				ErrorCode: aws.String(f.Code), ErrorMessage: aws.String(f.Message),
				Lifecycle:                  fleetLifecycle(f.Spot),
				LaunchTemplateAndOverrides: overrideAt(in, f.Config, f.Override).item(),
			}
		}),
	}
	if o := in.OnDemandOptions; o != nil {
		item.OnDemandOptions = &types.OnDemandOptions{
			AllocationStrategy: o.AllocationStrategy, MinTargetCapacity: o.MinTargetCapacity,
		}
	}
	if o := in.SpotOptions; o != nil {
		item.SpotOptions = &types.SpotOptions{
			AllocationStrategy: o.AllocationStrategy, MinTargetCapacity: o.MinTargetCapacity,
			InstanceInterruptionBehavior: types.SpotInstanceInterruptionBehaviorTerminate,
		}
	}
	return item
}

// defaultCapacityType returns the kind of the capacity that a request gives to neither.
func defaultCapacityType(in *ec2.CreateFleetInput) types.DefaultTargetCapacityType {
	return cmp.Or(in.TargetCapacitySpecification.DefaultTargetCapacityType, types.DefaultTargetCapacityTypeSpot)
}

func fleetLifecycle(spot bool) types.InstanceLifecycle {
	if spot {
		return types.InstanceLifecycleSpot
	}
	return types.InstanceLifecycleOnDemand
}

func templateConfigItem(c types.FleetLaunchTemplateConfigRequest) types.FleetLaunchTemplateConfig {
	return types.FleetLaunchTemplateConfig{
		LaunchTemplateSpecification: fleetTemplate(c.LaunchTemplateSpecification),
		Overrides:                   list(c.Overrides, overrideItem),
	}
}

func fleetTemplate(t *types.FleetLaunchTemplateSpecificationRequest) *types.FleetLaunchTemplateSpecification {
	if t == nil {
		return nil
	}
	return &types.FleetLaunchTemplateSpecification{
		LaunchTemplateId: t.LaunchTemplateId, LaunchTemplateName: t.LaunchTemplateName, Version: t.Version,
	}
}

func overrideItem(o types.FleetLaunchTemplateOverridesRequest) types.FleetLaunchTemplateOverrides {
	return types.FleetLaunchTemplateOverrides{
		AvailabilityZone: o.AvailabilityZone, ImageId: o.ImageId, InstanceType: o.InstanceType, SubnetId: o.SubnetId,
		Priority: o.Priority, WeightedCapacity: o.WeightedCapacity, MaxPrice: o.MaxPrice,
		InstanceRequirements: requirementsItem(o.InstanceRequirements),
	}
}

// DeleteFleets deletes fleets and terminates their instances, which a request for a fleet of the
// type instant must ask for. It returns why it cannot delete the others.
func (a *API) DeleteFleets(ctx context.Context, in *ec2.DeleteFleetsInput) (*ec2.DeleteFleetsOutput, error) {
	switch {
	case len(in.FleetIds) == 0:
		return nil, missingParameter("FleetId")
	case in.TerminateInstances == nil:
		return nil, missingParameter("TerminateInstances")
	}
	out := &ec2.DeleteFleetsOutput{
		SuccessfulFleetDeletions:   []types.DeleteFleetSuccessItem{},
		UnsuccessfulFleetDeletions: []types.DeleteFleetErrorItem{},
	}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		for _, id := range in.FleetIds {
			row, err := fleets.get(tx, region, id)
			switch {
			case err != nil:
				out.UnsuccessfulFleetDeletions = append(out.UnsuccessfulFleetDeletions,
					fleetDeletionError(id, types.DeleteFleetErrorCodeFleetIdDoesNotExist, err.Error()))
				continue
			case !*in.TerminateInstances:
				out.UnsuccessfulFleetDeletions = append(out.UnsuccessfulFleetDeletions, fleetDeletionError(
					id, types.DeleteFleetErrorCodeFleetNotInDeletableState,
					"A fleet of the type instant cannot be deleted without its instances.",
				))
				continue
			}
			before := fleetState(row)
			for _, instance := range store.Instances.InRegion(tx, region) {
				if instance.FleetID == row.ID && !instance.DisableAPITermination {
					store.Instances.Put(tx, a.terminated(tx, instance, false))
				}
			}
			store.Fleets.Edit(tx, row.ID, func(row *store.Fleet) { row.Deleted = true })
			out.SuccessfulFleetDeletions = append(out.SuccessfulFleetDeletions, types.DeleteFleetSuccessItem{
				FleetId: aws.String(id), PreviousFleetState: before,
				CurrentFleetState: types.FleetStateCodeDeletedTerminatingInstances,
			})
		}
		return nil
	})
}

func fleetDeletionError(id string, code types.DeleteFleetErrorCode, message string) types.DeleteFleetErrorItem {
	return types.DeleteFleetErrorItem{
		FleetId: aws.String(id), Error: &types.DeleteFleetError{Code: code, Message: aws.String(message)},
	}
}
