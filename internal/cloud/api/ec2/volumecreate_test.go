package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestOnlySimulatedCloudsHaveFurtherVolumes(t *testing.T) {
	c := newCloud(t)
	wantError(c, c.CreateVolume, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1)},
		"NotImplemented: aloft's local cloud does not implement ec2:CreateVolume (a simulated local cloud does)")
}

func TestAVolumeIsAttachedResizedCopiedAndDeleted(t *testing.T) {
	c := newCloud(t)
	c.Simulated = true
	created := do(c, c.CreateVolume, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(10), VolumeType: types.VolumeTypeGp3,
		Encrypted: aws.Bool(true), TagSpecifications: specification(types.ResourceTypeVolume, "k", "v"),
	})
	if created.State != types.VolumeStateCreating || *created.Iops != 3000 || *created.Throughput != 125 ||
		created.KmsKeyId == nil {
		t.Errorf("created %+v", created)
	}
	id := created.VolumeId
	instance := c.runningInstance()
	attach := &ec2.AttachVolumeInput{VolumeId: id, InstanceId: &instance, Device: aws.String("/dev/sdf")}
	do(c, c.AttachVolume, attach)
	wantError(c, c.AttachVolume, attach, "VolumeInUse: "+*id+" is already attached to an instance")
	found := do(c, c.DescribeVolumes, &ec2.DescribeVolumesInput{
		Filters: []types.Filter{filter("attachment.instance-id", instance), filter("encrypted", "true")},
	}).Volumes
	if len(found) != 1 || found[0].State != types.VolumeStateInUse || *found[0].Attachments[0].Device != "/dev/sdf" {
		t.Errorf("got %+v", found)
	}
	mapped := do(c, c.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{instance}}).
		Reservations[0].Instances[0].BlockDeviceMappings
	if len(mapped) != 2 || *mapped[1].Ebs.VolumeId != *id || *mapped[1].Ebs.DeleteOnTermination {
		t.Errorf("mappings %+v", mapped)
	}
	wantError(c, c.ModifyVolume, &ec2.ModifyVolumeInput{VolumeId: id, Size: aws.Int32(5)},
		"InvalidParameterValue: New size cannot be smaller than existing size")
	do(c, c.ModifyVolume, &ec2.ModifyVolumeInput{VolumeId: id, Size: aws.Int32(20), Iops: aws.Int32(4000)})
	changes := do(c, c.DescribeVolumesModifications, &ec2.DescribeVolumesModificationsInput{
		Filters: []types.Filter{filter("target-size", "20")},
	}).VolumesModifications
	if len(changes) != 1 || *changes[0].OriginalSize != 10 || *changes[0].TargetIops != 4000 {
		t.Errorf("modifications %+v", changes)
	}
	snapshot := do(c, c.CreateSnapshot, &ec2.CreateSnapshotInput{VolumeId: id}).SnapshotId
	copied := do(c, c.CreateVolume, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1b"), SnapshotId: snapshot, VolumeType: types.VolumeTypeGp2,
	})
	if *copied.Size != 20 || !*copied.Encrypted || *copied.Iops != 100 {
		t.Errorf("of the snapshot: %+v", copied)
	}
	if _, err := c.DeleteVolume(c.ctx, &ec2.DeleteVolumeInput{VolumeId: id}); code(err) != "VolumeInUse" {
		t.Errorf("deleting an attached volume: %v", err)
	}
	do(c, c.DetachVolume, &ec2.DetachVolumeInput{VolumeId: id})
	wantError(c, c.DetachVolume, &ec2.DetachVolumeInput{VolumeId: id},
		"IncorrectState: Volume '"+*id+"' is in the 'available' state.")
	do(c, c.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: id})
	if _, ok := store.Volumes.Get(c.Store.View(), *id); ok {
		t.Error("the deleted volume is still there")
	}
}

// runningInstance launches an instance in us-east-1a, and lets it run.
func (c *cloud) runningInstance() string {
	c.t.Helper()
	image := do(c, c.DescribeImages, &ec2.DescribeImagesInput{}).Images[0].ImageId
	id := *do(c, c.RunInstances, &ec2.RunInstancesInput{
		ImageId: image, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: types.InstanceTypeT3Micro,
		Placement: &types.Placement{AvailabilityZone: aws.String("us-east-1a")},
	}).Instances[0].InstanceId
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, id, func(row *store.Instance) { row.State = store.Running })
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return id
}

func TestVolumesThatNoTypeHas(t *testing.T) {
	c := newCloud(t)
	c.Simulated = true
	zone := aws.String("us-east-1a")
	for want, in := range map[string]*ec2.CreateVolumeInput{
		"MissingParameter: The request must contain the parameter AvailabilityZone": {Size: aws.Int32(1)},
		"MissingParameter: The request must contain the parameter size/snapshotId":  {AvailabilityZone: zone},
		"MissingParameter: The parameter iops must be specified for io1 volumes.": {
			AvailabilityZone: zone, Size: aws.Int32(10), VolumeType: types.VolumeTypeIo1,
		},
		"InvalidParameterCombination: The parameter iops is not supported for gp2 volumes.": {
			AvailabilityZone: zone, Size: aws.Int32(10), Iops: aws.Int32(200),
		},
		"InvalidParameterCombination: The parameter throughput is not supported for gp2 volumes.": {
			AvailabilityZone: zone, Size: aws.Int32(10), Throughput: aws.Int32(200),
		},
		"InvalidParameterDependency: The parameter KmsKeyId requires the parameter Encrypted to be set.": {
			AvailabilityZone: zone, Size: aws.Int32(10), KmsKeyId: aws.String("x"),
		},
		"InvalidZone.NotFound: The zone 'us-east-1z' does not exist.": {
			AvailabilityZone: aws.String("us-east-1z"), Size: aws.Int32(10),
		},
		"InvalidSnapshot.NotFound: The snapshot 'snap-0123456789abcdef0' does not exist.": {
			AvailabilityZone: zone, SnapshotId: aws.String("snap-0123456789abcdef0"),
		},
	} {
		wantError(c, c.CreateVolume, in, want)
	}
}
