package store

import "aloft.dev/aloft/internal/cloud/identity"

// The keys are ids. PlacementGroupsByName finds "region/name".
var (
	PlacementGroups = newTable(
		"placement_groups", func(r *PlacementGroup) string { return r.ID }, (*PlacementGroup).region,
	)
	PlacementGroupsByName = PlacementGroups.indexBy(
		"name", func(r *PlacementGroup) string { return r.Region.Key(r.Name) },
	)
)

// PlacementGroup says how instances share hardware. All machines share one host: the group is
// recorded, with the limits that EC2 derives from it.
type PlacementGroup struct {
	ID, Name   string
	Region     identity.Region
	Strategy   string // "cluster", "partition", "spread"
	Partitions int32  // of the strategy "partition"
	Tags       Tags
}

func (r *PlacementGroup) region() identity.Region { return r.Region }
