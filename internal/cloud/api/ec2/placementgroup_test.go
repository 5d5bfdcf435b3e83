package ec2

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// group creates a placement group with the tag Name=web.
func (r *remote) group(name string, strategy types.PlacementStrategy) types.PlacementGroup {
	r.t.Helper()
	return *doRemote(r, r.CreatePlacementGroup, &ec2.CreatePlacementGroupInput{
		GroupName: &name, Strategy: strategy,
		TagSpecifications: specification(types.ResourceTypePlacementGroup, "Name", "web"),
	}).PlacementGroup
}

func TestPlacementGroups(t *testing.T) {
	r := newRemote(t)
	group := r.group("web", types.PlacementStrategySpread)
	if group.SpreadLevel != types.SpreadLevelRack || group.State != "available" ||
		*group.GroupArn != "arn:aws:ec2:us-east-1:000000000000:placement-group/web" {
		t.Errorf("%+v", group)
	}
	wantFilters(r, placementGroups.filters, map[string]string{
		"group-name": "web", "group-arn": *group.GroupArn, "state": "available", "strategy": "spread",
		"spread-level": "rack",
	}, *group.GroupId, func(f types.Filter) []string {
		out := doRemote(r, r.DescribePlacementGroups, &ec2.DescribePlacementGroupsInput{Filters: []types.Filter{f}})
		return list(out.PlacementGroups, func(g types.PlacementGroup) string { return *g.GroupId })
	})
	for _, in := range []*ec2.DescribePlacementGroupsInput{
		{GroupNames: []string{"web"}}, {GroupIds: []string{*group.GroupId}},
	} {
		if found := doRemote(r, r.DescribePlacementGroups, in).PlacementGroups; len(found) != 1 {
			t.Errorf("found %+v", found)
		}
	}
	wantRemoteError(r, r.DescribePlacementGroups, &ec2.DescribePlacementGroupsInput{GroupNames: []string{"db"}},
		"InvalidPlacementGroup.Unknown: The Placement Group 'db' is unknown.")
	for want, in := range map[string]*ec2.CreatePlacementGroupInput{
		"InvalidPlacementGroup.Duplicate: The placement group 'web' already exists.": {GroupName: aws.String("web")},
		"MissingParameter: The request must contain the parameter groupName":         {},
		"InvalidParameterValue:": {GroupName: aws.String(strings.Repeat("x", 256))},
		"InvalidParameterCombination:": {
			GroupName: aws.String("p"), Strategy: types.PlacementStrategyCluster, PartitionCount: aws.Int32(2),
		},
		"InvalidParameterCombination: The parameter SpreadLevel can only be specified with the strategy spread.": {
			GroupName: aws.String("p"), SpreadLevel: types.SpreadLevelRack,
		},
		"UnsupportedOperation:": {
			GroupName: aws.String("p"), Strategy: types.PlacementStrategySpread, SpreadLevel: types.SpreadLevelHost,
		},
		dryRun: {GroupName: aws.String("p"), DryRun: aws.Bool(true)},
	} {
		wantRemoteError(r, r.CreatePlacementGroup, in, want)
	}
	doRemote(r, r.DeletePlacementGroup, &ec2.DeletePlacementGroupInput{GroupName: aws.String("web")})
	wantRemoteError(r, r.DeletePlacementGroup, &ec2.DeletePlacementGroupInput{GroupName: aws.String("web")},
		"InvalidPlacementGroup.Unknown:")
}

func TestLaunchesObeyTheirPlacementGroup(t *testing.T) {
	r := newRemote(t)
	launch := func(count int32, kind types.InstanceType, p types.Placement) *ec2.RunInstancesInput {
		in := launchOne(r.cloud.availableImage())
		in.MinCount, in.MaxCount, in.InstanceType, in.Placement = &count, &count, kind, &p
		return in
	}
	name := aws.String
	r.group("close", types.PlacementStrategyCluster)
	parts := r.group("parts", types.PlacementStrategyPartition)
	r.group("apart", types.PlacementStrategySpread)

	wantRemoteError(r, r.RunInstances, launch(1, "t3.micro", types.Placement{GroupName: name("close")}),
		"InvalidParameterCombination: Cluster placement groups are not supported by the 't3.micro' instance type. "+
			"Specify a supported instance type or change the placement group strategy, and try again.")
	doRemote(r, r.RunInstances, launch(1, "c5.large", types.Placement{
		GroupName: name("close"), AvailabilityZone: name("us-east-1a"),
	}))
	wantRemoteError(r, r.RunInstances, launch(1, "c5.large", types.Placement{
		GroupName: name("close"), AvailabilityZone: name("us-east-1b"),
	}), "InvalidPlacementGroup.InUse: The placement group 'close' is in use in another availability zone: us-east-1a")

	out := doRemote(r, r.RunInstances, launch(3, "t3.micro", types.Placement{GroupId: parts.GroupId}))
	var partitions []int32
	for _, item := range out.Instances {
		partitions = append(partitions, *item.Placement.PartitionNumber)
	}
	placed := *out.Instances[0].Placement.GroupName
	if placed != "parts" || !slices.Equal(partitions, []int32{1, 2, 1}) {
		t.Errorf("%s has instances in the partitions %v", placed, partitions)
	}
	wantRemoteError(r, r.RunInstances, launch(1, "t3.micro", types.Placement{
		GroupName: name("parts"), PartitionNumber: aws.Int32(3),
	}), "InvalidParameterValue:")
	wantRemoteError(r, r.RunInstances, launch(1, "t3.micro", types.Placement{
		GroupName: name("apart"), PartitionNumber: aws.Int32(1),
	}), "InvalidParameterCombination:")

	many := launch(9, "t3.micro", types.Placement{GroupName: name("apart")})
	many.MinCount = aws.Int32(2)
	if launched := doRemote(r, r.RunInstances, many).Instances; len(launched) != 7 {
		t.Errorf("launched %d instances, want the 7 for which the group has room", len(launched))
	}
	if _, err := r.cloud.RunInstances(r.cloud.ctx, launch(1, "t3.micro", types.Placement{
		GroupName: name("apart"),
	})); code(err) != "InsufficientInstanceCapacity" {
		t.Errorf("an eighth instance: %v", err)
	}

	inUse := "InvalidPlacementGroup.InUse: The placement group 'parts' is in use and may not be deleted."
	wantRemoteError(r, r.DeletePlacementGroup, &ec2.DeletePlacementGroupInput{GroupName: name("parts")}, inUse)
	for _, item := range out.Instances {
		r.cloud.observe(*item.InstanceId, store.Terminated)
	}
	doRemote(r, r.DeletePlacementGroup, &ec2.DeletePlacementGroupInput{GroupName: name("parts")})
}
