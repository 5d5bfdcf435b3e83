package ec2

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// fleetOf returns a request for a fleet with overrides of a launch template.
func (r *remote) fleetOf(capacity int32, overrides ...types.FleetLaunchTemplateOverridesRequest) *ec2.CreateFleetInput {
	r.t.Helper()
	template := doRemote(r, r.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: aws.String(r.cloud.availableImage()), InstanceType: types.InstanceTypeT3Micro,
		},
	}).LaunchTemplate
	return &ec2.CreateFleetInput{
		Type: types.FleetTypeInstant, ClientToken: aws.String("token"),
		LaunchTemplateConfigs: []types.FleetLaunchTemplateConfigRequest{{
			LaunchTemplateSpecification: &types.FleetLaunchTemplateSpecificationRequest{
				LaunchTemplateId: template.LaunchTemplateId, Version: aws.String("$Latest"),
			},
			Overrides: overrides,
		}},
		TargetCapacitySpecification: &types.TargetCapacitySpecificationRequest{
			TotalTargetCapacity: &capacity, DefaultTargetCapacityType: types.DefaultTargetCapacityTypeOnDemand,
		},
		TagSpecifications: append(specification(types.ResourceTypeInstance, "Name", "web"),
			specification(types.ResourceTypeFleet, "Name", "fleet")...),
	}
}

func TestAFleetLaunchesItsCapacity(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(5,
		types.FleetLaunchTemplateOverridesRequest{
			InstanceType: types.InstanceTypeT3Small, SubnetId: aws.String("subnet-0123456789abcdef0"),
			Priority: aws.Float64(1),
		},
		types.FleetLaunchTemplateOverridesRequest{
			InstanceType: types.InstanceTypeT3Medium, WeightedCapacity: aws.Float64(2), Priority: aws.Float64(2),
		},
	)
	in.OnDemandOptions = &types.OnDemandOptionsRequest{
		AllocationStrategy: types.FleetOnDemandAllocationStrategyPrioritized,
	}
	out := doRemote(r, r.CreateFleet, in)
	if len(out.Errors) != 1 || *out.Errors[0].ErrorCode != "InvalidSubnetID.NotFound" ||
		out.Errors[0].LaunchTemplateAndOverrides.Overrides.InstanceType != types.InstanceTypeT3Small {
		t.Errorf("errors %+v", out.Errors)
	}
	if len(out.Instances) != 1 || len(out.Instances[0].InstanceIds) != 3 ||
		out.Instances[0].InstanceType != types.InstanceTypeT3Medium {
		t.Fatalf("instances %+v", out.Instances)
	}
	for _, id := range out.Instances[0].InstanceIds {
		row, _ := store.Instances.Get(r.cloud.Store.View(), id)
		if row.Tags["Name"] != "web" || row.Tags[fleetOfInstanceTag] != *out.FleetId || row.Type != "t3.medium" {
			t.Errorf("%+v", row)
		}
	}
	if again := doRemote(r, r.CreateFleet, in); *again.FleetId != *out.FleetId ||
		len(store.Instances.List(r.cloud.Store.View())) != 3 {
		t.Errorf("the same token made another fleet: %+v", again)
	}
	if found := doRemote(r, r.DescribeFleets, &ec2.DescribeFleetsInput{}).Fleets; len(found) != 0 {
		t.Errorf("an instant fleet is listed without being named: %+v", found)
	}
	named := &ec2.DescribeFleetsInput{FleetIds: []string{*out.FleetId}}
	found := doRemote(r, r.DescribeFleets, named).Fleets
	if len(found) != 1 || *found[0].FulfilledCapacity != 6 || found[0].FleetState != "active" ||
		len(found[0].Errors) != 1 || len(found[0].LaunchTemplateConfigs[0].Overrides) != 2 {
		t.Errorf("%+v", found)
	}
	remove := &ec2.DeleteFleetsInput{FleetIds: []string{*out.FleetId, "fleet-x"}, TerminateInstances: aws.Bool(true)}
	deleted := doRemote(r, r.DeleteFleets, remove)
	if len(deleted.SuccessfulFleetDeletions) != 1 || len(deleted.UnsuccessfulFleetDeletions) != 1 {
		t.Errorf("%+v", deleted)
	}
	for _, id := range out.Instances[0].InstanceIds {
		if row, _ := store.Instances.Get(r.cloud.Store.View(), id); row.Desired != store.Terminated {
			t.Errorf("%s is to be %s", id, row.Desired)
		}
	}
	if state := doRemote(r, r.DescribeFleets, named).Fleets[0].FleetState; state != "deleted_terminating" {
		t.Errorf("the fleet is %s", state)
	}
}

func TestAFleetThatCannotHaveItsLeastCapacityLaunchesNothing(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(2, types.FleetLaunchTemplateOverridesRequest{SubnetId: aws.String("subnet-0123456789abcdef0")})
	in.OnDemandOptions = &types.OnDemandOptionsRequest{MinTargetCapacity: aws.Int32(1)}
	out := doRemote(r, r.CreateFleet, in)
	if len(out.Instances) != 0 || len(out.Errors) != 1 || len(store.Instances.List(r.cloud.Store.View())) != 0 {
		t.Errorf("%+v", out)
	}
	found := doRemote(r, r.DescribeFleets, &ec2.DescribeFleetsInput{FleetIds: []string{*out.FleetId}}).Fleets
	if len(found) != 1 || found[0].ActivityStatus != types.FleetActivityStatusError {
		t.Errorf("%+v", found)
	}
}

func TestAFleetHasSpotInstances(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(5,
		types.FleetLaunchTemplateOverridesRequest{
			InstanceType: types.InstanceTypeT3Small, MaxPrice: aws.String("0.5"), Priority: aws.Float64(2),
		},
		types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceTypeT3Medium, Priority: aws.Float64(1)},
	)
	in.SpotOptions = &types.SpotOptionsRequest{
		AllocationStrategy: types.SpotAllocationStrategyCapacityOptimizedPrioritized,
	}
	in.TargetCapacitySpecification = &types.TargetCapacitySpecificationRequest{
		TotalTargetCapacity: aws.Int32(5), OnDemandTargetCapacity: aws.Int32(2),
		DefaultTargetCapacityType: types.DefaultTargetCapacityTypeSpot,
	}
	out := doRemote(r, r.CreateFleet, in)
	if len(out.Instances) != 2 || len(out.Errors) != 0 {
		t.Fatalf("%+v", out)
	}
	demanded, spot := out.Instances[0], out.Instances[1]
	if demanded.Lifecycle != "on-demand" || demanded.InstanceType != "t3.small" || len(demanded.InstanceIds) != 2 ||
		spot.Lifecycle != "spot" || spot.InstanceType != "t3.medium" || len(spot.InstanceIds) != 3 {
		t.Errorf("instances %+v", out.Instances)
	}
	for _, kind := range out.Instances {
		for _, id := range kind.InstanceIds {
			row, _ := store.Instances.Get(r.cloud.Store.View(), id)
			if (row.SpotRequestID != "") != (kind.Lifecycle == "spot") {
				t.Errorf("%s is of the request %q", kind.Lifecycle, row.SpotRequestID)
			}
		}
	}
	found := doRemote(r, r.DescribeFleets, &ec2.DescribeFleetsInput{FleetIds: []string{*out.FleetId}}).Fleets[0]
	if s := found.TargetCapacitySpecification; *found.FulfilledCapacity != 5 || *found.FulfilledOnDemandCapacity != 2 ||
		*s.SpotTargetCapacity != 3 || *s.OnDemandTargetCapacity != 2 || found.SpotOptions == nil {
		t.Errorf("%+v", found)
	}
}

func TestFleetsTryTheSmallestTypesFirst(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(1,
		types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceTypeT3Large},
		types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceTypeT3Small},
	)
	got := doRemote(r, r.CreateFleet, in).Instances
	if len(got) != 1 || got[0].InstanceType != types.InstanceTypeT3Small {
		t.Errorf("%+v", got)
	}
}

func TestCreateFleetRefusesInvalidRequests(t *testing.T) {
	r := newRemote(t)
	valid := r.fleetOf(1)
	for name, test := range map[string]struct {
		edit func(in *ec2.CreateFleetInput)
		want string
	}{
		"type": {func(in *ec2.CreateFleetInput) { in.Type = "other" }, "InvalidParameterValue:"},
		"tags": {func(in *ec2.CreateFleetInput) { in.Type = types.FleetTypeMaintain }, "InvalidParameterValue:"},
		"user data": {func(in *ec2.CreateFleetInput) {
			in.LaunchTemplateConfigs = []types.FleetLaunchTemplateConfigRequest{{
				LaunchTemplateSpecification: &types.FleetLaunchTemplateSpecificationRequest{
					LaunchTemplateSpecificationUserData: aws.String("IyE="),
				},
			}}
		}, "UnsupportedOperation:"},
		"least capacity": {func(in *ec2.CreateFleetInput) {
			in.Type, in.TagSpecifications = "", nil
			in.OnDemandOptions = &types.OnDemandOptionsRequest{MinTargetCapacity: aws.Int32(1)}
		}, "UnsupportedOperation:"},
		"later": {func(in *ec2.CreateFleetInput) {
			in.ValidFrom = aws.Time(noon.Add(time.Hour))
		}, "UnsupportedOperation:"},
		"too much": {func(in *ec2.CreateFleetInput) {
			in.TargetCapacitySpecification = &types.TargetCapacitySpecificationRequest{
				TotalTargetCapacity: aws.Int32(2), SpotTargetCapacity: aws.Int32(1),
				OnDemandTargetCapacity: aws.Int32(2),
			}
		}, "InvalidTargetCapacitySpecification:"},
		"hibernation": {func(in *ec2.CreateFleetInput) {
			in.SpotOptions = &types.SpotOptionsRequest{InstanceInterruptionBehavior: "hibernate"}
		}, "UnsupportedOperation:"},
		"price": {func(in *ec2.CreateFleetInput) {
			in.LaunchTemplateConfigs = []types.FleetLaunchTemplateConfigRequest{{
				LaunchTemplateSpecification: valid.LaunchTemplateConfigs[0].LaunchTemplateSpecification,
				Overrides:                   []types.FleetLaunchTemplateOverridesRequest{{MaxPrice: aws.String("-1")}},
			}}
		}, "InvalidParameterValue:"},
		"no capacity": {func(in *ec2.CreateFleetInput) {
			in.TargetCapacitySpecification = &types.TargetCapacitySpecificationRequest{
				TotalTargetCapacity: aws.Int32(0), DefaultTargetCapacityType: "on-demand",
			}
		}, "InvalidParameterValue:"},
		"no template": {func(in *ec2.CreateFleetInput) {
			in.LaunchTemplateConfigs = []types.FleetLaunchTemplateConfigRequest{{}}
		}, "MissingParameter:"},
		"dry run": {func(in *ec2.CreateFleetInput) { in.DryRun = aws.Bool(true) }, dryRun},
	} {
		in := *valid
		test.edit(&in)
		t.Run(name, func(*testing.T) { wantRemoteError(r, r.CreateFleet, &in, test.want) })
	}
	if rows := store.Instances.List(r.cloud.Store.View()); len(rows) != 0 {
		t.Errorf("refused requests left %d instances", len(rows))
	}
}

// maintain takes the steps of a fleet in place of the loop of fleets.
func (r *remote) maintain(id string) {
	r.t.Helper()
	row, _ := store.Fleets.Get(r.cloud.Store.View(), id)
	if _, err := r.cloud.MaintainFleet(r.cloud.ctx, row); err != nil {
		r.t.Fatal(err)
	}
}

func (r *remote) fleet(id string) types.FleetData {
	r.t.Helper()
	return doRemote(r, r.DescribeFleets, &ec2.DescribeFleetsInput{FleetIds: []string{id}}).Fleets[0]
}

func (r *remote) fleetInstances(id string) (ids []string) {
	r.t.Helper()
	in := &ec2.DescribeFleetInstancesInput{FleetId: &id}
	for _, i := range doRemote(r, r.DescribeFleetInstances, in).ActiveInstances {
		ids = append(ids, *i.InstanceId)
	}
	return ids
}

func TestAFleetMaintainsItsCapacity(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(3, types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceTypeT3Small})
	in.Type, in.ReplaceUnhealthyInstances = "", aws.Bool(true)
	wantRemoteError(r, r.CreateFleet, in,
		"InvalidParameterValue: 'instance' is not a valid taggable resource type for this operation.")
	in.TagSpecifications = specification(types.ResourceTypeFleet, "Name", "fleet")
	made := doRemote(r, r.CreateFleet, in)
	if len(made.Instances)+len(made.Errors) > 0 {
		t.Errorf("the response has %+v", made)
	}
	id := *made.FleetId
	listed := doRemote(r, r.DescribeFleets, &ec2.DescribeFleetsInput{}).Fleets
	if len(listed) != 1 || listed[0].Type != types.FleetTypeMaintain || *listed[0].FulfilledCapacity != 3 ||
		listed[0].ExcessCapacityTerminationPolicy != "termination" || listed[0].ActivityStatus != "fulfilled" {
		t.Errorf("fleets %+v", listed)
	}
	first := r.fleetInstances(id)
	if len(first) != 3 {
		t.Fatalf("instances %v", first)
	}

	// A lost instance and an unhealthy one are replaced.
	r.cloud.observe(first[0], store.Terminated)
	r.cloud.observe(first[1], store.Running)
	if err := r.cloud.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, first[1], func(row *store.Instance) { row.ImpairedSince = noon })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if f := r.fleet(id); *f.FulfilledCapacity != 2 || f.ActivityStatus != "pending_fulfillment" {
		t.Errorf("the fleet is %+v", f)
	}
	r.maintain(id)
	r.maintain(id)
	r.maintain(id)
	second := r.fleetInstances(id)
	if len(second) != 3 || slices.Contains(second, first[0]) || slices.Contains(second, first[1]) ||
		!slices.Contains(second, first[2]) {
		t.Errorf("after losses of %v the instances are %v", first[:2], second)
	}
	if row, _ := store.Instances.Get(r.cloud.Store.View(), first[1]); row.Desired != store.Terminated {
		t.Errorf("the unhealthy instance is to be %s", row.Desired)
	}

	modify := func(total int32, policy types.FleetExcessCapacityTerminationPolicy) {
		t.Helper()
		doRemote(r, r.ModifyFleet, &ec2.ModifyFleetInput{
			FleetId: &id, ExcessCapacityTerminationPolicy: policy,
			TargetCapacitySpecification: &types.TargetCapacitySpecificationRequest{TotalTargetCapacity: &total},
		})
		if state := r.fleet(id).FleetState; state != "modifying" {
			t.Errorf("the fleet is %s", state)
		}
		r.maintain(id)
		if state := r.fleet(id).FleetState; state != "active" {
			t.Errorf("the fleet is %s", state)
		}
	}
	doRemote(r, r.ModifyFleet, &ec2.ModifyFleetInput{
		FleetId: &id, LaunchTemplateConfigs: []types.FleetLaunchTemplateConfigRequest{{
			LaunchTemplateSpecification: in.LaunchTemplateConfigs[0].LaunchTemplateSpecification,
		}},
	})
	r.maintain(id)
	if got := r.fleetInstances(id); !slices.Equal(got, second) {
		t.Errorf("with another template, the instances are %v, want %v", got, second)
	}
	modify(5, "")
	if got := r.fleetInstances(id); len(got) != 5 {
		t.Errorf("instances %v, want 5", got)
	}
	modify(4, types.FleetExcessCapacityTerminationPolicyNoTermination)
	if got := r.fleetInstances(id); len(got) != 5 {
		t.Errorf("instances %v, want 5", got)
	}
	modify(2, types.FleetExcessCapacityTerminationPolicyTermination)
	if got := r.fleetInstances(id); len(got) != 2 || !slices.Contains(got, first[2]) {
		t.Errorf("instances %v, want the first two", got)
	}
	history := func(kind types.FleetEventType) (all []string) {
		for _, h := range doRemote(r, r.DescribeFleetHistory, &ec2.DescribeFleetHistoryInput{
			FleetId: &id, StartTime: &noon, EventType: kind,
		}).HistoryRecords {
			all = append(all, *h.EventInformation.EventSubType)
		}
		return all
	}
	want := []string{"submitted", "active"}
	for range 4 {
		want = append(want, "modify_in_progress", "modify_successful")
	}
	if got := history(types.FleetEventTypeFleetChange); !slices.Equal(got, want) {
		t.Errorf("changes of the fleet: %q, want %q", got, want)
	}
	launched := 0
	for _, subType := range history(types.FleetEventTypeInstanceChange) {
		if subType == "launched" {
			launched++
		}
	}
	if launched != 7 {
		t.Errorf("the history has %d launches, want 7", launched)
	}
	doRemote(r, r.DeleteFleets, &ec2.DeleteFleetsInput{FleetIds: []string{id}, TerminateInstances: aws.Bool(false)})
	if state := r.fleet(id).FleetState; state != "deleted_running" {
		t.Errorf("the fleet is %s", state)
	}
	left := r.fleetInstances(id)
	for _, instance := range store.Instances.List(r.cloud.Store.View()) {
		r.cloud.observe(instance.ID, store.Terminated)
	}
	r.maintain(id)
	if f := r.fleet(id); f.FleetState != "deleted" || len(left) != 2 || len(r.fleetInstances(id)) != 0 {
		t.Errorf("the deleted fleet is %s with %v", f.FleetState, r.fleetInstances(id))
	}
}

func TestAnUnhealthyInstanceIsTheFirstThatIsTooMuch(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(3, types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceTypeT3Small})
	in.Type, in.ReplaceUnhealthyInstances, in.TagSpecifications = "", aws.Bool(true), nil
	id := *doRemote(r, r.CreateFleet, in).FleetId
	row, _ := store.Fleets.Get(r.cloud.Store.View(), id)
	unhealthy := row.Launches[0].InstanceIDs[0] // the oldest
	r.cloud.observe(unhealthy, store.Running)
	if err := r.cloud.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, unhealthy, func(row *store.Instance) { row.ImpairedSince = noon })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	healthy := slices.DeleteFunc(r.fleetInstances(id), func(instance string) bool { return instance == unhealthy })
	doRemote(r, r.ModifyFleet, &ec2.ModifyFleetInput{
		FleetId: &id, TargetCapacitySpecification: &types.TargetCapacitySpecificationRequest{
			TotalTargetCapacity: aws.Int32(2),
		},
	})
	r.maintain(id)
	r.maintain(id)
	if got := r.fleetInstances(id); !slices.Equal(got, healthy) {
		t.Errorf("the instances are %v, want those that were healthy, %v", got, healthy)
	}
}

func TestAFleetThatRequestsItsCapacityOnceReplacesNothing(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(2, types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceTypeT3Small})
	in.Type, in.TagSpecifications = types.FleetTypeRequest, nil
	in.ValidUntil, in.TerminateInstancesWithExpiration = aws.Time(noon.Add(time.Hour)), aws.Bool(true)
	id := *doRemote(r, r.CreateFleet, in).FleetId
	lost := r.fleetInstances(id)[0]
	r.cloud.observe(lost, store.Terminated)
	r.maintain(id)
	if got := r.fleetInstances(id); len(got) != 1 {
		t.Errorf("instances %v", got)
	}
	wantRemoteError(r, r.ModifyFleet, &ec2.ModifyFleetInput{FleetId: &id},
		"InvalidParameterValue: Only fleets of the type maintain can be modified.")
	r.cloud.Now = func() time.Time { return noon.Add(2 * time.Hour) }
	r.maintain(id)
	if f := r.fleet(id); f.FleetState != "deleted_terminating" || len(r.fleetInstances(id)) != 0 {
		t.Errorf("an expired fleet is %s with %v", f.FleetState, r.fleetInstances(id))
	}
	wantRemoteError(r, r.CreateFleet, in, "InvalidParameterValue: Value (2026-11-23T13:00:00.000Z) for parameter "+
		"validUntil is invalid. The time is in the past.")
}

func TestOnlyAFleetThatKeepsItsCapacityMayHaveNone(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(0)
	wantRemoteError(r, r.CreateFleet, in,
		"InvalidParameterValue: Value (0) for parameter totalTargetCapacity is invalid. It must be from 1 to 10000.")
	in.Type, in.TagSpecifications = types.FleetTypeMaintain, nil
	id := doRemote(r, r.CreateFleet, in).FleetId
	page := doRemote(r, r.DescribeFleets, &ec2.DescribeFleetsInput{MaxResults: aws.Int32(1)}).Fleets
	if len(page) != 1 || *page[0].FleetId != *id || *page[0].TargetCapacitySpecification.TotalTargetCapacity != 0 {
		t.Errorf("fleets %+v", page)
	}
}
