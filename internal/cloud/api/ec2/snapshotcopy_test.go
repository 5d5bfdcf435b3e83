package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestCopySnapshotCopiesTheContent(t *testing.T) {
	r := newRemote(t)
	id := r.ownImage("web")
	image, _ := store.Images.Get(r.cloud.Store.View(), id)
	r.edit(func(tx *store.Tx) {
		store.Snapshots.Put(tx, &store.Snapshot{
			ID: "snap-0123456789abcdef0", Region: home, Owner: image.Owner, SizeGiB: 3, InFile: true,
			State: "completed",
		})
	})
	for id, inFile := range map[string]bool{image.SnapshotID: false, "snap-0123456789abcdef0": true} {
		in := &ec2.CopySnapshotInput{
			SourceRegion: aws.String(home), SourceSnapshotId: &id, Encrypted: aws.Bool(true),
			TagSpecifications: specification(types.ResourceTypeSnapshot, "k", "v"),
		}
		source, _ := store.Snapshots.Get(r.cloud.Store.View(), id)
		out := doRemote(r, r.CopySnapshot, in)
		copied, _ := store.Snapshots.Get(r.cloud.Store.View(), *out.SnapshotId)
		if copied.SizeGiB != source.SizeGiB || len(copied.Layers) != len(source.Layers) || copied.InFile != inFile ||
			copied.VolumeID != "vol-ffffffff" || !copied.Encrypted || copied.Tags["k"] != "v" {
			t.Errorf("%+v", copied)
		}
		if inFile && (copied.CopyOf != id || copied.State != "pending") {
			t.Errorf("%+v", copied)
		}
	}
	wantRemoteError(r, r.CopySnapshot, &ec2.CopySnapshotInput{
		SourceRegion: aws.String("eu-west-3"), SourceSnapshotId: &image.SnapshotID,
	}, "InvalidSnapshot.NotFound: The snapshot '"+image.SnapshotID+"' does not exist.")
}

func TestCreateSnapshotsOfAllVolumesOrNone(t *testing.T) {
	r := newRemote(t)
	r.cloud.Simulated = true
	in := launchOne(r.cloud.availableImage())
	in.BlockDeviceMappings = []types.BlockDeviceMapping{{
		DeviceName: aws.String("/dev/sdf"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(2)},
	}}
	in.TagSpecifications = specification(types.ResourceTypeVolume, "of", "volume")
	item := doRemote(r, r.RunInstances, in).Instances[0]
	var data string
	r.edit(func(tx *store.Tx) {
		for _, v := range store.Volumes.List(tx) {
			if v.Device == "/dev/sdf" {
				data = v.ID
				store.Volumes.Edit(tx, v.ID, func(v *store.Volume) { v.State, v.FileGiB = store.VolumeInUse, 2 })
			}
		}
	})
	all := func(edit func(*types.InstanceSpecification)) *ec2.CreateSnapshotsInput {
		s := &types.InstanceSpecification{InstanceId: item.InstanceId}
		edit(s)
		return &ec2.CreateSnapshotsInput{
			InstanceSpecification: s, CopyTagsFromSource: types.CopyTagsFromSourceVolume,
			TagSpecifications: specification(types.ResourceTypeSnapshot, "own", "tag"),
		}
	}
	got := doRemote(r, r.CreateSnapshots, all(func(*types.InstanceSpecification) {})).Snapshots
	if len(got) != 2 || len(got[0].Tags) != 2 {
		t.Errorf("%+v", got)
	}
	got = doRemote(r, r.CreateSnapshots, all(func(s *types.InstanceSpecification) {
		s.ExcludeBootVolume = aws.Bool(true)
	})).Snapshots
	if len(got) != 1 || *got[0].VolumeId != data {
		t.Errorf("%+v", got)
	}
	wantRemoteError(r, r.CreateSnapshots, all(func(s *types.InstanceSpecification) {
		s.ExcludeBootVolume, s.ExcludeDataVolumeIds = aws.Bool(true), []string{data}
	}), "InvalidParameterValue:")
	wantRemoteError(r, r.CreateSnapshots, all(func(s *types.InstanceSpecification) {
		s.ExcludeDataVolumeIds = []string{"vol-0123456789abcdef0"}
	}), "InvalidParameterValue:")
	r.cloud.Simulated = false
	before := len(store.Snapshots.List(r.cloud.Store.View()))
	wantRemoteError(r, r.CreateSnapshots, all(func(*types.InstanceSpecification) {}), "NotImplemented:")
	if after := len(store.Snapshots.List(r.cloud.Store.View())); after != before {
		t.Errorf("a request that failed left %d snapshots", after-before)
	}
}

func TestVolumeAttributesAreRecorded(t *testing.T) {
	r := newRemote(t)
	id := *doRemote(r, r.CreateVolume, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1),
	}).VolumeId
	doRemote(r, r.ModifyVolumeAttribute, &ec2.ModifyVolumeAttributeInput{
		VolumeId: &id, AutoEnableIO: &types.AttributeBooleanValue{Value: aws.Bool(true)},
	})
	out := doRemote(r, r.DescribeVolumeAttribute, &ec2.DescribeVolumeAttributeInput{
		VolumeId: &id, Attribute: types.VolumeAttributeNameAutoEnableIO,
	})
	if !*out.AutoEnableIO.Value {
		t.Error("autoEnableIO is not recorded")
	}
	doRemote(r, r.EnableVolumeIO, &ec2.EnableVolumeIOInput{VolumeId: &id})
	wantRemoteError(r, r.ModifyVolumeAttribute, &ec2.ModifyVolumeAttributeInput{VolumeId: &id},
		"MissingParameter: The request must contain the parameter autoEnableIO")
}
