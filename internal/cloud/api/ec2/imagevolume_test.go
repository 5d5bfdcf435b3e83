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
	copied := do(c, c.CopyImage, &ec2.CopyImageInput{
		Name: aws.String("copy"), SourceImageId: id, SourceRegion: aws.String("us-east-1"), Encrypted: aws.Bool(true),
	}).ImageId
	duplicate, _ := store.Images.Get(c.Store.View(), *copied)
	if v := duplicate.Volumes[0]; v.SnapshotID == *data.SnapshotId || v.Shape.IOPS != 4000 {
		t.Errorf("the copy has the volume %+v", v)
	}
	content, _ := store.Snapshots.Get(c.Store.View(), duplicate.Volumes[0].SnapshotID)
	if !content.InFile || content.CopyOf != *data.SnapshotId || content.State != "pending" || !content.Encrypted {
		t.Errorf("the copy has the snapshot %+v", content)
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

func TestCreateImageTakesMappings(t *testing.T) {
	c := newCloud(t)
	instance := c.runningInstance()
	for _, device := range []string{"/dev/sdf", "/dev/sdg"} {
		volume := do(c, c.CreateVolume, &ec2.CreateVolumeInput{
			AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(10),
		}).VolumeId
		c.settleVolumes()
		do(c, c.AttachVolume, &ec2.AttachVolumeInput{VolumeId: volume, InstanceId: &instance, Device: &device})
		c.settleVolumes()
	}
	of := func(device string, ebs *types.EbsBlockDevice) types.BlockDeviceMapping {
		return types.BlockDeviceMapping{DeviceName: &device, Ebs: ebs}
	}
	without := types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdg"), NoDevice: aws.String("")}
	rootDevice := rootDeviceOf(c.Store.View(), &store.Instance{})
	for want, m := range map[string]types.BlockDeviceMapping{
		"InvalidBlockDeviceMapping: The size of the volume at /dev/sdf cannot be changed: it is 10 GiB.": of("/dev/sdf",
			&types.EbsBlockDevice{VolumeSize: aws.Int32(20)}),
		"InvalidBlockDeviceMapping: The type and the performance of the volume at /dev/sdf cannot be changed: modify " +
			"the volume first.": of("/dev/sdf", &types.EbsBlockDevice{VolumeType: types.VolumeTypeIo1}),
		"InvalidBlockDeviceMapping: The type and the performance of the volume at " + rootDevice + " cannot be " +
			"changed: modify the volume first.": of(rootDevice, &types.EbsBlockDevice{Iops: aws.Int32(9000)}),
		"InvalidBlockDeviceMapping: The snapshot of the volume at /dev/sdf cannot be specified.": of("/dev/sdf",
			&types.EbsBlockDevice{SnapshotId: aws.String("snap-0123456789abcdef0")}),
		"InvalidBlockDeviceMapping: the encrypted flag cannot be specified since device /dev/sdf has a snapshot " +
			"specified.": of("/dev/sdf", &types.EbsBlockDevice{Encrypted: aws.Bool(true)}),
		"InvalidBlockDeviceMapping: The root device " + rootDevice + " of an image must be an EBS volume.": {
			DeviceName: &rootDevice, NoDevice: aws.String("")},
	} {
		wantError(c, c.CreateImage, &ec2.CreateImageInput{
			InstanceId: &instance, Name: aws.String("bad"), BlockDeviceMappings: []types.BlockDeviceMapping{m},
		}, want)
	}
	id := do(c, c.CreateImage, &ec2.CreateImageInput{
		InstanceId: &instance, Name: aws.String("mapped"), BlockDeviceMappings: []types.BlockDeviceMapping{
			of(rootDevice, &types.EbsBlockDevice{
				VolumeType: types.VolumeTypeGp3, DeleteOnTermination: aws.Bool(false),
			}),
			of("/dev/sdf", &types.EbsBlockDevice{DeleteOnTermination: aws.Bool(true)}), without,
			of("/dev/sdh", &types.EbsBlockDevice{VolumeSize: aws.Int32(3)}),
			{DeviceName: aws.String("/dev/sdi"), VirtualName: aws.String("ephemeral0")},
		},
	}).ImageId
	image, _ := store.Images.Get(c.Store.View(), *id)
	if image.RootVolumeType != "gp3" || !image.KeepRoot || len(image.Volumes) != 3 {
		t.Fatalf("image %+v", image)
	}
	kept, added, ephemeral := image.Volumes[0], image.Volumes[1], image.Volumes[2]
	if kept.Device != "/dev/sdf" || kept.SnapshotID == "" || !kept.DeleteOnTermination {
		t.Errorf("changed volume %+v", kept)
	}
	if added.Device != "/dev/sdh" || added.SnapshotID != "" || added.Shape.SizeGiB != 3 {
		t.Errorf("added volume %+v", added)
	}
	if ephemeral.VirtualName != "ephemeral0" {
		t.Errorf("instance store volume %+v", ephemeral)
	}
}

// The size of a gp2 volume decides its IOPS, which requests cannot name.
func TestImageOfAGP2RootVolumeLaunches(t *testing.T) {
	c := newCloud(t)
	instance := c.runningInstance()
	id := do(c, c.CreateImage, &ec2.CreateImageInput{InstanceId: &instance, Name: aws.String("small")}).ImageId
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Images.Edit(tx, *id, func(row *store.Image) {
			row.State, row.RootVolumeType, row.RootIOPS, row.RootThroughput = "available", "gp2", 100, 0
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if root := do(c, c.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{*id}}).Images[0].
		BlockDeviceMappings[0].Ebs; root.Iops != nil {
		t.Errorf("mapping %+v", root)
	}
	launched := *do(c, c.RunInstances, launchOne(*id)).Instances[0].InstanceId
	for _, v := range store.VolumesByInstance.List(c.Store.View(), launched) {
		if v.Type != "gp2" || v.IOPS != 100 {
			t.Errorf("volume %+v", v)
		}
	}
}
