package ec2

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// taggedByFleet returns the types of resources that a request for a fleet of a type tags. Launch
// templates tag the instances of those that are not instant (Amazon EC2 API Reference, CreateFleet).
func taggedByFleet(of types.FleetType) []types.ResourceType {
	if of == types.FleetTypeInstant {
		return []types.ResourceType{types.ResourceTypeFleet, types.ResourceTypeInstance}
	}
	return []types.ResourceType{types.ResourceTypeFleet}
}

// fleetTemplateParameters returns the parameters of a fleet's launch templates that the local cloud
// supports.
func fleetTemplateParameters() []string {
	const (
		template  = "LaunchTemplateConfigs.LaunchTemplateSpecification."
		overrides = "LaunchTemplateConfigs.Overrides."
	)
	return []string{
		template + "LaunchTemplateId", template + "LaunchTemplateName", template + "Version",
		overrides + "InstanceType", overrides + "SubnetId", overrides + "AvailabilityZone",
		overrides + "WeightedCapacity", overrides + "Priority", overrides + "ImageId",
		overrides + "InstanceRequirements", overrides + "MaxPrice",
	}
}

// checkFleetTemplates refuses launch templates that no fleet can have.
func checkFleetTemplates(configs []types.FleetLaunchTemplateConfigRequest) error {
	count := 0
	for _, c := range configs {
		if t := c.LaunchTemplateSpecification; t == nil ||
			aws.ToString(t.LaunchTemplateId) == "" && aws.ToString(t.LaunchTemplateName) == "" {
			return missingParameter("LaunchTemplateConfigs.LaunchTemplateSpecification")
		}
		count += len(c.Overrides)
		for _, o := range c.Overrides {
			if err := checkChoice(o.InstanceType, o.InstanceRequirements); err != nil {
				return err
			}
			if err := checkSpotPrice(o.MaxPrice); err != nil {
				return err
			}
		}
	}
	if count > maxFleetOverrides {
		return wire.Errorf("InvalidParameterValue", "A fleet has at most %d overrides.", maxFleetOverrides)
	}
	return nil
}

// checkFleetType refuses a type that does not exist, and what a fleet of a type cannot have.
func checkFleetType(in *ec2.CreateFleetInput) error {
	if err := checkEnum("type", in.Type); err != nil {
		return err
	}
	if err := checkEnum("excessCapacityTerminationPolicy", in.ExcessCapacityTerminationPolicy); err != nil {
		return err
	}
	isInstant := in.Type == types.FleetTypeInstant
	least := leastCapacity(in, false) + leastCapacity(in, true)
	return unsupported(map[string]bool{
		"minTargetCapacity of a fleet that is not instant": !isInstant && least > 0,
		"validUntil of an instant fleet":                   isInstant && in.ValidUntil != nil,
		"replaceUnhealthyInstances of a fleet that does not maintain its capacity": aws.ToBool(
			in.ReplaceUnhealthyInstances,
		) && cmp.Or(in.Type, types.FleetTypeMaintain) != types.FleetTypeMaintain,
	})
}

// checkValidity refuses a fleet that begins later or is over.
func (a *API) checkValidity(in *ec2.CreateFleetInput) error {
	now := a.Now()
	switch {
	case in.ValidFrom != nil && in.ValidFrom.After(now):
		return unsupported(map[string]bool{"validFrom in the future": true})
	case in.ValidUntil != nil && !in.ValidUntil.After(now):
		return invalidValue("validUntil", in.ValidUntil.UTC().Format(timeFormat), "The time is in the past.")
	}
	return nil
}

// authorizeFleet returns an error unless the caller may make every launch that a fleet can make later
// in the caller's place. A launch that is not possible yet may be later, with any role: only the
// account itself may leave it to the fleet.
func (a *API) authorizeFleet(ctx context.Context, in *ec2.CreateFleetInput, capacity fleetCapacity) error {
	view, region, err := a.read(ctx, nil)
	if err != nil {
		return err
	}
	for _, spot := range []bool{false, true} {
		if capacity.of(spot) == 0 {
			continue
		}
		candidates, _, err := a.fleetCandidates(view, region, in, spot)
		if err != nil {
			return err
		}
		for _, o := range candidates {
			request := o.launchInput(1, nil)
			call := wire.Call{Service: "ec2", Operation: "RunInstances", Input: request}
			if err := a.Authorize(ctx, call); err != nil {
				return err
			}
			l, err := a.resolveLaunch(view, region, request, "")
			switch {
			case err == nil:
				err = a.passProfile(ctx, view, l.profile)
			case wire.CallerFrom(ctx).Principal.Owner():
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFleetModification refuses a modification that no fleet can have, or new launches that the
// caller may not make.
func (a *API) checkFleetModification(ctx context.Context, in *ec2.ModifyFleetInput) error {
	const target = "TargetCapacitySpecification."
	if err := supportOnly(in, append(
		fleetTemplateParameters(), "DryRun", "FleetId", "ExcessCapacityTerminationPolicy",
		target+"TotalTargetCapacity", target+"OnDemandTargetCapacity", target+"SpotTargetCapacity",
		target+"DefaultTargetCapacityType",
	)...); err != nil {
		return err
	}
	if err := checkEnum("excessCapacityTerminationPolicy", in.ExcessCapacityTerminationPolicy); err != nil {
		return err
	}
	if err := checkFleetTemplates(in.LaunchTemplateConfigs); err != nil {
		return err
	}
	launches := &ec2.CreateFleetInput{LaunchTemplateConfigs: in.LaunchTemplateConfigs}
	return a.authorizeFleet(ctx, launches, fleetCapacity{onDemand: 1, spot: 1})
}

// ModifyFleet changes the capacity of a fleet that maintains it, and what it launches from then on.
// The loop of fleets launches and terminates instances.
func (a *API) ModifyFleet(ctx context.Context, in *ec2.ModifyFleetInput) (*ec2.ModifyFleetOutput, error) {
	if err := required(parameter{"fleetId", in.FleetId}); err != nil {
		return nil, err
	}
	if err := a.checkFleetModification(ctx, in); err != nil {
		return nil, err
	}
	return &ec2.ModifyFleetOutput{Return: aws.Bool(true)}, a.change(ctx, in.DryRun, func(
		tx *store.Tx, region identity.Region,
	) error {
		row, err := fleets.get(tx, region, *in.FleetId)
		switch {
		case err != nil:
			return err
		case fleetType(row) != types.FleetTypeMaintain:
			return wire.Errorf("InvalidParameterValue", "Only fleets of the type maintain can be modified.")
		case row.Deleted:
			return wire.Errorf("IncorrectState", "The fleet '%s' is %s.", row.ID, fleetState(tx, row))
		}
		request := fleetInput(row)
		request.ExcessCapacityTerminationPolicy = cmp.Or(
			in.ExcessCapacityTerminationPolicy, request.ExcessCapacityTerminationPolicy,
		)
		if len(in.LaunchTemplateConfigs) > 0 {
			request.LaunchTemplateConfigs = in.LaunchTemplateConfigs
		}
		if request.TargetCapacitySpecification, err = changedCapacity(
			request.TargetCapacitySpecification, in.TargetCapacitySpecification,
		); err != nil {
			return err
		}
		text, err := json.Marshal(request)
		if err != nil {
			return fmt.Errorf("encode the request of a fleet: %w", err)
		}
		store.Fleets.Edit(tx, row.ID, func(row *store.Fleet) {
			row.Request, row.Modifying = string(text), true
			a.record(row, types.FleetEventTypeFleetChange, "modify_in_progress", "", "")
		})
		return nil
	})
}

// changedCapacity returns the capacity of a fleet after a modification. Without a default kind in the
// request, the fleet keeps its own.
func changedCapacity(
	old, in *types.TargetCapacitySpecificationRequest,
) (*types.TargetCapacitySpecificationRequest, error) {
	if in == nil {
		return old, nil
	}
	if in.TotalTargetCapacity == nil {
		return nil, missingParameter("TargetCapacitySpecification.TotalTargetCapacity")
	}
	changed := *in
	changed.DefaultTargetCapacityType = cmp.Or(in.DefaultTargetCapacityType, old.DefaultTargetCapacityType)
	if *changed.TotalTargetCapacity == 0 {
		return &types.TargetCapacitySpecificationRequest{
			TotalTargetCapacity:       changed.TotalTargetCapacity,
			DefaultTargetCapacityType: changed.DefaultTargetCapacityType,
		}, nil
	}
	_, err := checkCapacitySpecification(&changed)
	return &changed, err
}

// DescribeFleetInstances lists the instances of a fleet that run.
func (a *API) DescribeFleetInstances(
	ctx context.Context, in *ec2.DescribeFleetInstancesInput,
) (*ec2.DescribeFleetInstancesOutput, error) {
	if err := required(parameter{"fleetId", in.FleetId}); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	row, err := fleets.get(view, region, *in.FleetId)
	if err != nil {
		return nil, err
	}
	if err := fleetInstanceFilters.check(in.Filters); err != nil {
		return nil, err
	}
	page := pageRequest{in.MaxResults, in.NextToken}
	if err := page.checkFrom(fleets.smallestPage, "", false); err != nil {
		return nil, err
	}
	var rows []vm
	for _, l := range countedLaunches(view, row) {
		for _, id := range l.InstanceIDs {
			if instance, ok := store.Instances.Get(view, id); ok && isInFleet(view, id) &&
				fleetInstanceFilters.match(view, instance, nil, in.Filters) {
				rows = append(rows, instance)
			}
		}
	}
	slices.SortFunc(rows, func(x, y vm) int { return cmp.Compare(x.ID, y.ID) })
	rows, next, err := paginate(page, rows, func(row vm) string { return row.ID })
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeFleetInstancesOutput{
		FleetId: in.FleetId, ActiveInstances: list(rows, activeInstanceItem), NextToken: next,
	}, nil
}

var fleetInstanceFilters = filters[vm]{
	"instance-type": field(func(row vm) string { return row.Type }),
}

func activeInstanceItem(row vm) types.ActiveInstance {
	health := types.InstanceHealthStatusHealthyStatus
	if isUnhealthy(row) {
		health = types.InstanceHealthStatusUnhealthyStatus
	}
	return types.ActiveInstance{
		InstanceId: aws.String(row.ID), InstanceType: aws.String(row.Type), InstanceHealth: health,
		SpotInstanceRequestId: optionalString(row.SpotRequestID),
	}
}

// DescribeFleetHistory lists what has happened to a fleet since a time.
func (a *API) DescribeFleetHistory(
	ctx context.Context, in *ec2.DescribeFleetHistoryInput,
) (*ec2.DescribeFleetHistoryOutput, error) {
	if err := required(parameter{"fleetId", in.FleetId}); err != nil {
		return nil, err
	}
	if in.StartTime == nil {
		return nil, missingParameter("startTime")
	}
	if err := checkEnum("eventType", in.EventType); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	row, err := fleets.get(view, region, *in.FleetId)
	if err != nil {
		return nil, err
	}
	page := pageRequest{in.MaxResults, in.NextToken}
	if err := page.checkFrom(fleets.smallestPage, "", false); err != nil {
		return nil, err
	}
	entries := numbered(row.Events, func(e store.FleetEvent) bool {
		return !e.At.Before(*in.StartTime) && (in.EventType == "" || e.Type == string(in.EventType))
	})
	entries, next, err := paginate(page, entries, numberedEvent.key)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeFleetHistoryOutput{
		FleetId: in.FleetId, StartTime: in.StartTime, LastEvaluatedTime: aws.Time(a.Now().UTC()), NextToken: next,
		HistoryRecords: list(entries, func(e numberedEvent) types.HistoryRecordEntry {
			return types.HistoryRecordEntry{
				EventType: types.FleetEventType(e.Type), Timestamp: aws.Time(e.At),
				EventInformation: &types.EventInformation{
					EventSubType: aws.String(e.SubType), EventDescription: optionalString(e.Description),
					InstanceId: optionalString(e.InstanceID),
				},
			}
		}),
	}, nil
}

// numberedEvent is an entry of a fleet's history with its position, which orders it.
type numberedEvent struct {
	store.FleetEvent

	number int
}

// key returns the event's place among all pages. Later events do not move it.
func (e numberedEvent) key() string { return fmt.Sprintf("%s-%06d", filterTime(e.At), e.number) }

func numbered(events []store.FleetEvent, selected func(store.FleetEvent) bool) (all []numberedEvent) {
	for i, e := range events {
		if selected(e) {
			all = append(all, numberedEvent{e, i})
		}
	}
	return all
}
