package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits (Amazon EC2 User Guide, Placement groups).
const (
	maxPlacementGroups    = 500 // of an account in a region
	maxPlacementGroupName = 255
	maxPartitions         = 7 // of a partition placement group
	maxSpread             = 7 // running instances of a spread placement group in a zone
)

type placementGroup = *store.PlacementGroup

var placementGroups = resourceType[store.PlacementGroup]{
	table: store.PlacementGroups, kind: types.ResourceTypePlacementGroup, prefix: "pg-",
	notFoundCode: "InvalidPlacementGroupId.NotFound", notFoundText: "The Placement Group ID",
	malformedCode: "InvalidPlacementGroupId.Malformed",
	key:           func(row placementGroup) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row placementGroup) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row placementGroup) store.Tags { return row.Tags }, filters[placementGroup]{
		"group-name":   field(func(row placementGroup) string { return row.Name }),
		"group-arn":    field(placementGroupARN),
		"state":        constant[placementGroup](string(types.PlacementGroupStateAvailable)),
		"strategy":     field(func(row placementGroup) string { return row.Strategy }),
		"spread-level": optionalField(spreadLevel),
	}),
}

func placementGroupARN(row placementGroup) string {
	return resourceARN(row.Region, "placement-group", row.Name)
}

// spreadLevel returns what the instances of a spread placement group do not share, "" for other
// groups. Only groups on Outposts have hosts instead.
func spreadLevel(row placementGroup) string {
	if row.Strategy == string(types.PlacementStrategySpread) {
		return string(types.SpreadLevelRack)
	}
	return ""
}

// CreatePlacementGroup creates a placement group.
func (a *API) CreatePlacementGroup(
	ctx context.Context, in *ec2.CreatePlacementGroupInput,
) (*ec2.CreatePlacementGroupOutput, error) {
	if err := supportOnly(
		in, "DryRun", "GroupName", "Strategy", "PartitionCount", "TagSpecifications", "SpreadLevel=rack",
	); err != nil {
		return nil, err
	}
	row, err := newPlacementGroup(in)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreatePlacementGroupOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if len(store.PlacementGroupsByName.List(tx, region.Key(row.Name))) > 0 {
			return wire.Errorf(
				"InvalidPlacementGroup.Duplicate", "The placement group '%s' already exists.", row.Name,
			)
		}
		if len(store.PlacementGroups.InRegion(tx, region)) >= maxPlacementGroups {
			return wire.Errorf(
				"PlacementGroupLimitExceeded", "The maximum number of placement groups has been reached.",
			)
		}
		row.ID, row.Region = a.ids.ID(placementGroups.prefix), region
		store.PlacementGroups.Put(tx, row)
		item := placementGroupItem(row)
		out.PlacementGroup = &item
		return nil
	})
}

// newPlacementGroup validates a request and returns the row without its id.
func newPlacementGroup(in *ec2.CreatePlacementGroupInput) (placementGroup, error) {
	if err := required(parameter{"groupName", in.GroupName}); err != nil {
		return nil, err
	}
	row := &store.PlacementGroup{
		Name: *in.GroupName, Strategy: string(in.Strategy), Partitions: aws.ToInt32(in.PartitionCount),
	}
	if len(row.Name) > maxPlacementGroupName || !isASCII(row.Name) {
		return nil, invalidValue("groupName", row.Name, "A name has at most 255 ASCII characters.")
	}
	if err := checkEnum("strategy", in.Strategy); err != nil {
		return nil, err
	}
	partition := in.Strategy == types.PlacementStrategyPartition
	if row.Strategy == "" {
		row.Strategy = string(types.PlacementStrategyCluster)
	}
	switch {
	case in.SpreadLevel != "" && in.Strategy != types.PlacementStrategySpread:
		return nil, wire.Errorf("InvalidParameterCombination",
			"The parameter SpreadLevel can only be specified with the strategy spread.")
	case in.PartitionCount != nil && !partition:
		return nil, wire.Errorf("InvalidParameterCombination",
			"The parameter PartitionCount can only be specified with the strategy partition.")
	case in.PartitionCount != nil && (row.Partitions < 1 || row.Partitions > maxPartitions):
		return nil, invalidValue("partitionCount", strconv.Itoa(int(row.Partitions)), "It must be from 1 to 7.")
	case partition && in.PartitionCount == nil:
		row.Partitions = 2
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypePlacementGroup)
	row.Tags = tags[types.ResourceTypePlacementGroup]
	return row, err
}

// isASCII reports whether a text has printable ASCII characters only.
func isASCII(text string) bool {
	return !slices.ContainsFunc([]rune(text), func(r rune) bool { return r < ' ' || r > '~' })
}

func placementGroupItem(row placementGroup) types.PlacementGroup {
	item := types.PlacementGroup{
		GroupId: aws.String(row.ID), GroupName: aws.String(row.Name), GroupArn: aws.String(placementGroupARN(row)),
		State: types.PlacementGroupStateAvailable, Strategy: types.PlacementStrategy(row.Strategy),
		SpreadLevel: types.SpreadLevel(spreadLevel(row)), Tags: tagSet(row.Tags),
	}
	if row.Partitions > 0 {
		item.PartitionCount = aws.Int32(row.Partitions)
	}
	return item
}

// DescribePlacementGroups lists placement groups.
func (a *API) DescribePlacementGroups(
	ctx context.Context, in *ec2.DescribePlacementGroupsInput,
) (*ec2.DescribePlacementGroupsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(in.GroupIds)
	for _, name := range in.GroupNames {
		row, err := placementGroupNamed(view, region, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, row.ID) {
			ids = append(ids, row.ID)
		}
	}
	rows, _, err := placementGroups.describe(
		view, region, describeQuery{ids: ids, idParameter: "groupIds", filters: in.Filters},
	)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribePlacementGroupsOutput{PlacementGroups: list(rows, placementGroupItem)}, nil
}

// placementGroupNamed returns the region's placement group with the name, or EC2's error.
func placementGroupNamed(r store.Reader, region identity.Region, name string) (placementGroup, error) {
	rows := store.PlacementGroupsByName.List(r, region.Key(name))
	if len(rows) == 0 {
		return nil, wire.Errorf("InvalidPlacementGroup.Unknown", "The Placement Group '%s' is unknown.", name)
	}
	return rows[0], nil
}

// DeletePlacementGroup deletes a placement group without instances.
func (a *API) DeletePlacementGroup(
	ctx context.Context, in *ec2.DeletePlacementGroupInput,
) (*ec2.DeletePlacementGroupOutput, error) {
	if err := required(parameter{"groupName", in.GroupName}); err != nil {
		return nil, err
	}
	out := &ec2.DeletePlacementGroupOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := placementGroupNamed(tx, region, *in.GroupName)
		if err != nil {
			return err
		}
		if len(placedIn(tx, row)) > 0 {
			return wire.Errorf(
				"InvalidPlacementGroup.InUse", "The placement group '%s' is in use and may not be deleted.", row.Name,
			)
		}
		store.PlacementGroups.Delete(tx, row.ID)
		return nil
	})
}

// placedIn returns the instances of a placement group that are not terminated.
func placedIn(r store.Reader, group placementGroup) []vm {
	return slices.DeleteFunc(slices.Clone(store.Instances.InRegion(r, group.Region)), func(row vm) bool {
		return row.PlacementGroupID != group.ID || row.State == store.Terminated
	})
}
