package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// CreateSnapshot records a snapshot of a volume. Only simulated clouds do: elsewhere the
// content of a disk becomes a snapshot with CreateImage.
func (a *API) CreateSnapshot(ctx context.Context, in *ec2.CreateSnapshotInput) (*ec2.CreateSnapshotOutput, error) {
	if err := a.simulatedOnly("CreateSnapshot"); err != nil {
		return nil, err
	}
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
		row := &store.Snapshot{
			ID: a.ids.ID(snapshots.prefix), Region: region, VolumeID: volume.ID, Owner: region.Account(),
			Description: aws.ToString(in.Description), SizeGiB: volume.SizeGiB, Started: a.Now().UTC(),
			Encrypted: volume.Encrypted, KeyARN: volume.KeyARN, Tags: tags[types.ResourceTypeSnapshot],
			State: string(types.SnapshotStateCompleted), Progress: "100%",
		}
		row.CompletesAt = a.Manners.Until(a.Now(), manners.CreateImage, row.ID)
		if instance, ok := store.Instances.Get(tx, volume.InstanceID); ok && instance.RootVolumeID == volume.ID {
			row.Layers = instance.Layers
		}
		store.Snapshots.Put(tx, row)
		*out = ec2.CreateSnapshotOutput{
			SnapshotId: aws.String(row.ID), VolumeId: aws.String(row.VolumeID), OwnerId: aws.String(row.Owner),
			Description: aws.String(row.Description), VolumeSize: aws.Int32(row.SizeGiB),
			StartTime: aws.Time(row.Started), State: types.SnapshotStatePending, Progress: aws.String(""),
			Encrypted: aws.Bool(row.Encrypted), KmsKeyId: optionalString(row.KeyARN), Tags: tagSet(row.Tags),
		}
		return nil
	})
}
