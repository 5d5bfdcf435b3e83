package ec2

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// snapshotVolumes adds the instance's volumes besides its root volume to an image of it, with
// snapshots that the volumes loop takes.
func (a *API) snapshotVolumes(tx *store.Tx, instance *store.Instance, image *store.Image, tags store.Tags) {
	for _, volume := range disksOf(tx, instance) {
		if volume.NVMe == 0 {
			continue
		}
		snapshot := a.newSnapshot(volume, "Created by CreateImage("+instance.ID+") for "+image.ID, image.AvailableAt)
		snapshot.Tags = tags
		store.Snapshots.Put(tx, snapshot)
		image.Volumes = append(image.Volumes, store.ImageVolume{
			Device: volume.Device, SnapshotID: snapshot.ID, Shape: shapeOf(volume),
			DeleteOnTermination: volume.DeleteOnTermination,
		})
	}
}

// snapshotsOf returns the ids of an image's snapshots, that of the root volume first.
func snapshotsOf(image *store.Image) []string {
	ids := []string{image.SnapshotID}
	for _, v := range image.Volumes {
		ids = append(ids, v.SnapshotID)
	}
	return ids
}

// mappedField returns a filter by a property of each of an image's volumes.
func mappedField(text func(*types.EbsBlockDevice) string) func(store.Reader, ami) []string {
	return func(r store.Reader, row ami) []string {
		return list(imageMappings(r, row), func(m types.BlockDeviceMapping) string { return text(m.Ebs) })
	}
}

// imageMappings returns the block device mappings of an image, that of its root volume first.
func imageMappings(r store.Reader, image *store.Image) []types.BlockDeviceMapping {
	var mappings []types.BlockDeviceMapping
	if snapshot, ok := store.Snapshots.Get(r, image.SnapshotID); ok {
		mappings = append(mappings, types.BlockDeviceMapping{
			DeviceName: aws.String(image.RootDevice), Ebs: &types.EbsBlockDevice{
				SnapshotId:          aws.String(snapshot.ID),
				VolumeSize:          aws.Int32(snapshot.SizeGiB),
				VolumeType:          types.VolumeType(image.RootVolumeType),
				DeleteOnTermination: aws.Bool(true),
				Encrypted:           aws.Bool(snapshot.Encrypted),
			},
		})
	}
	return append(mappings, volumeMappings(r, image)...)
}

// volumeMappings returns the block device mappings of an image, but for that of its root volume.
func volumeMappings(r store.Reader, image *store.Image) []types.BlockDeviceMapping {
	var mappings []types.BlockDeviceMapping
	for _, v := range image.Volumes {
		ebs := &types.EbsBlockDevice{
			SnapshotId: aws.String(v.SnapshotID), VolumeSize: aws.Int32(v.Shape.SizeGiB),
			VolumeType: types.VolumeType(v.Shape.Type), DeleteOnTermination: aws.Bool(v.DeleteOnTermination),
			Encrypted: aws.Bool(false),
		}
		if t := volumeTypes[ebs.VolumeType]; t.maxIOPS > 0 {
			ebs.Iops = optionalNumber(v.Shape.IOPS)
		}
		ebs.Throughput = optionalNumber(v.Shape.Throughput)
		if snapshot, ok := store.Snapshots.Get(r, v.SnapshotID); ok {
			ebs.Encrypted = aws.Bool(snapshot.Encrypted)
		}
		mappings = append(mappings, types.BlockDeviceMapping{DeviceName: aws.String(v.Device), Ebs: ebs})
	}
	return mappings
}

// withImageVolumes adds the volumes of an image to the mappings of a launch, unless those have the
// device: then what the launch leaves out is the image's.
func withImageVolumes(r store.Reader, image *store.Image, given []types.BlockDeviceMapping) []types.BlockDeviceMapping {
	merged := slices.Clone(given)
	for _, own := range volumeMappings(r, image) {
		own.Ebs.Encrypted = nil // the snapshot decides
		at := slices.IndexFunc(merged, func(m types.BlockDeviceMapping) bool {
			return aws.ToString(m.DeviceName) == aws.ToString(own.DeviceName)
		})
		if at < 0 {
			merged = append(merged, own)
			continue
		}
		if merged[at].Ebs != nil && aws.ToString(merged[at].Ebs.SnapshotId) == "" {
			overlay(own.Ebs, merged[at].Ebs)
			merged[at].Ebs = own.Ebs
		}
	}
	return merged
}

// newSnapshot returns the row of a snapshot of a volume whose content is a file.
func (a *API) newSnapshot(volume *store.Volume, description string, completes time.Time) *store.Snapshot {
	return &store.Snapshot{
		ID: a.ids.ID(snapshots.prefix), Region: volume.Region, VolumeID: volume.ID, Owner: volume.Region.Account(),
		Description: description, SizeGiB: volume.SizeGiB, Started: a.Now().UTC(), CompletesAt: completes,
		Encrypted: volume.Encrypted, KeyARN: volume.KeyARN, InFile: true,
		State: string(types.SnapshotStatePending), Progress: "0%",
	}
}
