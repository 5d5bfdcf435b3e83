package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestImageHasTheVolumesOfItsInstance(t *testing.T) {
	c := newCloud(t)
	instance := c.runningInstance()
	volume := do(c, c.CreateVolume, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(10), VolumeType: types.VolumeTypeGp3,
		Iops: aws.Int32(4000),
	}).VolumeId
	c.settleVolumes()
	do(c, c.AttachVolume, &ec2.AttachVolumeInput{
		VolumeId: volume, InstanceId: &instance, Device: aws.String("/dev/sdf"),
	})
	c.settleVolumes()
	id := do(c, c.CreateImage, &ec2.CreateImageInput{InstanceId: &instance, Name: aws.String("with-data")}).ImageId
	describe := &ec2.DescribeImagesInput{Filters: []types.Filter{
		filter("block-device-mapping.device-name", "/dev/sdf"), filter("block-device-mapping.volume-size", "10"),
	}}
	found := do(c, c.DescribeImages, describe).Images
	if len(found) != 1 || *found[0].ImageId != *id || len(found[0].BlockDeviceMappings) != 2 {
		t.Fatalf("found %+v", found)
	}
	data := found[0].BlockDeviceMappings[1].Ebs
	if *data.VolumeSize != 10 || *data.Iops != 4000 || *data.DeleteOnTermination {
		t.Errorf("mapping %+v", data)
	}
	snapshot, _ := store.Snapshots.Get(c.Store.View(), *data.SnapshotId)
	if snapshot == nil || !snapshot.InFile || snapshot.State != "pending" || snapshot.VolumeID != *volume {
		t.Errorf("snapshot %+v", snapshot)
	}
	_, err := c.DeleteSnapshot(c.ctx, &ec2.DeleteSnapshotInput{SnapshotId: data.SnapshotId})
	if code(err) != "InvalidSnapshot.InUse" {
		t.Errorf("deleting the snapshot of an image: %v", err)
	}
	c.settleVolumes()
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Images.Edit(tx, *id, func(row *store.Image) { row.State = "available" })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err = c.CopyImage(c.ctx, &ec2.CopyImageInput{
		Name: aws.String("copy"), SourceImageId: id, SourceRegion: aws.String("us-east-1"),
	})
	if code(err) != "UnsupportedOperation" {
		t.Errorf("copying an image with volumes: %v", err)
	}

	// A launch has the volume, with what it asks for itself.
	volumesOf := func(mappings ...types.BlockDeviceMapping) []*store.Volume {
		in := launchOne(*id)
		in.BlockDeviceMappings = mappings
		launched := *do(c, c.RunInstances, in).Instances[0].InstanceId
		return slices.DeleteFunc(store.VolumesByInstance.List(c.Store.View(), launched), func(v *store.Volume) bool {
			return v.NVMe == 0
		})
	}
	if got := volumesOf(); len(got) != 1 || got[0].SizeGiB != 10 || got[0].SnapshotID != *data.SnapshotId ||
		got[0].IOPS != 4000 || got[0].DeleteOnTermination || got[0].Device != "/dev/sdf" {
		t.Errorf("a launch has %+v", got)
	}
	larger := types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdf"), Ebs: &types.EbsBlockDevice{
		VolumeSize: aws.Int32(15), DeleteOnTermination: aws.Bool(true),
	}}
	if got := volumesOf(larger); len(got) != 1 || got[0].SizeGiB != 15 || got[0].SnapshotID != *data.SnapshotId ||
		!got[0].DeleteOnTermination {
		t.Errorf("a launch with a larger volume has %+v", got)
	}
	out := do(c, c.DeregisterImage, &ec2.DeregisterImageInput{ImageId: id, DeleteAssociatedSnapshots: aws.Bool(true)})
	if len(out.DeleteSnapshotResults) != 2 {
		t.Errorf("deleted %+v", out.DeleteSnapshotResults)
	}
}
