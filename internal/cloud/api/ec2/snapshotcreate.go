package ec2

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateSnapshot creates a snapshot of a volume. The content of a root volume becomes one with
// CreateImage; simulated clouds record one nevertheless.
func (a *API) CreateSnapshot(ctx context.Context, in *ec2.CreateSnapshotInput) (*ec2.CreateSnapshotOutput, error) {
	if err := required(parameter{"volumeId", in.VolumeId}); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "DryRun", "VolumeId", "Description", "TagSpecifications", "Location=regional",
	); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateSnapshotOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		volume, err := volumes.get(tx, region, *in.VolumeId)
		if err != nil {
			return err
		}
		if err := a.checkSnapshotted(volume); err != nil {
			return err
		}
		row := a.addSnapshot(tx, volume, aws.ToString(in.Description), tags[types.ResourceTypeSnapshot])
		*out = ec2.CreateSnapshotOutput{
			SnapshotId: aws.String(row.ID), VolumeId: aws.String(row.VolumeID), OwnerId: aws.String(row.Owner),
			Description: aws.String(row.Description), VolumeSize: aws.Int32(row.SizeGiB),
			StartTime: aws.Time(row.Started), State: types.SnapshotStatePending, Progress: aws.String(""),
			Encrypted: aws.Bool(row.Encrypted), KmsKeyId: optionalString(row.KeyARN), Tags: tagSet(row.Tags),
		}
		return nil
	})
}

// checkSnapshotted refuses a volume that cannot have a snapshot.
func (a *API) checkSnapshotted(volume disk) error {
	switch {
	case volume.State == store.VolumeCreating || volume.State == store.VolumeError:
		return wire.Errorf("IncorrectState", "Volume '%s' is in the '%s' state.", volume.ID, volume.State)
	case volume.FileGiB == 0 && !a.Simulated:
		return wire.NotImplemented("ec2:CreateSnapshot of a root volume (CreateImage does)")
	}
	return nil
}

// addSnapshot stores a snapshot of a volume.
func (a *API) addSnapshot(tx *store.Tx, volume disk, description string, tags store.Tags) snap {
	row := a.newSnapshot(volume, description, time.Time{})
	row.Tags = tags
	row.CompletesAt = a.Manners.Until(a.Now(), manners.CreateImage, row.ID)
	if volume.FileGiB == 0 {
		row.InFile, row.State, row.Progress = false, string(types.SnapshotStateCompleted), "100%"
	}
	if instance, ok := store.Instances.Get(tx, volume.InstanceID); ok && instance.RootVolumeID == volume.ID {
		row.Layers = instance.Layers
	}
	store.Snapshots.Put(tx, row)
	return row
}
