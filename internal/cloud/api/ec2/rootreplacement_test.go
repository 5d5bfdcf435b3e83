package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// replaceableInstance returns a running instance, and an image of it with its snapshot.
func (c *cloud) replaceableInstance() (instance vm, image ami) {
	c.t.Helper()
	id := c.runningInstance()
	imageID := *do(c, c.CreateImage, &ec2.CreateImageInput{InstanceId: &id, Name: aws.String("mine")}).ImageId
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Images.Edit(tx, imageID, func(row *store.Image) {
			row.State, image = "available", row
			store.Snapshots.Edit(tx, row.SnapshotID, func(s *store.Snapshot) {
				s.State, s.Layers, s.SizeGiB = "completed", []string{"base", "mine"}, 12
			})
		})
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	instance, _ = store.Instances.Get(c.Store.View(), id)
	root, _ := store.Volumes.Get(c.Store.View(), instance.RootVolumeID)
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Snapshots.Edit(tx, root.SnapshotID, func(s *store.Snapshot) { s.Layers = []string{"base"} })
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return instance, image
}

func TestARootVolumeIsReplacedByWhatTheRequestNames(t *testing.T) {
	for name, want := range map[string]struct {
		change func(in *ec2.CreateReplaceRootVolumeTaskInput, image ami)
		layers []string
		size   int32
	}{
		"launch state": {func(*ec2.CreateReplaceRootVolumeTaskInput, ami) {}, []string{"base"}, 8},
		"snapshot": {func(in *ec2.CreateReplaceRootVolumeTaskInput, image ami) {
			in.SnapshotId = &image.SnapshotID
		}, []string{"base", "mine"}, 12},
		"image": {func(in *ec2.CreateReplaceRootVolumeTaskInput, image ami) {
			in.ImageId, in.DeleteReplacedRootVolume = &image.ID, aws.Bool(true)
		}, []string{"base", "mine"}, 12},
	} {
		c := newCloud(t)
		instance, image := c.replaceableInstance()
		in := &ec2.CreateReplaceRootVolumeTaskInput{
			InstanceId: &instance.ID, ClientToken: aws.String("t"),
			TagSpecifications: specification(types.ResourceTypeReplaceRootVolumeTask, "a", "b"),
		}
		want.change(in, image)
		task := do(c, c.CreateReplaceRootVolumeTask, in).ReplaceRootVolumeTask
		if again := do(c, c.CreateReplaceRootVolumeTask, in).ReplaceRootVolumeTask; *again.ReplaceRootVolumeTaskId !=
			*task.ReplaceRootVolumeTaskId {
			t.Errorf("%s: a repeated request made another task", name)
		}
		if task.TaskState != types.ReplaceRootVolumeTaskStatePending || *task.StartTime != "2026-11-23T12:00:00Z" ||
			task.CompleteTime != nil || *task.Tags[0].Key != "a" ||
			aws.ToString(task.ImageId) != aws.ToString(in.ImageId) ||
			*task.DeleteReplacedRootVolume != aws.ToBool(in.DeleteReplacedRootVolume) {
			t.Errorf("%s: task %+v", name, task)
		}
		row, _ := store.RootReplacements.Get(c.Store.View(), *task.ReplaceRootVolumeTaskId)
		if !slices.Equal(row.Layers, want.layers) || row.Volume.SizeGiB != want.size ||
			row.Volume.Device != "/dev/xvda" || row.Volume.Type != "gp3" || row.OldVolumeID != instance.RootVolumeID {
			t.Errorf("%s: row %+v", name, row)
		}
		found := do(c, c.DescribeReplaceRootVolumeTasks, &ec2.DescribeReplaceRootVolumeTasksInput{
			Filters: []types.Filter{filter("instance-id", instance.ID)},
		}).ReplaceRootVolumeTasks
		if len(found) != 1 || *found[0].ReplaceRootVolumeTaskId != row.ID {
			t.Errorf("%s: found %+v", name, found)
		}
		wantError(c, c.CreateReplaceRootVolumeTask, &ec2.CreateReplaceRootVolumeTaskInput{InstanceId: &instance.ID},
			"IncorrectInstanceState: The root volume of the instance '"+instance.ID+"' is already being replaced ("+
				row.ID+").")
	}
}

func TestARootVolumeThatCannotReplaceAnotherIsRefused(t *testing.T) {
	c := newCloud(t)
	instance, image := c.replaceableInstance()
	other := *do(c, c.CopySnapshot, &ec2.CopySnapshotInput{
		SourceRegion: aws.String(home), SourceSnapshotId: &image.SnapshotID,
	}).SnapshotId
	for want, in := range map[string]ec2.CreateReplaceRootVolumeTaskInput{
		"InvalidParameterValue: Value (" + other + ") for parameter snapshotId is invalid. It is not a snapshot of a " +
			"root volume of the instance " + instance.ID + ".": {SnapshotId: &other},
		"InvalidParameterCombination: The parameter snapshotId cannot be used with the parameter imageId": {
			SnapshotId: &other, ImageId: &image.ID,
		},
		"UnsupportedOperation: aloft's local cloud does not support the parameter volumeId": {
			VolumeId: aws.String("vol-0123456789abcdef0"),
		},
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.": {DryRun: aws.Bool(true)},
	} {
		in.InstanceId = &instance.ID
		wantError(c, c.CreateReplaceRootVolumeTask, &in, want)
	}
	c.observe(instance.ID, store.Stopped)
	wantError(c, c.CreateReplaceRootVolumeTask, &ec2.CreateReplaceRootVolumeTaskInput{InstanceId: &instance.ID},
		"IncorrectInstanceState: The instance '"+instance.ID+"' is not in the 'running' state.")
}
