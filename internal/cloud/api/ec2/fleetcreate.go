package ec2

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of a fleet (Amazon EC2 User Guide, EC2 Fleet quotas).
const (
	maxFleetCapacity  = 10_000
	maxFleetOverrides = 300
)

// fleetOfInstanceTag is the tag that names the fleet of an instance.
const fleetOfInstanceTag = "aws:ec2:fleet-id"

// fleetOverride is a launch template of a fleet with one set of parameters that replace its own.
type fleetOverride struct {
	config, override int
	template         *types.FleetLaunchTemplateSpecificationRequest
	parameters       types.FleetLaunchTemplateOverridesRequest
	spot             bool // launches Spot Instances
}

// overrideAt returns the override with a position in a request. An override of -1 is the launch
// template itself.
func overrideAt(in *ec2.CreateFleetInput, config, override int) fleetOverride {
	c := in.LaunchTemplateConfigs[config]
	o := fleetOverride{config: config, override: override, template: c.LaunchTemplateSpecification}
	if override >= 0 {
		o.parameters = c.Overrides[override]
	}
	return o
}

// overridesOf returns the overrides of a request. Without any, a launch template is its own.
func overridesOf(in *ec2.CreateFleetInput) (all []fleetOverride) {
	for i, c := range in.LaunchTemplateConfigs {
		if len(c.Overrides) == 0 {
			all = append(all, overrideAt(in, i, -1))
		}
		for j := range c.Overrides {
			all = append(all, overrideAt(in, i, j))
		}
	}
	return all
}

// isPrioritized reports whether a fleet tries the overrides for a kind of instances by priority.
func isPrioritized(in *ec2.CreateFleetInput, spot bool) bool {
	if spot {
		o := in.SpotOptions
		return o != nil && o.AllocationStrategy == types.SpotAllocationStrategyCapacityOptimizedPrioritized
	}
	o := in.OnDemandOptions
	return o != nil && o.AllocationStrategy == types.FleetOnDemandAllocationStrategyPrioritized
}

// sortOverrides puts overrides in the order in which the fleet tries them: by priority if the
// request says so, or else the smallest types first. AWS goes by price, which the local cloud
// does not know.
func sortOverrides(byPriority bool, all []fleetOverride, typeOf func(fleetOverride) string) {
	if byPriority {
		slices.SortStableFunc(all, func(x, y fleetOverride) int { return cmp.Compare(x.priority(), y.priority()) })
		return
	}
	slices.SortStableFunc(all, func(x, y fleetOverride) int {
		a, _ := instancetype.ByName(typeOf(x))
		b, _ := instancetype.ByName(typeOf(y))
		return instancetype.CompareSizes(a, b)
	})
}

// priority returns the override's priority. One without a priority has the lowest (Amazon EC2 API
// Reference, FleetLaunchTemplateOverridesRequest).
func (o fleetOverride) priority() float64 {
	if o.parameters.Priority == nil {
		return math.MaxFloat64
	}
	return *o.parameters.Priority
}

// weight returns how many units of the capacity an instance counts.
func (o fleetOverride) weight() float64 {
	if w := aws.ToFloat64(o.parameters.WeightedCapacity); w > 0 {
		return w
	}
	return 1
}

// instances returns how many instances a capacity takes.
func (o fleetOverride) instances(capacity float64) int32 {
	return int32(math.Ceil(capacity / o.weight()))
}

func (o fleetOverride) item() *types.LaunchTemplateAndOverridesResponse {
	parameters := overrideItem(o.parameters)
	return &types.LaunchTemplateAndOverridesResponse{
		LaunchTemplateSpecification: fleetTemplate(o.template), Overrides: &parameters,
	}
}

// launchInput returns the request that launches a number of instances of the override.
func (o fleetOverride) launchInput(count int32, tags []types.TagSpecification) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		LaunchTemplate: &types.LaunchTemplateSpecification{
			LaunchTemplateId: o.template.LaunchTemplateId, LaunchTemplateName: o.template.LaunchTemplateName,
			Version: o.template.Version,
		},
		InstanceType: o.parameters.InstanceType, SubnetId: optionalString(aws.ToString(o.parameters.SubnetId)),
		ImageId:  optionalString(aws.ToString(o.parameters.ImageId)),
		MinCount: aws.Int32(1), MaxCount: aws.Int32(count), TagSpecifications: tags,
	}
	if o.spot {
		in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{
			MarketType: types.MarketTypeSpot, SpotOptions: &types.SpotMarketOptions{MaxPrice: o.parameters.MaxPrice},
		}
	}
	if zone := aws.ToString(o.parameters.AvailabilityZone); zone != "" {
		in.Placement = &types.Placement{AvailabilityZone: &zone}
	}
	return in
}

// CreateFleet launches the instances of a fleet, On-Demand and Spot: it tries one override after
// another until the fleet has its capacity. What one of them refuses does not fail the request, and
// is in the response for a fleet of the type instant. MaintainFleet goes on with those of the type
// maintain.
func (a *API) CreateFleet(ctx context.Context, in *ec2.CreateFleetInput) (*ec2.CreateFleetOutput, error) {
	capacity, err := checkFleet(in)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, taggedByFleet(in.Type)...)
	if err != nil {
		return nil, err
	}
	if err := a.checkValidity(in); err != nil {
		return nil, err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode the request of a fleet: %w", err)
	}
	row := &store.Fleet{
		ID: fleets.prefix + a.ids.UUID(), ClientToken: aws.ToString(in.ClientToken), Request: string(text),
		Created: a.Now().UTC(), Tags: tags[types.ResourceTypeFleet],
	}
	if in.Type != types.FleetTypeInstant {
		row.Type = string(cmp.Or(in.Type, types.FleetTypeMaintain))
		if err := a.authorizeFleet(ctx, in, capacity); err != nil {
			return nil, err
		}
	}
	plan, err := a.planFleet(ctx, in, capacity)
	if err != nil {
		return nil, err
	}
	row.Failures = plan.failures
	out := &ec2.CreateFleetOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row.Region = region
		q := tokenRequest{operation: "CreateFleet", token: in.ClientToken, input: in}
		created, err := fleets.createOnce(a, tx, region, q, func() (fleet, error) {
			if row.Launches, err = a.launchFleet(ctx, tx, region, in, row.ID, plan.launches); err != nil {
				return nil, err
			}
			a.recordCreation(tx, row)
			store.Fleets.Put(tx, row)
			return row, nil
		})
		if err != nil {
			return err
		}
		item := fleetItem(tx, created)
		out.FleetId = item.FleetId
		if item.Type != types.FleetTypeInstant {
			return nil
		}
		out.Instances = list(item.Instances, func(i types.DescribeFleetsInstances) types.CreateFleetInstance {
			return types.CreateFleetInstance{
				InstanceIds: i.InstanceIds, InstanceType: i.InstanceType, Lifecycle: i.Lifecycle,
				LaunchTemplateAndOverrides: i.LaunchTemplateAndOverrides,
			}
		})
		out.Errors = list(item.Errors, func(e types.DescribeFleetError) types.CreateFleetError {
			return types.CreateFleetError{
				ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorMessage, Lifecycle: e.Lifecycle,
				LaunchTemplateAndOverrides: e.LaunchTemplateAndOverrides,
			}
		})
		return nil
	})
}

// fleetLaunch is how many instances a fleet launches of an override.
type fleetLaunch struct {
	fleetOverride

	count int32
}

// fleetPlan is what a fleet launches, and why it does not launch more.
type fleetPlan struct {
	launches []fleetLaunch
	failures []store.FleetFailure
}

// planFleet finds out, without changing anything, how many instances of which overrides give a
// fleet its capacity, and why others do not. With fewer than the least capacity that the request
// accepts, it launches none.
func (a *API) planFleet(
	ctx context.Context, in *ec2.CreateFleetInput, capacity fleetCapacity,
) (plan fleetPlan, err error) {
	view, region, err := a.read(ctx, nil)
	if err != nil {
		return fleetPlan{}, err
	}
	for _, spot := range []bool{false, true} {
		wanted := capacity.of(spot)
		if wanted == 0 {
			continue
		}
		candidates, refused, err := a.fleetCandidates(view, region, in, spot)
		if err != nil {
			return fleetPlan{}, err
		}
		plan.failures = append(plan.failures, refused...)
		missing, err := a.planCapacity(ctx, in, &plan, candidates, wanted)
		if err != nil {
			return fleetPlan{}, err
		}
		if wanted-missing < leastCapacity(in, spot) {
			return fleetPlan{failures: plan.failures}, nil
		}
	}
	return plan, nil
}

// leastCapacity returns the capacity of a kind of instances without which a fleet launches nothing.
func leastCapacity(in *ec2.CreateFleetInput, spot bool) float64 {
	switch {
	case spot && in.SpotOptions != nil:
		return float64(aws.ToInt32(in.SpotOptions.MinTargetCapacity))
	case !spot && in.OnDemandOptions != nil:
		return float64(aws.ToInt32(in.OnDemandOptions.MinTargetCapacity))
	}
	return 0
}

// planCapacity adds launches of candidates to a plan until they give a capacity, and why some do not
// launch to its failures. It returns how much is missing.
func (a *API) planCapacity(
	ctx context.Context, in *ec2.CreateFleetInput, plan *fleetPlan, candidates []fleetOverride, wanted float64,
) (missing float64, err error) {
	missing = wanted
	for _, o := range candidates {
		if missing <= 0 {
			break
		}
		trial := append(slices.Clone(plan.launches), fleetLaunch{o, o.instances(missing)})
		launched, err := a.tryFleet(ctx, in, trial)
		if refusal, ok := errors.AsType[*wire.Error](err); ok {
			plan.failures = addFailure(plan.failures, o, refusal)
			continue
		}
		if err != nil {
			return 0, err
		}
		trial[len(trial)-1].count = int32(len(launched[len(launched)-1].InstanceIDs))
		plan.launches = trial
		missing -= float64(trial[len(trial)-1].count) * o.weight()
	}
	return missing, nil
}

// addFailure adds why an override does not launch. Of those for one reason, such as the types that
// meet the same requirements, it keeps the first.
func addFailure(failures []store.FleetFailure, o fleetOverride, refusal *wire.Error) []store.FleetFailure {
	if slices.ContainsFunc(failures, func(f store.FleetFailure) bool {
		return f.Config == o.config && f.Override == o.override && f.Spot == o.spot && f.Code == refusal.Code
	}) {
		return failures
	}
	return append(failures, store.FleetFailure{
		Config: o.config, Override: o.override, Spot: o.spot, Code: refusal.Code, Message: refusal.Message,
	})
}

// fleetType returns the instance type of an override, or "" if its launch template has none either.
func (a *API) fleetType(r store.Reader, region identity.Region, o fleetOverride) string {
	if o.parameters.InstanceType != "" {
		return string(o.parameters.InstanceType)
	}
	l, err := a.resolveLaunch(r, region, o.launchInput(1, nil), "")
	if err != nil {
		return ""
	}
	return instanceTypeName(l.in)
}

// tryFleet runs launches as a dry run and returns what they would launch.
func (a *API) tryFleet(
	ctx context.Context, in *ec2.CreateFleetInput, launches []fleetLaunch,
) (launched []store.FleetLaunch, err error) {
	err = a.change(ctx, aws.Bool(true), func(tx *store.Tx, region identity.Region) (err error) {
		launched, err = a.launchFleet(ctx, tx, region, in, "", launches)
		return err
	})
	if refusal, ok := errors.AsType[*wire.Error](err); ok && refusal.Status == http.StatusPreconditionFailed {
		return launched, nil // the end of a dry run
	}
	return nil, err
}

// launchFleet launches instances of a fleet.
func (a *API) launchFleet(
	ctx context.Context, tx *store.Tx, region identity.Region, in *ec2.CreateFleetInput, id string,
	launches []fleetLaunch,
) (launched []store.FleetLaunch, err error) {
	var tags []types.TagSpecification
	for _, s := range in.TagSpecifications {
		if s.ResourceType == types.ResourceTypeInstance {
			tags = append(tags, s)
		}
	}
	for _, l := range launches {
		done := store.FleetLaunch{Config: l.config, Override: l.override, Spot: l.spot, Weight: l.weight()}
		for left := l.count; left > 0; {
			request := l.launchInput(min(left, maxLaunched), tags)
			call := wire.Call{Service: "ec2", Operation: "RunInstances", Input: request}
			if err := a.Authorize(ctx, call); err != nil {
				return nil, err
			}
			ids, err := a.launchOnce(ctx, tx, region, launchRequest{
				in: request, identity: request, fleetID: id, reserved: store.Tags{fleetOfInstanceTag: id},
			})
			if err != nil {
				return nil, err
			}
			done.InstanceIDs = append(done.InstanceIDs, ids...)
			if left -= *request.MaxCount; len(ids) < int(*request.MaxCount) {
				break // the subnet is full
			}
		}
		first, _ := store.Instances.Get(tx, done.InstanceIDs[0])
		done.Type = first.Type
		launched = append(launched, done)
	}
	return launched, nil
}

// checkFleet refuses a request that no fleet can have, or that the local cloud does not support, and
// returns the capacity that it asks for.
func checkFleet(in *ec2.CreateFleetInput) (capacity fleetCapacity, err error) {
	const target = "TargetCapacitySpecification."
	if err := supportOnly(in, append(
		fleetTemplateParameters(), "DryRun", "ClientToken", "Type", "TagSpecifications",
		"ExcessCapacityTerminationPolicy", "ReplaceUnhealthyInstances", "TerminateInstancesWithExpiration",
		"ValidFrom", "ValidUntil", target+"TotalTargetCapacity", target+"OnDemandTargetCapacity",
		target+"SpotTargetCapacity", target+"DefaultTargetCapacityType",
		"OnDemandOptions.AllocationStrategy", "OnDemandOptions.MinTargetCapacity",
		"SpotOptions.AllocationStrategy", "SpotOptions.MinTargetCapacity", "SpotOptions.InstancePoolsToUseCount",
		"SpotOptions.InstanceInterruptionBehavior=terminate",
	)...); err != nil {
		return capacity, err
	}
	if err := checkFleetType(in); err != nil {
		return capacity, err
	}
	switch {
	case len(in.LaunchTemplateConfigs) == 0:
		return capacity, missingParameter("LaunchTemplateConfigs")
	case in.TargetCapacitySpecification == nil || in.TargetCapacitySpecification.TotalTargetCapacity == nil:
		return capacity, missingParameter("TargetCapacitySpecification.TotalTargetCapacity")
	}
	if err := checkFleetTemplates(in.LaunchTemplateConfigs); err != nil {
		return capacity, err
	}
	// A fleet that keeps its capacity may have none yet.
	if *in.TargetCapacitySpecification.TotalTargetCapacity == 0 && in.Type != types.FleetTypeInstant {
		return capacity, checkEnum(
			"defaultTargetCapacityType", in.TargetCapacitySpecification.DefaultTargetCapacityType)
	}
	return checkCapacitySpecification(in.TargetCapacitySpecification)
}

// fleetCapacity is the capacity of a fleet.
type fleetCapacity struct{ onDemand, spot float64 }

// of returns the capacity of Spot Instances or of On-Demand Instances.
func (c fleetCapacity) of(spot bool) float64 {
	if spot {
		return c.spot
	}
	return c.onDemand
}

// capacityOf returns the capacity that a valid specification asks for. What it gives to neither kind
// is of the default one, or Spot.
func capacityOf(s *types.TargetCapacitySpecificationRequest) fleetCapacity {
	onDemand, spot := aws.ToInt32(s.OnDemandTargetCapacity), aws.ToInt32(s.SpotTargetCapacity)
	rest := aws.ToInt32(s.TotalTargetCapacity) - onDemand - spot
	if s.DefaultTargetCapacityType == types.DefaultTargetCapacityTypeOnDemand {
		return fleetCapacity{float64(onDemand + rest), float64(spot)}
	}
	return fleetCapacity{float64(onDemand), float64(spot + rest)}
}

// checkCapacitySpecification returns the capacity of a fleet.
func checkCapacitySpecification(s *types.TargetCapacitySpecificationRequest) (capacity fleetCapacity, err error) {
	if err := checkEnum("defaultTargetCapacityType", s.DefaultTargetCapacityType); err != nil {
		return capacity, err
	}
	total := *s.TotalTargetCapacity
	onDemand, spot := aws.ToInt32(s.OnDemandTargetCapacity), aws.ToInt32(s.SpotTargetCapacity)
	switch {
	case total < 1 || total > maxFleetCapacity:
		return capacity, invalidValue("totalTargetCapacity", fmt.Sprint(total), "It must be from 1 to 10000.")
	case onDemand < 0 || spot < 0:
		return capacity, invalidValue(
			"targetCapacitySpecification", fmt.Sprint(min(onDemand, spot)), "A capacity cannot be negative.",
		)
	case onDemand > total:
		return capacity, wire.Errorf("InvalidTargetCapacitySpecification",
			"The On-Demand target capacity is more than the total target capacity.")
	case onDemand+spot > total:
		return capacity, wire.Errorf("InvalidTargetCapacitySpecification",
			"The On-Demand and Spot target capacities are more than the total target capacity.")
	}
	return capacityOf(s), nil
}
