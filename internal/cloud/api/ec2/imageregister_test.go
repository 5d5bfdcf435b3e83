package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// registration returns a request that makes an image of a snapshot.
func registration(snapshot string, changes ...func(*ec2.RegisterImageInput)) *ec2.RegisterImageInput {
	in := &ec2.RegisterImageInput{
		Name: aws.String("imported"), Architecture: types.ArchitectureValuesX8664, EnaSupport: aws.Bool(true),
		VirtualizationType: aws.String("hvm"), RootDeviceName: aws.String("/dev/xvda"),
		BlockDeviceMappings: []types.BlockDeviceMapping{{
			DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{SnapshotId: &snapshot},
		}},
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

// addSnapshot adds a snapshot of 8 GiB and returns its id.
func (r *remote) addSnapshot() string {
	r.t.Helper()
	id, err := r.cloud.AddSnapshot("us-east-1", "of a test", 8, []string{"layer-1"})
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func TestRegisteredImageLaunchesItsSnapshot(t *testing.T) {
	r := newRemote(t)
	id := r.addSnapshot()
	in := registration(id, func(in *ec2.RegisterImageInput) {
		in.Description = aws.String("Debian")
		in.TagSpecifications = specification(types.ResourceTypeImage, "Name", "web")
		in.BlockDeviceMappings[0].Ebs.VolumeType = types.VolumeTypeGp3
	})
	image := *doRemote(r, r.RegisterImage, in).ImageId
	item := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{image}}).Images[0]
	ebs := item.BlockDeviceMappings[0].Ebs
	if item.State != types.ImageStateAvailable || *item.Name != "imported" || *item.Description != "Debian" ||
		item.Architecture != types.ArchitectureValuesX8664 || *item.RootDeviceName != "/dev/xvda" ||
		*ebs.SnapshotId != id || *ebs.VolumeSize != 8 || ebs.VolumeType != types.VolumeTypeGp3 ||
		len(item.Tags) != 1 {
		t.Errorf("image %+v, %+v", item, ebs)
	}
	vm := doRemote(r, r.RunInstances, launchOne(image)).Instances[0]
	row, _ := store.Instances.Get(r.cloud.Store.View(), *vm.InstanceId)
	if len(row.Layers) != 1 || row.Layers[0] != "layer-1" {
		t.Errorf("layers %v", row.Layers)
	}
	wantRemoteError(r, r.RegisterImage, in,
		"InvalidAMIName.Duplicate: AMI name imported is already in use by AMI "+image)
	wantRemoteError(r, r.DeleteSnapshot, &ec2.DeleteSnapshotInput{SnapshotId: &id}, "InvalidSnapshot.InUse:")
}

func TestRegisterImageValidatesItsRequest(t *testing.T) {
	r := newRemote(t)
	id := r.addSnapshot()
	public, _ := store.Images.Get(r.cloud.Store.View(), r.cloud.availableImage())
	pending := doRemote(r, r.DescribeImages,
		&ec2.DescribeImagesInput{ImageIds: []string{r.image("web-1")}}).Images[0].BlockDeviceMappings[0].Ebs.SnapshotId
	ebs := func(change func(*types.EbsBlockDevice)) *ec2.RegisterImageInput {
		return registration(id, func(in *ec2.RegisterImageInput) { change(in.BlockDeviceMappings[0].Ebs) })
	}
	with := func(m types.BlockDeviceMapping) *ec2.RegisterImageInput {
		return registration(id, func(in *ec2.RegisterImageInput) {
			in.BlockDeviceMappings = append(in.BlockDeviceMappings, m)
		})
	}
	const unsupported = "UnsupportedOperation: aloft's local cloud does not support the parameter "
	for _, tc := range []struct {
		in   *ec2.RegisterImageInput
		want string
	}{
		{registration(id, func(in *ec2.RegisterImageInput) { in.Name = nil }),
			"MissingParameter: The request must contain the parameter name"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.Name = aws.String("a:b") }),
			"InvalidAMIName.Malformed:"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.Architecture = "z80" }),
			"InvalidParameterValue: Invalid value 'z80' for architecture."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.VirtualizationType = aws.String("container") }),
			"InvalidParameterValue: Value (container) for parameter virtualizationType is invalid. It is not one of " +
				"the values that the parameter can have."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.SriovNetSupport = aws.String("double") }),
			"InvalidParameterValue: Value (double) for parameter sriovNetSupport is invalid. It is not simple."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.TpmSupport = types.TpmSupportValuesV20 }),
			"InvalidParameterCombination: NitroTPM requires the boot mode uefi."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.KernelId = aws.String("aki-12345678") }),
			unsupported + "kernelId"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.ImageLocation = aws.String("bucket/manifest") }),
			unsupported + "imageLocation"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.BootMode = "bios" }),
			"InvalidParameterValue: Value (bios) for parameter bootMode is invalid. It is not one of the values that " +
				"the parameter can have."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.RootDeviceName = nil }),
			"InvalidBlockDeviceMapping: No root snapshot specified in device mapping."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.BlockDeviceMappings = nil }),
			"InvalidBlockDeviceMapping: No root snapshot specified in device mapping."},
		{with(types.BlockDeviceMapping{
			DeviceName: aws.String("/dev/sdb"), Ebs: &types.EbsBlockDevice{DeleteOnTermination: aws.Bool(true)},
		}),
			"InvalidBlockDeviceMapping: Either snapshot ID or volume size must be provided for: /dev/sdb"},
		{with(types.BlockDeviceMapping{DeviceName: aws.String("/dev/xvda"), NoDevice: aws.String("")}),
			"InvalidBlockDeviceMapping: The device '/dev/xvda' is used in more than one block-device mapping"},
		{with(types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdb")}),
			"InvalidBlockDeviceMapping: Exactly one of Ebs, NoDevice and VirtualName must be provided for: /dev/sdb"},
		{with(types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdb"), VirtualName: aws.String("disk0")}),
			"InvalidBlockDeviceMapping: Invalid virtual name 'disk0'"},
		{with(types.BlockDeviceMapping{Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(1)}}),
			"InvalidBlockDeviceMapping: Missing device name"},
		{with(types.BlockDeviceMapping{
			DeviceName: aws.String("/dev/sdb"), Ebs: &types.EbsBlockDevice{SnapshotId: &id},
		}), unsupported + "blockDeviceMapping.ebs.snapshotId of a root volume, but for the root device"},
		{registration(id, func(in *ec2.RegisterImageInput) {
			in.TagSpecifications = specification(types.ResourceTypeSnapshot, "k", "v")
		}), "InvalidParameterValue: 'snapshot' is not a valid taggable resource type for this operation."},
		{ebs(func(e *types.EbsBlockDevice) { e.SnapshotId, e.DeleteOnTermination = nil, aws.Bool(true) }),
			"InvalidBlockDeviceMapping: Either snapshot ID or volume size must be provided for: /dev/xvda"},
		{ebs(func(e *types.EbsBlockDevice) { e.VolumeSize = aws.Int32(7) }),
			"InvalidBlockDeviceMapping: Volume of size 7GB is smaller than snapshot '" + id + "', expect size >= 8GB"},
		{ebs(func(e *types.EbsBlockDevice) { e.SnapshotId, e.VolumeSize = nil, aws.Int32(8) }),
			"InvalidBlockDeviceMapping: No root snapshot specified in device mapping."},
		{ebs(func(e *types.EbsBlockDevice) { e.Encrypted = aws.Bool(false) }),
			"InvalidParameter: Parameter encrypted is invalid. You cannot specify the encrypted flag if specifying a " +
				"snapshot id in a block device mapping."},
		{ebs(func(e *types.EbsBlockDevice) { e.VolumeType = "floppy" }),
			"InvalidParameterValue: Invalid value 'floppy' for VolumeType."},
		{registration("snap-0123456789abcdef0"),
			"InvalidSnapshot.NotFound: The snapshot 'snap-0123456789abcdef0' does not exist."},
		{registration(public.SnapshotID),
			"InvalidSnapshot.NotFound: The snapshot '" + public.SnapshotID + "' does not exist."},
		{registration(*pending), "IncorrectState: Snapshot is in invalid state - pending"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.DryRun = aws.Bool(true) }), dryRun},
	} {
		wantRemoteError(r, r.RegisterImage, tc.in, tc.want)
	}
}

// data adds a completed snapshot of a volume of 4 GiB and returns its id.
func (r *remote) data() string {
	r.t.Helper()
	volume := doRemote(r, r.CreateVolume, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(4),
	}).VolumeId
	r.cloud.settleVolumes()
	id := *doRemote(r, r.CreateSnapshot, &ec2.CreateSnapshotInput{VolumeId: volume}).SnapshotId
	r.cloud.settleVolumes()
	return id
}

func TestRegisteredImageHasVolumes(t *testing.T) {
	r := newRemote(t)
	root, data := r.addSnapshot(), r.data()
	in := registration(root, func(in *ec2.RegisterImageInput) {
		in.BlockDeviceMappings[0].Ebs = &types.EbsBlockDevice{
			SnapshotId: &root, VolumeSize: aws.Int32(20), VolumeType: types.VolumeTypeGp3, Iops: aws.Int32(4000),
			Throughput: aws.Int32(200), DeleteOnTermination: aws.Bool(false),
		}
		in.BlockDeviceMappings = append(in.BlockDeviceMappings,
			types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdf"), Ebs: &types.EbsBlockDevice{
				SnapshotId: &data, DeleteOnTermination: aws.Bool(false),
			}},
			types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdg"), Ebs: &types.EbsBlockDevice{
				VolumeSize: aws.Int32(10), VolumeType: types.VolumeTypeIo2, Iops: aws.Int32(300),
				Encrypted: aws.Bool(true),
			}},
			types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdh"), VirtualName: aws.String("ephemeral0")},
			types.BlockDeviceMapping{DeviceName: aws.String("/dev/sdi"), NoDevice: aws.String("")},
		)
	})
	image := doRemote(r, r.RegisterImage, in).ImageId
	found := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{Filters: []types.Filter{
		filter("block-device-mapping.snapshot-id", data), filter("block-device-mapping.volume-size", "10"),
		filter("block-device-mapping.device-name", "/dev/sdh"), filter("block-device-mapping.encrypted", "true"),
	}}).Images
	if len(found) != 1 || len(found[0].BlockDeviceMappings) != 4 {
		t.Fatalf("found %+v", found)
	}
	m := found[0].BlockDeviceMappings
	if ebs := m[0].Ebs; *ebs.VolumeSize != 20 || *ebs.Iops != 4000 || *ebs.Throughput != 200 ||
		*ebs.DeleteOnTermination {
		t.Errorf("root volume %+v", ebs)
	}
	if ebs := m[1].Ebs; *ebs.VolumeSize != 4 || *ebs.DeleteOnTermination || *ebs.Encrypted {
		t.Errorf("volume of a snapshot %+v", ebs)
	}
	if ebs := m[2].Ebs; ebs.SnapshotId != nil || !*ebs.Encrypted || *ebs.Iops != 300 || !*ebs.DeleteOnTermination {
		t.Errorf("empty volume %+v", ebs)
	}
	if m[3].Ebs != nil || *m[3].VirtualName != "ephemeral0" {
		t.Errorf("instance store volume %+v", m[3])
	}

	launched := *doRemote(r, r.RunInstances, launchOne(*image)).Instances[0].InstanceId
	volumes := map[string]*store.Volume{}
	for _, v := range store.VolumesByInstance.List(r.cloud.Store.View(), launched) {
		volumes[v.Device] = v
	}
	if v := volumes["/dev/xvda"]; v.SizeGiB != 20 || v.IOPS != 4000 || v.Throughput != 200 || v.DeleteOnTermination {
		t.Errorf("root volume %+v", v)
	}
	if v := volumes["/dev/sdf"]; v.SizeGiB != 4 || v.SnapshotID != data || v.DeleteOnTermination || v.Encrypted {
		t.Errorf("volume of a snapshot %+v", v)
	}
	if v := volumes["/dev/sdg"]; v.SizeGiB != 10 || v.SnapshotID != "" || !v.Encrypted || v.Type != "io2" {
		t.Errorf("empty volume %+v", v)
	}
	if len(volumes) != 3 {
		t.Errorf("the instance has volumes %v", volumes)
	}
}

func TestImageTraitsDecideWhatLaunches(t *testing.T) {
	r := newRemote(t)
	id, data := r.addSnapshot(), r.data()
	for n, tc := range []struct {
		change func(*ec2.RegisterImageInput)
		kind   types.InstanceType
		want   string // error of a launch; "": it succeeds
	}{
		{func(in *ec2.RegisterImageInput) { in.Architecture = "" }, "t3.micro",
			"InvalidParameterValue:"},
		{func(in *ec2.RegisterImageInput) { in.VirtualizationType = nil }, "t3.micro",
			"InvalidParameterCombination: Virtualization type 'hvm' is required for instances of type 't3.micro'. " +
				"Ensure that you are using an AMI with virtualization type 'hvm'."},
		{func(in *ec2.RegisterImageInput) { in.EnaSupport = nil }, "t3.micro",
			"InvalidParameterCombination: Enhanced networking with the Elastic Network Adapter (ENA) is required for " +
				"the 't3.micro' instance type. Ensure that you are using an AMI that is enabled for ENA."},
		{func(in *ec2.RegisterImageInput) {
			in.BootMode, in.TpmSupport = types.BootModeValuesUefi, types.TpmSupportValuesV20
		}, "t3.micro", "UnsupportedOperation: The instance type 't3.micro' does not support NitroTPM."},
		{func(in *ec2.RegisterImageInput) { in.BlockDeviceMappings[0].Ebs.SnapshotId = &data }, "t3.micro",
			"UnsupportedOperation:"},
		{func(in *ec2.RegisterImageInput) {
			in.EnaSupport, in.SriovNetSupport = nil, aws.String("simple")
			in.BootMode, in.ImdsSupport = types.BootModeValuesUefi, types.ImdsSupportValuesV20
		}, "t2.micro", ""},
	} {
		in := registration(id, tc.change, func(in *ec2.RegisterImageInput) {
			in.Name = aws.String("image-" + string(rune('a'+n)))
		})
		image := doRemote(r, r.RegisterImage, in).ImageId
		launch := launchOne(*image)
		launch.InstanceType = tc.kind
		if tc.want != "" {
			wantRemoteError(r, r.RunInstances, launch, tc.want)
			continue
		}
		vm := doRemote(r, r.RunInstances, launch).Instances[0]
		if *vm.EnaSupport || *vm.SriovNetSupport != "simple" || vm.BootMode != types.BootModeValuesUefi ||
			vm.MetadataOptions.HttpTokens != types.HttpTokensStateRequired ||
			*vm.MetadataOptions.HttpPutResponseHopLimit != 2 {
			t.Errorf("instance %+v", vm)
		}
		found := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{Filters: []types.Filter{
			filter("ena-support", "false"), filter("sriov-net-support", "simple"), filter("virtualization-type", "hvm"),
		}}).Images
		if len(found) != 1 || found[0].ImdsSupport != "v2.0" || found[0].BootMode != "uefi" {
			t.Errorf("found %+v", found)
		}
	}
}
