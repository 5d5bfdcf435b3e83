package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// VolumeModifications holds the last change of each volume. The keys are the volumes' ids.
var VolumeModifications = newTable(
	"volume_modifications", func(r *VolumeModification) string { return r.VolumeID }, (*VolumeModification).region,
)

// VolumeModification is a change of a volume's size, type or performance.
type VolumeModification struct {
	VolumeID      string
	Region        identity.Region
	Before, After VolumeShape
	Started       time.Time
}

func (r *VolumeModification) region() identity.Region { return r.Region }

// VolumeShape holds the properties that a modification of a volume can change.
type VolumeShape struct {
	Type             string
	SizeGiB          int32
	IOPS, Throughput int32
	MultiAttach      bool
}
