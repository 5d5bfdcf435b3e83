package ec2

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type rootReplacement = *store.RootReplacement

var rootReplacements = resourceType[store.RootReplacement]{
	table: store.RootReplacements, kind: types.ResourceTypeReplaceRootVolumeTask, prefix: "replacevol-",
	notFoundCode: "InvalidReplaceRootVolumeTaskId.NotFound", notFoundText: "The replaceRootVolumeTask ID",
	key:     func(row rootReplacement) (identity.Region, string) { return row.Region, row.ID },
	tags:    func(row rootReplacement) *store.Tags { return &row.Tags },
	filters: filters[rootReplacement]{"instance-id": field(func(row rootReplacement) string { return row.InstanceID })},
}

// CreateReplaceRootVolumeTask gives a running instance another root volume, which has the content that
// the present one was created with, that of a snapshot of a root volume of the instance, or that of an
// image. The instance restarts with it, and keeps everything else (Amazon EC2 User Guide, Replace a root
// volume).
func (a *API) CreateReplaceRootVolumeTask(
	ctx context.Context, in *ec2.CreateReplaceRootVolumeTaskInput,
) (*ec2.CreateReplaceRootVolumeTaskOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "DryRun", "ClientToken", "InstanceId", "SnapshotId", "ImageId",
		"DeleteReplacedRootVolume", "TagSpecifications"); err != nil {
		return nil, err
	}
	if aws.ToString(in.SnapshotId) != "" && aws.ToString(in.ImageId) != "" {
		return nil, wire.Errorf("InvalidParameterCombination",
			"The parameter snapshotId cannot be used with the parameter imageId")
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeReplaceRootVolumeTask)
	if err != nil {
		return nil, err
	}
	var item types.ReplaceRootVolumeTask
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{"CreateReplaceRootVolumeTask", in.ClientToken, in, rowExists(tx, store.RootReplacements)}
		ids, err := a.oncePerToken(tx, region, q, func() ([]string, error) {
			row, err := a.newRootReplacement(tx, region, in)
			if err != nil {
				return nil, err
			}
			row.Tags = tags[types.ResourceTypeReplaceRootVolumeTask]
			store.RootReplacements.Put(tx, row)
			return []string{row.ID}, nil
		})
		if err != nil {
			return err
		}
		row, err := rootReplacements.get(tx, region, ids[0])
		if err != nil {
			return err
		}
		item = rootReplacementItem(row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &ec2.CreateReplaceRootVolumeTaskOutput{ReplaceRootVolumeTask: &item}, nil
}

// newRootReplacement returns the task that a request asks for.
func (a *API) newRootReplacement(
	r store.Reader, region identity.Region, in *ec2.CreateReplaceRootVolumeTaskInput,
) (rootReplacement, error) {
	instance, err := instances.get(r, region, *in.InstanceId)
	if err != nil {
		return nil, err
	}
	if instance.State != store.Running || instance.Desired != store.Running {
		return nil, wire.Errorf(
			"IncorrectInstanceState", "The instance '%s' is not in the 'running' state.", instance.ID,
		)
	}
	if task, ok := store.ReplacementOf(r, instance.ID); ok {
		return nil, wire.Errorf("IncorrectInstanceState",
			"The root volume of the instance '%s' is already being replaced (%s).", instance.ID, task.ID)
	}
	old, ok := store.Volumes.Get(r, instance.RootVolumeID)
	if !ok {
		return nil, wire.Errorf("InvalidVolume.NotFound", "The volume '%s' does not exist.", instance.RootVolumeID)
	}
	row := &store.RootReplacement{
		ID: a.ids.ID(rootReplacements.prefix), InstanceID: instance.ID, Region: region,
		ImageID: aws.ToString(in.ImageId), SnapshotID: aws.ToString(in.SnapshotId),
		OldVolumeID: old.ID, DeleteOld: aws.ToBool(in.DeleteReplacedRootVolume),
		Started: a.Now().UTC(), State: store.ReplacementPending,
	}
	size := old.SizeGiB
	var content snap
	switch {
	case row.ImageID != "":
		var image ami
		if image, content, err = a.replacingImage(r, instance, row.ImageID); err == nil {
			size, row.Traits = max(size, image.RootSizeGiB, content.SizeGiB), image.Traits
		}
	case row.SnapshotID != "":
		content, err = replacingSnapshot(r, instance, row.SnapshotID)
	default:
		content, err = contentOf(r, old.SnapshotID)
	}
	if err != nil {
		return nil, err
	}
	if row.Layers, err = a.rootLayers(content); err != nil {
		return nil, err
	}
	return row, a.setReplacingVolume(r, row, old, content, size)
}

// setReplacingVolume describes the new volume. It has the type of the old one and is deleted with the
// instance as that is, and is encrypted if that or the snapshot is.
func (a *API) setReplacingVolume(
	r store.Reader, row rootReplacement, old disk, content snap, size int32,
) (err error) {
	row.Volume = store.Volume{
		ID: a.ids.ID(volumes.prefix), Region: old.Region, Zone: old.Zone, SnapshotID: content.ID, Device: old.Device,
		DeleteOnTermination: old.DeleteOnTermination, Created: row.Started,
		Encrypted: old.Encrypted, KeyARN: old.KeyARN,
	}
	s := shapeOf(old)
	s.SizeGiB = max(size, content.SizeGiB)
	setShape(&row.Volume, s)
	if !old.Encrypted {
		row.Volume.Encrypted, row.Volume.KeyARN, err = encryption(store.SettingOf(r, row.Region), content, nil, nil)
	}
	return err
}

// replacingImage returns an image whose root volume an instance can get, and the snapshot of that.
func (a *API) replacingImage(r store.Reader, instance vm, id string) (ami, snap, error) {
	image, err := a.launchImage(r, instance.Region, id)
	if err != nil {
		return nil, nil, err
	}
	if state := imageState(image); state != string(types.ImageStateAvailable) {
		return nil, nil, imageUnavailable(image, state)
	}
	t, ok := instancetype.ByName(instance.Type)
	if !ok {
		return nil, nil, wire.Errorf("InvalidParameterValue", "Invalid value '%s' for InstanceType.", instance.Type)
	}
	if err := checkArchitecture(t, image.Architecture); err != nil {
		return nil, nil, err
	}
	if err := checkTraits(t, image.Traits); err != nil {
		return nil, nil, err
	}
	content, err := contentOf(r, image.SnapshotID)
	return image, content, err
}

// replacingSnapshot returns a snapshot of the present root volume of an instance, or of an earlier one.
func replacingSnapshot(r store.Reader, instance vm, id string) (snap, error) {
	content, err := snapshots.get(r, instance.Region, id)
	if err != nil {
		return nil, err
	}
	roots := []string{instance.RootVolumeID}
	for _, task := range store.RootReplacementsByInstance.List(r, instance.ID) {
		roots = append(roots, task.OldVolumeID)
	}
	switch {
	case !slices.Contains(roots, content.VolumeID):
		return nil, invalidValue("snapshotId", id, "It is not a snapshot of a root volume of the instance "+
			instance.ID+".")
	case content.State != string(types.SnapshotStateCompleted):
		return nil, wire.Errorf("IncorrectState", "Snapshot is in invalid state - %s", content.State)
	}
	return content, nil
}

// DescribeReplaceRootVolumeTasks lists replacements of root volumes.
func (a *API) DescribeReplaceRootVolumeTasks(
	ctx context.Context, in *ec2.DescribeReplaceRootVolumeTasksInput,
) (*ec2.DescribeReplaceRootVolumeTasksOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := rootReplacements.describe(view, region, describeQuery{
		ids: in.ReplaceRootVolumeTaskIds, idParameter: "replaceRootVolumeTaskIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeReplaceRootVolumeTasksOutput{
		ReplaceRootVolumeTasks: list(rows, rootReplacementItem), NextToken: next,
	}, nil
}

func rootReplacementItem(row rootReplacement) types.ReplaceRootVolumeTask {
	item := types.ReplaceRootVolumeTask{
		ReplaceRootVolumeTaskId: aws.String(row.ID), InstanceId: aws.String(row.InstanceID),
		ImageId: optionalString(row.ImageID), SnapshotId: optionalString(row.SnapshotID),
		DeleteReplacedRootVolume: aws.Bool(row.DeleteOld), TaskState: types.ReplaceRootVolumeTaskState(row.State),
		StartTime: aws.String(row.Started.Format(time.RFC3339)), Tags: tagSet(row.Tags),
	}
	if row.Ended() {
		item.CompleteTime = aws.String(row.Completed.UTC().Format(time.RFC3339))
	}
	return item
}
