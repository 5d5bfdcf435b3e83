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
	const unsupported = "UnsupportedOperation: aloft's local cloud does not support the parameter "
	const onlyHVM = "UnsupportedOperation: aloft's local cloud registers only images with architecture x86_64 or " +
		"arm64, virtualizationType hvm and enaSupport true, which are not the defaults"
	for _, tc := range []struct {
		in   *ec2.RegisterImageInput
		want string
	}{
		{registration(id, func(in *ec2.RegisterImageInput) { in.Name = nil }),
			"MissingParameter: The request must contain the parameter name"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.Name = aws.String("a:b") }),
			"InvalidAMIName.Malformed:"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.Architecture = "" }), onlyHVM},
		{registration(id, func(in *ec2.RegisterImageInput) { in.Architecture = "z80" }),
			"InvalidParameterValue: Invalid value 'z80' for architecture."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.EnaSupport = nil }), onlyHVM},
		{registration(id, func(in *ec2.RegisterImageInput) { in.VirtualizationType = aws.String("paravirtual") }),
			onlyHVM},
		{registration(id, func(in *ec2.RegisterImageInput) { in.ImageLocation = aws.String("bucket/manifest") }),
			unsupported + "imageLocation"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.BootMode = types.BootModeValuesUefi }),
			unsupported + "bootMode"},
		{registration(id, func(in *ec2.RegisterImageInput) { in.RootDeviceName = nil }),
			"InvalidBlockDeviceMapping: No root snapshot specified in device mapping."},
		{registration(id, func(in *ec2.RegisterImageInput) { in.BlockDeviceMappings = nil }),
			"InvalidBlockDeviceMapping: No root snapshot specified in device mapping."},
		{registration(id, func(in *ec2.RegisterImageInput) {
			in.BlockDeviceMappings = append(in.BlockDeviceMappings, types.BlockDeviceMapping{
				DeviceName: aws.String("/dev/sdb"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(1)},
			})
		}), unsupported + "blockDeviceMapping of another device than the root device"},
		{registration(id, func(in *ec2.RegisterImageInput) {
			in.TagSpecifications = specification(types.ResourceTypeSnapshot, "k", "v")
		}), "InvalidParameterValue: 'snapshot' is not a valid taggable resource type for this operation."},
		{ebs(func(e *types.EbsBlockDevice) { e.SnapshotId, e.DeleteOnTermination = nil, aws.Bool(true) }),
			"InvalidBlockDeviceMapping: Either snapshot ID or volume size must be provided for: /dev/xvda"},
		{ebs(func(e *types.EbsBlockDevice) { e.VolumeSize = aws.Int32(7) }),
			"InvalidBlockDeviceMapping: Volume of size 7GB is smaller than snapshot '" + id + "', expect size >= 8GB"},
		{ebs(func(e *types.EbsBlockDevice) { e.VolumeSize = aws.Int32(9) }),
			unsupported + "blockDeviceMapping.ebs.volumeSize above the snapshot's"},
		{ebs(func(e *types.EbsBlockDevice) { e.DeleteOnTermination = aws.Bool(false) }),
			unsupported + "blockDeviceMapping.ebs.deleteOnTermination=false"},
		{ebs(func(e *types.EbsBlockDevice) { e.Encrypted = aws.Bool(false) }),
			unsupported + "blockDeviceMapping.ebs.encrypted"},
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
