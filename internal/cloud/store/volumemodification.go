package store

import "time"

// VolumeModifications holds the last change of each volume. The keys are the volumes' ids.
var VolumeModifications = newTable(
	"volume_modifications", func(r *VolumeModification) string { return r.VolumeID }, (*VolumeModification).region,
)

// VolumeModification is a change of a volume's size, type or performance.
type VolumeModification struct {
	VolumeID, Region string
	Before, After    VolumeShape
	Started          time.Time
}

func (r *VolumeModification) region() string { return r.Region }

// VolumeShape is what a modification of a volume can change.
type VolumeShape struct {
	Type             string
	SizeGiB          int32
	IOPS, Throughput int32
	MultiAttach      bool
}
