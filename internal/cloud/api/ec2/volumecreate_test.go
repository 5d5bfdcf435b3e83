package ec2

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// settleVolumes does what the loops do for volumes and snapshots.
func (c *cloud) settleVolumes() {
	c.t.Helper()
	if err := c.Store.Update(func(tx *store.Tx) error {
		for _, v := range store.Volumes.List(tx) {
			if v.NVMe == 0 && v.InstanceID != "" {
				continue // a root volume
			}
			store.Volumes.Edit(tx, v.ID, func(row *store.Volume) {
				row.FileGiB = row.SizeGiB
				switch row.Attachment {
				case store.Attaching:
					row.State, row.Attachment = store.VolumeInUse, store.Attached
				case store.Detaching, store.Busy:
					row.Detached()
				case "":
					row.State = store.VolumeAvailable
				}
			})
		}
		for _, s := range store.Snapshots.List(tx) {
			store.Snapshots.Edit(tx, s.ID, func(row *store.Snapshot) { row.State, row.Progress = "completed", "100%" })
		}
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
}

func TestAVolumeIsAttachedResizedCopiedAndDeleted(t *testing.T) {
	c := newCloud(t)
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
	wantError(c, c.AttachVolume, attach, "IncorrectState: "+*id+" is not 'available'.")
	c.settleVolumes()
	if out := do(c, c.AttachVolume, attach); out.State != types.VolumeAttachmentStateAttaching {
		t.Errorf("attached: %+v", out)
	}
	wantError(c, c.AttachVolume, attach, "VolumeInUse: "+*id+" is already attached to an instance")
	found := do(c, c.DescribeVolumes, &ec2.DescribeVolumesInput{
		Filters: []types.Filter{filter("attachment.instance-id", instance), filter("encrypted", "true")},
	}).Volumes
	if len(found) != 1 || found[0].State != types.VolumeStateInUse || *found[0].Attachments[0].Device != "/dev/sdf" {
		t.Errorf("got %+v", found)
	}
	if state := found[0].Attachments[0].State; state != types.VolumeAttachmentStateAttaching {
		t.Errorf("the attachment is %s", state)
	}
	c.settleVolumes()
	mapped := do(c, c.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{instance}}).
		Reservations[0].Instances[0].BlockDeviceMappings
	if len(mapped) != 2 || *mapped[1].Ebs.VolumeId != *id || *mapped[1].Ebs.DeleteOnTermination {
		t.Errorf("mappings %+v", mapped)
	}
	wantError(c, c.ModifyVolume, &ec2.ModifyVolumeInput{VolumeId: id, Size: aws.Int32(5)},
		"InvalidParameterValue: New size cannot be smaller than existing size")
	do(c, c.ModifyVolume, &ec2.ModifyVolumeInput{VolumeId: id, Size: aws.Int32(20), Iops: aws.Int32(4000)})
	byState := func(state string) int {
		return len(do(c, c.DescribeVolumesModifications, &ec2.DescribeVolumesModificationsInput{
			Filters: []types.Filter{filter("modification-state", state)},
		}).VolumesModifications)
	}
	if byState("modifying") != 1 || byState("completed") != 0 {
		t.Error("a modification is complete before the volume is larger")
	}
	c.settleVolumes()
	if byState("modifying") != 0 || byState("completed") != 1 {
		t.Error("a modification is not complete after the volume is larger")
	}
	changes := do(c, c.DescribeVolumesModifications, &ec2.DescribeVolumesModificationsInput{
		Filters: []types.Filter{filter("target-size", "20")},
	}).VolumesModifications
	if len(changes) != 1 || *changes[0].OriginalSize != 10 || *changes[0].TargetIops != 4000 {
		t.Errorf("modifications %+v", changes)
	}
	snapshot := do(c, c.CreateSnapshot, &ec2.CreateSnapshotInput{VolumeId: id}).SnapshotId
	fromSnapshot := &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1b"), SnapshotId: snapshot}
	wantError(c, c.CreateVolume, fromSnapshot, "IncorrectState: Snapshot is in invalid state - pending")
	c.settleVolumes()
	copied := do(c, c.CreateVolume, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1b"), SnapshotId: snapshot, VolumeType: types.VolumeTypeGp2,
	})
	if *copied.Size != 20 || !*copied.Encrypted || *copied.Iops != 100 {
		t.Errorf("of the snapshot: %+v", copied)
	}
	if _, err := c.DeleteVolume(c.ctx, &ec2.DeleteVolumeInput{VolumeId: id}); code(err) != "VolumeInUse" {
		t.Errorf("deleting an attached volume: %v", err)
	}
	if out := do(c, c.DetachVolume, &ec2.DetachVolumeInput{VolumeId: id}); out.State !=
		types.VolumeAttachmentStateDetaching {
		t.Errorf("detached: %+v", out)
	}
	if _, err := c.DeleteVolume(c.ctx, &ec2.DeleteVolumeInput{VolumeId: id}); code(err) != "VolumeInUse" {
		t.Errorf("deleting a volume that is being detached: %v", err)
	}
	c.settleVolumes()
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
	zone := aws.String("us-east-1a")
	for want, in := range map[string]*ec2.CreateVolumeInput{
		"MissingParameter: The request must contain the parameter AvailabilityZone": {Size: aws.Int32(1)},
		"MissingParameter: The request must contain the parameter size/snapshot":    {AvailabilityZone: zone},
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

func TestWhatRealVolumesCannotDoIsRefused(t *testing.T) {
	c := newCloud(t)
	zone := aws.String("us-east-1a")
	wantError(c, c.CreateVolume, &ec2.CreateVolumeInput{
		AvailabilityZone: zone, Size: aws.Int32(10), VolumeType: types.VolumeTypeIo2, Iops: aws.Int32(100),
		MultiAttachEnabled: aws.Bool(true),
	}, "UnsupportedOperation: aloft's local cloud does not support the parameter multiAttachEnabled")
	instance := c.runningInstance()
	row, _ := store.Instances.Get(c.Store.View(), instance)
	root := &row.RootVolumeID
	const notImplemented = "NotImplemented: aloft's local cloud does not implement ec2:"
	wantError(c, c.ModifyVolume, &ec2.ModifyVolumeInput{VolumeId: root, Size: aws.Int32(20)},
		notImplemented+"ModifyVolume of a root volume (a new instance's can be larger)")
	wantError(c, c.CreateSnapshot, &ec2.CreateSnapshotInput{VolumeId: root},
		notImplemented+"CreateSnapshot of a root volume (CreateImage does)")
	wantError(c, c.DetachVolume, &ec2.DetachVolumeInput{VolumeId: root},
		"OperationNotPermitted: Unable to detach root volume '/dev/xvda' from instance '"+instance+"'")
	volume, _ := store.Volumes.Get(c.Store.View(), *root)
	c.settleVolumes()
	wantError(c, c.CreateVolume, &ec2.CreateVolumeInput{AvailabilityZone: zone, SnapshotId: &volume.SnapshotID},
		notImplemented+"CreateVolume from a snapshot of a root volume (RunInstances with an image does)")
}

func TestNamesOfDevices(t *testing.T) {
	c := newCloud(t)
	instance := c.runningInstance()
	attach := func(device string) error {
		id := do(c, c.CreateVolume, &ec2.CreateVolumeInput{
			AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1),
		}).VolumeId
		c.settleVolumes()
		_, err := c.AttachVolume(c.ctx, &ec2.AttachVolumeInput{VolumeId: id, InstanceId: &instance, Device: &device})
		return err
	}
	for _, name := range []string{"/dev/sdf", "/dev/xvdf", "sdg", "xvdba"} {
		if err := attach(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"/dev/sdf1", "/dev/nvme1n1", "../sdf", "/dev/sd/f", "/dev/xvdea", "/dev/sdk1\n"} {
		want := "InvalidParameterValue: Value (" + name + ") for parameter device is invalid. " + name +
			" is not a valid EBS device name."
		if err := attach(name); fmt.Sprint(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := attach("/dev/sdg"); code(err) != "InvalidParameterValue" {
		t.Errorf("a name in use: %v", err)
	}
	for number, v := range store.VolumesByInstance.List(c.Store.View(), instance) {
		if v.NVMe > 4 {
			t.Errorf("volume %d has the device %d", number, v.NVMe)
		}
	}
	var err error
	for letter := 'h'; letter <= 'z' && err == nil; letter++ {
		err = attach("/dev/sd" + string(letter))
	}
	for letter := 'a'; letter <= 'z' && err == nil; letter++ {
		err = attach("/dev/xvdc" + string(letter))
	}
	if code(err) != "AttachmentLimitExceeded" {
		t.Errorf("more volumes than an instance can have: %v", err)
	}
}

func TestInstancesAreLaunchedWithVolumes(t *testing.T) {
	c := newCloud(t)
	in := launchOne(*do(c, c.DescribeImages, &ec2.DescribeImagesInput{}).Images[0].ImageId)
	device := func(name string, ebs *types.EbsBlockDevice) types.BlockDeviceMapping {
		return types.BlockDeviceMapping{DeviceName: &name, Ebs: ebs}
	}
	in.BlockDeviceMappings = []types.BlockDeviceMapping{
		device("/dev/xvda", &types.EbsBlockDevice{VolumeSize: aws.Int32(9)}),
		device("/dev/sdf", &types.EbsBlockDevice{VolumeSize: aws.Int32(1), VolumeType: types.VolumeTypeGp3}),
		device("/dev/sdg", &types.EbsBlockDevice{VolumeSize: aws.Int32(2), DeleteOnTermination: aws.Bool(false)}),
	}
	in.TagSpecifications = specification(types.ResourceTypeVolume, "k", "v")
	id := *do(c, c.RunInstances, in).Instances[0].InstanceId
	got := map[string]store.Volume{}
	for _, v := range store.VolumesByInstance.List(c.Store.View(), id) {
		got[v.Device] = *v
		if v.Tags["k"] != "v" || v.Zone == "" {
			t.Errorf("%+v", v)
		}
	}
	if v := got["/dev/sdf"]; v.SizeGiB != 1 || v.Type != "gp3" || !v.DeleteOnTermination || v.NVMe != 1 ||
		v.State != store.VolumeCreating || v.Attachment != store.Attaching {
		t.Errorf("%+v", v)
	}
	if v := got["/dev/sdg"]; v.SizeGiB != 2 || v.Type != "gp2" || v.DeleteOnTermination || v.NVMe != 2 {
		t.Errorf("%+v", v)
	}
	if v := got["/dev/xvda"]; v.SizeGiB != 9 || v.NVMe != 0 || v.State != store.VolumeInUse {
		t.Errorf("%+v", v)
	}
	for want, mapping := range map[string]types.BlockDeviceMapping{
		"InvalidBlockDeviceMapping": device("/dev/sdf", &types.EbsBlockDevice{VolumeSize: aws.Int32(1)}),
		"MissingParameter":          device("/dev/sdh", &types.EbsBlockDevice{}),
		"UnsupportedOperation":      device("/dev/sdh", nil),
	} {
		refused := *in
		refused.BlockDeviceMappings = append(slices.Clone(in.BlockDeviceMappings), mapping)
		if _, err := c.RunInstances(c.ctx, &refused); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	unknown := *in
	unknown.BlockDeviceMappings = []types.BlockDeviceMapping{
		device("/dev/vdb", &types.EbsBlockDevice{VolumeSize: aws.Int32(1)}),
	}
	wantError(c, c.RunInstances, &unknown, "InvalidBlockDeviceMapping: Invalid device name /dev/vdb")
}
