package ec2

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	// maxFleetEvents is how many entries the history of a fleet has.
	maxFleetEvents = 1000
	// fleetRetry is when a fleet tries again to launch what could not be launched.
	fleetRetry = 30 * time.Second
)

// record adds an entry to the history of a fleet. Instant fleets have none.
func (a *API) record(row *store.Fleet, kind types.FleetEventType, subType, instanceID, description string) {
	if row.Type == "" {
		return
	}
	events := append(slices.Clone(row.Events), store.FleetEvent{
		At: a.Now().UTC(), Type: string(kind), SubType: subType, InstanceID: instanceID, Description: description,
	})
	row.Events = events[max(len(events)-maxFleetEvents, 0):]
}

// recordCreation adds the first entries to the history of a fleet.
func (a *API) recordCreation(r store.Reader, row *store.Fleet) {
	a.record(row, types.FleetEventTypeFleetChange, "submitted", "", "")
	a.record(row, types.FleetEventTypeFleetChange, "active", "", "")
	a.recordLaunches(r, row, row.Launches)
	a.recordFailures(row, row.Failures)
}

func (a *API) recordLaunches(r store.Reader, row *store.Fleet, launches []store.FleetLaunch) {
	for _, l := range launches {
		for _, id := range l.InstanceIDs {
			instance, _ := store.Instances.Get(r, id)
			a.record(row, types.FleetEventTypeInstanceChange, "launched", id, fmt.Sprintf(
				`{"instanceType":"%s","image":"%s","productDescription":"Linux/UNIX","availabilityZone":"%s"}`,
				instance.Type, instance.ImageID, instance.Zone,
			))
		}
	}
}

func (a *API) recordFailures(row *store.Fleet, failures []store.FleetFailure) {
	for _, f := range failures {
		a.record(row, types.FleetEventTypeServiceError, f.Code, "", f.Message)
	}
}

// isInFleet reports whether an instance counts for the capacity of its fleet.
func isInFleet(r store.Reader, id string) bool {
	instance, ok := store.Instances.Get(r, id)
	return ok && instance.State != store.ShuttingDown && instance.State != store.Terminated
}

// countedLaunches returns the launches that count for a fleet's capacity: all that an instant fleet
// made, and of others those instances that are not terminated.
func countedLaunches(r store.Reader, row fleet) (counted []store.FleetLaunch) {
	if fleetType(row) == types.FleetTypeInstant {
		return row.Launches
	}
	for _, l := range row.Launches {
		gone := func(id string) bool { return !isInFleet(r, id) }
		l.InstanceIDs = slices.DeleteFunc(slices.Clone(l.InstanceIDs), gone)
		if len(l.InstanceIDs) > 0 {
			counted = append(counted, l)
		}
	}
	return counted
}

// isUnhealthy reports whether an instance fails its status checks.
func isUnhealthy(row vm) bool {
	status, _ := reachability(row)
	return status == types.SummaryStatusImpaired
}

// MaintainFleet takes the steps that a fleet needs: it launches capacity that is missing and
// terminates what is too much or unhealthy, if the fleet maintains its capacity, and it ends a fleet
// whose time is over. It returns when the fleet may need more; zero: after a change.
func (a *API) MaintainFleet(ctx context.Context, row *store.Fleet) (next time.Time, err error) {
	if row.Type == "" || row.Deleted {
		return next, nil
	}
	ctx = wire.WithCaller(ctx, wire.Caller{Region: row.Region})
	in := fleetInput(row)
	if in.ValidUntil != nil {
		if !in.ValidUntil.After(a.Now()) {
			return next, a.expireFleet(ctx, row, aws.ToBool(in.TerminateInstancesWithExpiration))
		}
		next = *in.ValidUntil
	}
	if fleetType(row) != types.FleetTypeMaintain {
		return next, nil
	}
	step, err := a.nextFleetStep(ctx, row, in)
	if err != nil || step.isEmpty(row) {
		return next, err
	}
	if retry := a.Now().Add(fleetRetry); len(step.failures) > 0 && (next.IsZero() || retry.Before(next)) {
		next = retry
	}
	return next, a.takeFleetStep(ctx, row, in, step)
}

// expireFleet ends a fleet whose time is over.
func (a *API) expireFleet(ctx context.Context, row fleet, terminate bool) error {
	return a.change(ctx, nil, func(tx *store.Tx, _ identity.Region) error {
		if present, ok := store.Fleets.Get(tx, row.ID); ok && !present.Deleted {
			a.endFleet(tx, present, terminate)
		}
		return nil
	})
}

// fleetStep describes what a fleet does next.
type fleetStep struct {
	fleetPlan

	kept      []store.FleetLaunch // without instances that are gone
	lost      []string            // instances that are gone
	terminate []string
}

// isEmpty reports whether a step leaves a fleet as it is.
func (s fleetStep) isEmpty(row fleet) bool {
	return !row.Modifying && len(s.lost)+len(s.launches)+len(s.terminate) == 0 &&
		(len(s.failures) == 0 && len(row.Failures) == 0 || reflect.DeepEqual(s.failures, row.Failures))
}

// nextFleetStep finds out what a fleet that maintains its capacity does next.
func (a *API) nextFleetStep(ctx context.Context, row fleet, in *ec2.CreateFleetInput) (step fleetStep, err error) {
	view := a.Store.View()
	for _, l := range row.Launches {
		for _, id := range l.InstanceIDs {
			instance, ok := store.Instances.Get(view, id)
			switch {
			case !isInFleet(view, id):
				step.lost = append(step.lost, id)
			case ok && aws.ToBool(in.ReplaceUnhealthyInstances) && isUnhealthy(instance):
				step.terminate = append(step.terminate, id)
			}
		}
	}
	step.kept = countedLaunches(view, row)
	wanted := capacityOf(in.TargetCapacitySpecification)
	missing := fleetCapacity{
		onDemand: wanted.onDemand - fulfilledCapacity(step.kept, in, isOnDemand),
		spot:     wanted.spot - fulfilledCapacity(step.kept, in, isSpotLaunch),
	}
	if excessPolicy(row, in) == types.FleetExcessCapacityTerminationPolicyTermination {
		for _, spot := range []bool{false, true} {
			excess := excessInstances(view, in, step.kept, spot, -missing.of(spot), step.terminate)
			step.terminate = append(step.terminate, excess...)
		}
	}
	missing.onDemand, missing.spot = max(missing.onDemand, 0), max(missing.spot, 0)
	if missing.onDemand+missing.spot > 0 {
		step.fleetPlan, err = a.planFleet(ctx, in, missing)
	}
	return step, err
}

func isSpotLaunch(l store.FleetLaunch) bool { return l.Spot }

// excessInstances returns the latest instances of a kind without which a fleet has as many units less,
// besides those that terminate anyway.
func excessInstances(
	r store.Reader, in *ec2.CreateFleetInput, launches []store.FleetLaunch, spot bool, units float64, anyway []string,
) (ids []string) {
	ofKind := slices.DeleteFunc(slices.Clone(launches), func(l store.FleetLaunch) bool { return l.Spot != spot })
	for _, l := range ofKind {
		for _, id := range l.InstanceIDs {
			if slices.Contains(anyway, id) {
				units -= weightOf(in, l)
			}
		}
	}
	for _, l := range slices.Backward(ofKind) {
		weight := weightOf(in, l)
		for _, id := range slices.Backward(l.InstanceIDs) {
			instance, _ := store.Instances.Get(r, id)
			if units < weight {
				return ids
			}
			if !instance.DisableAPITermination && !slices.Contains(anyway, id) {
				ids = append(ids, id)
				units -= weight
			}
		}
	}
	return ids
}

// takeFleetStep changes a fleet and its instances, unless the fleet has changed meanwhile: then the
// step is not what it needs.
func (a *API) takeFleetStep(ctx context.Context, row fleet, in *ec2.CreateFleetInput, step fleetStep) error {
	return a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		if present, ok := store.Fleets.Get(tx, row.ID); !ok || present != row {
			return nil
		}
		launched, err := a.launchFleet(ctx, tx, region, in, row.ID, step.launches)
		if err != nil {
			return err
		}
		for _, id := range step.terminate {
			if instance, ok := store.Instances.Get(tx, id); ok {
				store.Instances.Put(tx, a.terminated(tx, instance, false))
			}
		}
		store.Fleets.Edit(tx, row.ID, func(row *store.Fleet) {
			if row.Modifying {
				a.record(row, types.FleetEventTypeFleetChange, "modify_successful", "", "")
			}
			for _, id := range step.lost {
				a.record(row, types.FleetEventTypeInstanceChange, "terminated", id, "")
			}
			a.recordLaunches(tx, row, launched)
			if !reflect.DeepEqual(step.failures, row.Failures) {
				a.recordFailures(row, step.failures)
			}
			row.Modifying, row.Failures = false, step.failures
			row.Launches = append(slices.Clone(step.kept), launched...)
		})
		return nil
	})
}
