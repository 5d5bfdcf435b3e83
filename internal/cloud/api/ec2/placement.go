package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// resolvePlacement finds the placement group of a launch, and refuses what its strategy does not
// allow.
func (l *launch) resolvePlacement(r store.Reader, region identity.Region) error {
	p := l.in.Placement
	if p == nil {
		return nil
	}
	var err error
	if l.group, err = namedGroup(r, region, aws.ToString(p.GroupName), aws.ToString(p.GroupId)); err != nil {
		return err
	}
	return checkPartition(l.group, p.PartitionNumber)
}

// namedGroup returns the placement group with a name or an id, or nil with neither.
func namedGroup(r store.Reader, region identity.Region, name, id string) (placementGroup, error) {
	switch {
	case name != "" && id != "":
		return nil, wire.Errorf("InvalidParameterCombination",
			"The parameters GroupName and GroupId cannot be specified together.")
	case name != "":
		return placementGroupNamed(r, region, name)
	case id != "":
		return placementGroups.get(r, region, id)
	}
	return nil, nil
}

// checkPartition refuses a partition, if there is one, that a placement group, which may be nil, does
// not have.
func checkPartition(group placementGroup, partition *int32) error {
	switch {
	case partition == nil:
	case group == nil || group.Partitions == 0:
		return wire.Errorf("InvalidParameterCombination",
			"The parameter PartitionNumber can only be specified with a partition placement group.")
	case *partition < 1 || *partition > group.Partitions:
		return invalidValue("partitionNumber", strconv.Itoa(int(*partition)),
			"The placement group has "+strconv.Itoa(int(group.Partitions))+" partitions.")
	}
	return nil
}

// checkPlacement refuses a launch whose placement group has no place for its instances.
func (l *launch) checkPlacement(r store.Reader) error {
	if l.group == nil {
		return nil
	}
	var err error
	l.room, err = roomIn(r, l.group, instanceTypeName(l.in), l.subnet.Zone, aws.ToInt32(l.in.MinCount))
	return err
}

// roomIn returns for how many more instances of a type a placement group has room in a zone; zero stands
// for any number. It refuses a type or a zone that the group cannot have, and fewer than least.
func roomIn(r store.Reader, group placementGroup, typeName, zone string, least int32) (int32, error) {
	placed := placedIn(r, group)
	switch types.PlacementStrategy(group.Strategy) {
	case types.PlacementStrategyCluster:
		t, _ := instancetype.ByName(typeName)
		if !t.ClusterPlacement {
			return 0, wire.Errorf("InvalidParameterCombination",
				"Cluster placement groups are not supported by the '%s' instance type. Specify a supported instance "+
					"type or change the placement group strategy, and try again.", t.Name)
		}
		if len(placed) > 0 && placed[0].Zone != zone {
			return 0, wire.Errorf("InvalidPlacementGroup.InUse",
				"The placement group '%s' is in use in another availability zone: %s", group.Name, placed[0].Zone)
		}
	case types.PlacementStrategySpread:
		room := int32(maxSpread)
		for _, row := range placed {
			if row.Zone == zone && row.State != store.Stopped {
				room--
			}
		}
		if room < least {
			return 0, insufficientCapacity("A spread placement group has at most 7 running instances in a zone.")
		}
		return room, nil
	}
	return 0, nil
}

// most returns how many instances a launch creates at most: those that it asks for, or for which its
// placement group has room.
func (l *launch) most() int32 {
	most := aws.ToInt32(l.in.MaxCount)
	if l.room > 0 {
		return min(most, l.room)
	}
	return most
}

// nextPartition returns the partition of the next instance of a launch: that of the request, or the
// one with the fewest instances. It returns zero without a partition placement group.
func (l *launch) nextPartition(r store.Reader) int32 {
	if l.group == nil {
		return 0
	}
	return partitionIn(r, l.group, l.in.Placement.PartitionNumber)
}

// partitionIn returns the partition of the next instance of a placement group: the given one, or the
// one with the fewest instances. It returns zero if the group has none.
func partitionIn(r store.Reader, group placementGroup, given *int32) int32 {
	if group.Partitions == 0 {
		return 0
	}
	if given != nil {
		return *given
	}
	counts := make([]int, group.Partitions)
	for _, row := range placedIn(r, group) {
		if row.Partition > 0 {
			counts[row.Partition-1]++
		}
	}
	return int32(slices.Index(counts, slices.Min(counts))) + 1
}

// placementItem returns where an instance is.
func placementItem(r store.Reader, row vm) *types.Placement {
	p := &types.Placement{
		AvailabilityZone: aws.String(row.Zone), Tenancy: tenancyOf(row), GroupName: aws.String(""),
	}
	if group, ok := store.PlacementGroups.Get(r, row.PlacementGroupID); ok {
		p.GroupName, p.GroupId = aws.String(group.Name), aws.String(group.ID)
	}
	if row.Partition > 0 {
		p.PartitionNumber = aws.Int32(row.Partition)
	}
	return p
}

// ModifyInstancePlacement moves a stopped instance into a placement group, to another partition of its
// group, or, with an empty name, out of its group.
func (a *API) ModifyInstancePlacement(
	ctx context.Context, in *ec2.ModifyInstancePlacementInput,
) (*ec2.ModifyInstancePlacementOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "InstanceId", "GroupName", "GroupId", "PartitionNumber"); err != nil {
		return nil, err
	}
	if in.GroupName == nil && in.GroupId == nil && in.PartitionNumber == nil {
		return nil, wire.Errorf("InvalidRequest", "The request has no attribute to modify.")
	}
	out := &ec2.ModifyInstancePlacementOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if row.State != store.Stopped {
			return notStopped(row)
		}
		group, err := namedGroup(tx, region, aws.ToString(in.GroupName), aws.ToString(in.GroupId))
		if err != nil {
			return err
		}
		if in.GroupName == nil && in.GroupId == nil {
			group, _ = store.PlacementGroups.Get(tx, row.PlacementGroupID)
		}
		return place(tx, row, group, in.PartitionNumber)
	})
}

// place moves an instance into a placement group, or with nil out of its group.
func place(tx *store.Tx, row vm, group placementGroup, partition *int32) error {
	if err := checkPartition(group, partition); err != nil {
		return err
	}
	id, number := "", int32(0)
	if group != nil {
		if group.ID != row.PlacementGroupID {
			if _, err := roomIn(tx, group, row.Type, row.Zone, 1); err != nil {
				return err
			}
		}
		id, number = group.ID, partitionIn(tx, group, partition)
	}
	store.Instances.Edit(tx, row.ID, func(row *store.Instance) {
		row.PlacementGroupID, row.Partition = id, number
	})
	return nil
}
