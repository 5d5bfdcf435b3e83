package ec2

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
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
	smallestPage: 1, // Terraform's provider asks for one
	key:          func(row fleet) (identity.Region, string) { return row.Region, row.ID },
	tags:         func(row fleet) *store.Tags { return &row.Tags },
	wellFormed: func(id string) bool {
		rest, ok := strings.CutPrefix(id, "fleet-")
		return ok && uuidPattern.MatchString(rest)
	},
	filters: filters[fleet]{
		"activity-status": func(r store.Reader, row fleet) []string { return []string{string(activityStatus(r, row))} },
		"fleet-state":     func(r store.Reader, row fleet) []string { return []string{string(fleetState(r, row))} },
		"type":            field(func(row fleet) string { return string(fleetType(row)) }),
		"excess-capacity-termination-policy": optionalField(func(row fleet) string {
			return string(excessPolicy(row, fleetInput(row)))
		}),
		"replace-unhealthy-instances": booleanField(func(row fleet) bool {
			return aws.ToBool(fleetInput(row).ReplaceUnhealthyInstances)
		}),
	},
}

func fleetType(row fleet) types.FleetType {
	return cmp.Or(types.FleetType(row.Type), types.FleetTypeInstant)
}

// excessPolicy returns what a fleet does with instances beyond a smaller capacity. Only those that
// maintain their capacity have a policy.
func excessPolicy(row fleet, in *ec2.CreateFleetInput) types.FleetExcessCapacityTerminationPolicy {
	if fleetType(row) != types.FleetTypeMaintain {
		return ""
	}
	return cmp.Or(in.ExcessCapacityTerminationPolicy, types.FleetExcessCapacityTerminationPolicyTermination)
}

func fleetState(r store.Reader, row fleet) types.FleetStateCode {
	hasInstances := slices.ContainsFunc(row.Launches, func(l store.FleetLaunch) bool {
		return slices.ContainsFunc(l.InstanceIDs, func(id string) bool {
			instance, ok := store.Instances.Get(r, id)
			return ok && instance.State != store.Terminated
		})
	})
	switch {
	case row.Deleted && !hasInstances:
		return types.FleetStateCodeDeleted
	case row.Deleted && row.Keeps:
		return types.FleetStateCodeDeletedRunning
	case row.Deleted:
		return types.FleetStateCodeDeletedTerminatingInstances
	case row.Modifying:
		return types.FleetStateCodeModifying
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

// fulfilledCapacity returns how many units of its capacity a fleet has, by the launches that counts
// reports.
func fulfilledCapacity(
	launches []store.FleetLaunch, in *ec2.CreateFleetInput, counts func(store.FleetLaunch) bool,
) (units float64) {
	for _, l := range launches {
		if counts(l) {
			units += float64(len(l.InstanceIDs)) * weightOf(in, l)
		}
	}
	return units
}

// weightOf returns how many units of the capacity an instance of a launch counts.
func weightOf(in *ec2.CreateFleetInput, l store.FleetLaunch) float64 {
	if l.Weight > 0 {
		return l.Weight
	}
	return overrideAt(in, l.Config, l.Override).weight()
}

func everything(store.FleetLaunch) bool   { return true }
func isOnDemand(l store.FleetLaunch) bool { return !l.Spot }

// activityStatus reports whether a fleet has its capacity.
func activityStatus(r store.Reader, row fleet) types.FleetActivityStatus {
	in := fleetInput(row)
	has := fulfilledCapacity(countedLaunches(r, row), in, everything)
	switch s := in.TargetCapacitySpecification; {
	case row.Deleted && !row.Keeps && fleetType(row) != types.FleetTypeInstant:
		return types.FleetActivityStatusPendingTermination
	case s == nil || has >= float64(aws.ToInt32(s.TotalTargetCapacity)):
		return types.FleetActivityStatusFulfilled
	case len(row.Failures) == 0 && fleetType(row) == types.FleetTypeMaintain:
		return types.FleetActivityStatusPendingFulfillment
	}
	return types.FleetActivityStatusError
}

// DescribeFleets lists fleets. As on AWS, those of the type instant are listed only if the request
// names them.
func (a *API) DescribeFleets(ctx context.Context, in *ec2.DescribeFleetsInput) (*ec2.DescribeFleetsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	filters := in.Filters
	if len(in.FleetIds) == 0 {
		filters = append([]types.Filter{{Name: aws.String("type"), Values: []string{
			string(types.FleetTypeMaintain), string(types.FleetTypeRequest),
		}}}, filters...)
	}
	rows, next, err := fleets.describe(view, region, describeQuery{
		ids: in.FleetIds, idParameter: "fleetIds", filters: filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeFleetsOutput{
		Fleets:    list(rows, func(row fleet) types.FleetData { return fleetItem(view, row) }),
		NextToken: next,
	}, nil
}

func fleetItem(r store.Reader, row fleet) types.FleetData {
	in := fleetInput(row)
	capacity, counted := capacityOf(in.TargetCapacitySpecification), countedLaunches(r, row)
	item := types.FleetData{
		FleetId: aws.String(row.ID), FleetState: fleetState(r, row), Type: fleetType(row),
		ActivityStatus: activityStatus(r, row), ClientToken: optionalString(row.ClientToken),
		CreateTime: aws.Time(row.Created), FulfilledCapacity: aws.Float64(fulfilledCapacity(counted, in, everything)),
		FulfilledOnDemandCapacity:        aws.Float64(fulfilledCapacity(counted, in, isOnDemand)),
		ReplaceUnhealthyInstances:        aws.Bool(aws.ToBool(in.ReplaceUnhealthyInstances)),
		TerminateInstancesWithExpiration: aws.Bool(aws.ToBool(in.TerminateInstancesWithExpiration)),
		ExcessCapacityTerminationPolicy:  excessPolicy(row, in),
		ValidFrom:                        in.ValidFrom, ValidUntil: in.ValidUntil,
		TargetCapacitySpecification: &types.TargetCapacitySpecification{
			TotalTargetCapacity:       in.TargetCapacitySpecification.TotalTargetCapacity,
			OnDemandTargetCapacity:    aws.Int32(int32(capacity.onDemand)),
			SpotTargetCapacity:        aws.Int32(int32(capacity.spot)),
			DefaultTargetCapacityType: defaultCapacityType(in),
		},
		LaunchTemplateConfigs: list(in.LaunchTemplateConfigs, templateConfigItem),
		Tags:                  tagSet(row.Tags),
	}
	item.OnDemandOptions, item.SpotOptions = fleetOptions(in)
	if fleetType(row) == types.FleetTypeInstant {
		item.Instances, item.Errors = fleetResult(row, in)
	}
	return item
}

// fleetResult describes what an instant fleet launched, and what it did not.
func fleetResult(
	row fleet, in *ec2.CreateFleetInput,
) ([]types.DescribeFleetsInstances, []types.DescribeFleetError) {
	return list(row.Launches, func(l store.FleetLaunch) types.DescribeFleetsInstances {
			return types.DescribeFleetsInstances{
				InstanceIds: l.InstanceIDs, InstanceType: types.InstanceType(l.Type),
				Lifecycle:                  fleetLifecycle(l.Spot),
				LaunchTemplateAndOverrides: overrideAt(in, l.Config, l.Override).item(),
			}
		}), list(row.Failures, func(f store.FleetFailure) types.DescribeFleetError {
			return types.DescribeFleetError{
				ErrorCode: aws.String(f.Code), ErrorMessage: aws.String(f.Message),
				Lifecycle:                  fleetLifecycle(f.Spot),
				LaunchTemplateAndOverrides: overrideAt(in, f.Config, f.Override).item(),
			}
		})
}

func fleetOptions(in *ec2.CreateFleetInput) (onDemand *types.OnDemandOptions, spot *types.SpotOptions) {
	if o := in.OnDemandOptions; o != nil {
		onDemand = &types.OnDemandOptions{
			AllocationStrategy: o.AllocationStrategy, MinTargetCapacity: o.MinTargetCapacity,
		}
	}
	if o := in.SpotOptions; o != nil {
		spot = &types.SpotOptions{
			AllocationStrategy: o.AllocationStrategy, MinTargetCapacity: o.MinTargetCapacity,
			InstancePoolsToUseCount:      o.InstancePoolsToUseCount,
			InstanceInterruptionBehavior: types.SpotInstanceInterruptionBehaviorTerminate,
		}
	}
	return onDemand, spot
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

// DeleteFleets deletes fleets. It terminates their instances if the request asks for that, which one
// for a fleet of the type instant must. It returns why it cannot delete the others.
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
			case !*in.TerminateInstances && fleetType(row) == types.FleetTypeInstant:
				out.UnsuccessfulFleetDeletions = append(out.UnsuccessfulFleetDeletions, fleetDeletionError(
					id, types.DeleteFleetErrorCodeFleetNotInDeletableState,
					"A fleet of the type instant cannot be deleted without its instances.",
				))
				continue
			}
			before := fleetState(tx, row)
			after := a.endFleet(tx, row, *in.TerminateInstances)
			out.SuccessfulFleetDeletions = append(out.SuccessfulFleetDeletions, types.DeleteFleetSuccessItem{
				FleetId: aws.String(id), PreviousFleetState: before, CurrentFleetState: after,
			})
		}
		return nil
	})
}

// endFleet deletes a fleet, with or without its instances, and returns its state.
func (a *API) endFleet(tx *store.Tx, row fleet, terminate bool) types.FleetStateCode {
	for _, instance := range store.Instances.InRegion(tx, row.Region) {
		if terminate && instance.FleetID == row.ID && !instance.DisableAPITermination {
			store.Instances.Put(tx, a.terminated(tx, instance, false))
		}
	}
	store.Fleets.Edit(tx, row.ID, func(row *store.Fleet) {
		row.Deleted, row.Keeps, row.Modifying = true, !terminate, false
		a.record(row, types.FleetEventTypeFleetChange, "deleted", "", "")
	})
	if terminate {
		return types.FleetStateCodeDeletedTerminatingInstances
	}
	return types.FleetStateCodeDeletedRunning
}

func fleetDeletionError(id string, code types.DeleteFleetErrorCode, message string) types.DeleteFleetErrorItem {
	return types.DeleteFleetErrorItem{
		FleetId: aws.String(id), Error: &types.DeleteFleetError{Code: code, Message: aws.String(message)},
	}
}
