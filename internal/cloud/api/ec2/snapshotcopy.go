package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// copiedVolume is the volume of every copied snapshot (Amazon EC2 API Reference, CopySnapshot).
const copiedVolume = "vol-ffffffff"

// CopySnapshot copies a snapshot of the account, or one that is shared with it, from any region. A
// request may be presigned for other regions; the local cloud needs no such URL.
func (a *API) CopySnapshot(ctx context.Context, in *ec2.CopySnapshotInput) (*ec2.CopySnapshotOutput, error) {
	if err := required(
		parameter{"sourceRegion", in.SourceRegion}, parameter{"sourceSnapshotId", in.SourceSnapshotId},
	); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "DryRun", "SourceRegion", "SourceSnapshotId", "Description", "Encrypted", "KmsKeyId", "PresignedUrl",
		"TagSpecifications",
	); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	out := &ec2.CopySnapshotOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		source, err := snapshots.get(tx, identity.RegionOf(region.Account(), *in.SourceRegion), *in.SourceSnapshotId)
		if err != nil {
			return err
		}
		if source.State != string(types.SnapshotStateCompleted) {
			return wire.Errorf("IncorrectState", "Snapshot is in invalid state - %s", source.State)
		}
		row := &store.Snapshot{
			ID: a.ids.ID(snapshots.prefix), Region: region, VolumeID: copiedVolume, Owner: region.Account(),
			Description: aws.ToString(in.Description), SizeGiB: source.SizeGiB, Layers: source.Layers,
			InFile: source.InFile, CopyOf: source.ID, Started: a.Now().UTC(),
			State: string(types.SnapshotStatePending), Progress: "0%", Tags: tags[types.ResourceTypeSnapshot],
		}
		row.CompletesAt = a.Manners.Until(a.Now(), manners.CreateImage, row.ID)
		if !row.InFile {
			row.State, row.Progress = string(types.SnapshotStateCompleted), "100%"
		}
		row.Encrypted, row.KeyARN, err = encryption(store.SettingOf(tx, region), source, in.Encrypted, in.KmsKeyId)
		if err != nil {
			return err
		}
		store.Snapshots.Put(tx, row)
		out.SnapshotId, out.Tags = aws.String(row.ID), tagSet(row.Tags)
		return nil
	})
}

// CreateSnapshots creates snapshots of an instance's volumes, of all or none.
func (a *API) CreateSnapshots(
	ctx context.Context, in *ec2.CreateSnapshotsInput,
) (*ec2.CreateSnapshotsOutput, error) {
	if in.InstanceSpecification == nil {
		return nil, missingParameter("instanceSpecification")
	}
	if err := required(parameter{"instanceSpecification.instanceId", in.InstanceSpecification.InstanceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "DryRun", "InstanceSpecification.InstanceId", "InstanceSpecification.ExcludeBootVolume",
		"InstanceSpecification.ExcludeDataVolumeIds", "Description", "TagSpecifications", "CopyTagsFromSource",
		"Location=regional",
	); err != nil {
		return nil, err
	}
	if err := checkEnum("copyTagsFromSource", in.CopyTagsFromSource); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateSnapshotsOutput{Snapshots: []types.SnapshotInfo{}}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		instance, err := instances.get(tx, region, *in.InstanceSpecification.InstanceId)
		if err != nil {
			return err
		}
		included, err := snapshotted(tx, instance, in.InstanceSpecification)
		if err != nil {
			return err
		}
		for _, volume := range included {
			if err := a.checkSnapshotted(volume); err != nil {
				return err
			}
			own := store.Tags{}
			if in.CopyTagsFromSource == types.CopyTagsFromSourceVolume {
				for key, value := range volume.Tags {
					own[key] = value
				}
			}
			for key, value := range tags[types.ResourceTypeSnapshot] {
				own[key] = value
			}
			row := a.addSnapshot(tx, volume, aws.ToString(in.Description), own)
			out.Snapshots = append(out.Snapshots, types.SnapshotInfo{
				SnapshotId: aws.String(row.ID), VolumeId: aws.String(row.VolumeID), OwnerId: aws.String(row.Owner),
				Description: aws.String(row.Description), VolumeSize: aws.Int32(row.SizeGiB),
				StartTime: aws.Time(row.Started), State: types.SnapshotStatePending, Progress: aws.String(""),
				Encrypted: aws.Bool(row.Encrypted), Tags: tagSet(row.Tags),
			})
		}
		return nil
	})
}

// snapshotted returns the volumes of an instance that a request does not exclude.
func snapshotted(r store.Reader, instance vm, in *types.InstanceSpecification) ([]disk, error) {
	excluded := map[string]bool{}
	for _, id := range in.ExcludeDataVolumeIds {
		if err := volumes.checkID(id); err != nil {
			return nil, err
		}
		excluded[id] = true
	}
	var included []disk
	for _, volume := range disksOf(r, instance) {
		root := volume.ID == instance.RootVolumeID
		switch {
		case root && excluded[volume.ID]:
			return nil, wire.Errorf("InvalidParameterValue",
				"The volume '%s' is a root volume. ExcludeBootVolume excludes it.", volume.ID)
		case root && aws.ToBool(in.ExcludeBootVolume), excluded[volume.ID]:
			delete(excluded, volume.ID)
		default:
			included = append(included, volume)
		}
	}
	for id := range excluded {
		return nil, wire.Errorf("InvalidParameterValue", "The volume '%s' is not attached to the instance.", id)
	}
	if len(included) == 0 {
		return nil, wire.Errorf("InvalidParameterValue",
			"The instance '%s' has no volumes that are not excluded.", instance.ID)
	}
	return included, nil
}
