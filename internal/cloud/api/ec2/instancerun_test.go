package ec2

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestRunInstancesRefusesInvalidRequests(t *testing.T) {
	c := newCloud(t)
	image, vpc := c.availableImage(), c.vpc("10.0.0.0/16")
	subnet, elsewhere := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(c.vpc("10.1.0.0/16"), "web")
	wantError(c, c.RunInstances, launchOne("ami-0123456789abcdef0"),
		"InvalidAMIID.NotFound: The image id '[ami-0123456789abcdef0]' does not exist")
	for name, test := range map[string]struct {
		change func(*ec2.RunInstancesInput)
		want   string
	}{
		"no count":       {func(in *ec2.RunInstancesInput) { in.MinCount = nil }, "MissingParameter"},
		"counts crossed": {func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(2) }, "InvalidParameterValue"},
		"type":           {func(in *ec2.RunInstancesInput) { in.InstanceType = "t9.huge" }, "InvalidParameterValue"},
		"key": {
			func(in *ec2.RunInstancesInput) { in.KeyName = aws.String("none") },
			"InvalidKeyPair.NotFound",
		},
		"user data": {
			func(in *ec2.RunInstancesInput) { in.UserData = aws.String("?") },
			"InvalidUserData.Malformed",
		},
		"long user data": {
			func(in *ec2.RunInstancesInput) { in.UserData = encoded(16<<10 + 1) },
			"InvalidParameterValue",
		},
		"subnet": {
			func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-0123456789abcdef0") },
			"InvalidSubnetID.NotFound",
		},
		"group's VPC": {
			func(in *ec2.RunInstancesInput) { in.SubnetId, in.SecurityGroupIds = &subnet, []string{elsewhere} },
			"InvalidParameter",
		},
		"name and subnet": {
			func(in *ec2.RunInstancesInput) { in.SubnetId, in.SecurityGroups = &subnet, []string{"default"} },
			"InvalidParameterCombination",
		},
		"group name": {
			func(in *ec2.RunInstancesInput) { in.SecurityGroups = []string{"none"} },
			"InvalidGroup.NotFound",
		},
		"reserved address": {
			func(in *ec2.RunInstancesInput) { in.SubnetId, in.PrivateIpAddress = &subnet, aws.String("10.0.1.3") },
			"InvalidParameterValue",
		},
		"one address twice": {func(in *ec2.RunInstancesInput) {
			in.SubnetId, in.PrivateIpAddress, in.MaxCount = &subnet, aws.String("10.0.1.9"), aws.Int32(2)
		}, "InvalidIPAddress.InUse"},
		"small disk": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{VolumeSize: aws.Int32(1)})
		}, "InvalidBlockDeviceMapping"},
		"disk of another snapshot": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{SnapshotId: aws.String("snap-0123456789abcdef0")})
		}, "UnsupportedOperation"},
		"disk with too few IOPS": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{VolumeType: types.VolumeTypeGp3, Iops: aws.Int32(1)})
		}, "InvalidParameterValue"},
		"key of a disk that is not encrypted": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{KmsKeyId: aws.String("key")})
		}, "InvalidParameterDependency"},
		"disk type": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{VolumeType: "gp9"})
		}, "InvalidParameterValue"},
		"shutdown": {
			func(in *ec2.RunInstancesInput) { in.InstanceInitiatedShutdownBehavior = "nap" },
			"InvalidParameterValue",
		},
		"placement group": {
			func(in *ec2.RunInstancesInput) { in.Placement = &types.Placement{GroupName: aws.String("g")} },
			"InvalidPlacementGroup.Unknown",
		},
		"IPv6 address in a subnet without any": {func(in *ec2.RunInstancesInput) {
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
				{DeviceIndex: aws.Int32(0), Ipv6AddressCount: aws.Int32(1)},
			}
		}, "InvalidParameterValue"},
		"prefix of IPv6 addresses": {func(in *ec2.RunInstancesInput) {
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
				{DeviceIndex: aws.Int32(0), Ipv6PrefixCount: aws.Int32(1)},
			}
		}, "UnsupportedOperation"},
		"dry run": {func(in *ec2.RunInstancesInput) { in.DryRun = aws.Bool(true) }, "DryRunOperation"},
	} {
		t.Run(name, func(t *testing.T) {
			in := launchOne(image)
			test.change(in)
			if _, err := c.RunInstances(c.ctx, in); code(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	view := c.Store.View()
	rows := len(store.Instances.List(view)) + len(store.Volumes.List(view)) + len(store.NetworkInterfaces.List(view))
	if rows != 0 {
		t.Errorf("refused launches left %d rows", rows)
	}
}

func TestRunInstancesWaitsForPublicImagesAlone(t *testing.T) {
	r := newRemote(t)
	pending := r.image("web-1")
	if _, err := r.cloud.RunInstances(r.cloud.ctx, launchOne(pending)); code(err) != "InvalidAMIID.Unavailable" {
		t.Errorf("an image of an instance that is being created: %v", err)
	}
	c := newCloud(t)
	image := do(c, c.DescribeImages, &ec2.DescribeImagesInput{}).Images[0]
	launched := do(c, c.RunInstances, launchOne(*image.ImageId)).Instances[0]
	row, ok := store.Instances.Get(c.Store.View(), *launched.InstanceId)
	if image.State != types.ImageStateAvailable || !ok || row.State != store.Pending || len(row.Layers) != 0 {
		t.Errorf("a public image that is not built: %+v, instance %+v", image, row)
	}
}

func TestRootDeviceIsThatOfTheImage(t *testing.T) {
	c := newCloud(t)
	c.Images[0].RootDevice = "/dev/sda1"
	in := launchOne(c.availableImage())
	in.BlockDeviceMappings = []types.BlockDeviceMapping{
		{DeviceName: aws.String("/dev/sda1"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(20)}},
	}
	launched := do(c, c.RunInstances, in).Instances[0]
	if *launched.RootDeviceName != "/dev/sda1" || *launched.BlockDeviceMappings[0].DeviceName != "/dev/sda1" {
		t.Errorf("instance %+v", launched)
	}
	in.BlockDeviceMappings = root(types.EbsBlockDevice{})
	if _, err := c.RunInstances(c.ctx, in); code(err) != "MissingParameter" {
		t.Errorf("a second volume without a size: %v", err)
	}
}

func TestRunInstancesInTheDefaultVPC(t *testing.T) {
	c := newCloud(t)
	in := launchOne(c.availableImage())
	in.MaxCount, in.ClientToken, in.UserData = aws.Int32(2), aws.String("token"), encoded(16<<10)
	in.Placement = &types.Placement{AvailabilityZone: aws.String("us-east-1b")}
	in.BlockDeviceMappings = root(types.EbsBlockDevice{VolumeSize: aws.Int32(20)})
	in.TagSpecifications = append(
		append(
			specification(types.ResourceTypeInstance, "kind", "vm"),
			specification(types.ResourceTypeVolume, "kind", "disk")...),
		specification(types.ResourceTypeNetworkInterface, "kind", "nic")...)
	out := do(c, c.RunInstances, in)
	if len(out.Instances) != 2 {
		t.Fatalf("launched %d instances, want 2", len(out.Instances))
	}
	view := c.Store.View()
	for i, item := range out.Instances {
		row, _ := store.Instances.Get(view, *item.InstanceId)
		volume, _ := store.Volumes.Get(view, row.RootVolumeID)
		eni, _ := store.NetworkInterfaces.Get(view, row.InterfaceIDs[0])
		if row.State != store.Pending || row.Desired != store.Running || int(row.LaunchIndex) != i ||
			row.Zone != "us-east-1b" ||
			strings.Join(row.Layers, ",") != "base" ||
			row.Tags["kind"] != "vm" {
			t.Errorf("instance: %+v", row)
		}
		if volume.SizeGiB != 20 || volume.State != "in-use" || volume.InstanceID != row.ID ||
			volume.Tags["kind"] != "disk" {
			t.Errorf("volume: %+v", volume)
		}
		if !eni.PublicIP.IsValid() || eni.Tags["kind"] != "nic" || len(eni.GroupIDs) != 1 ||
			aws.ToString(item.SecurityGroups[0].GroupName) != "default" {
			t.Errorf("interface: %+v", eni)
		}
	}
	if again := do(c, c.RunInstances, in); *again.ReservationId != *out.ReservationId ||
		*again.Instances[1].InstanceId != *out.Instances[1].InstanceId {
		t.Error("the client token launched instances again")
	}
	other := *in
	other.MaxCount = aws.Int32(1)
	if _, err := c.RunInstances(c.ctx, &other); code(err) != "IdempotentParameterMismatch" {
		t.Errorf("another request with the token: got %v", err)
	}
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Delete(tx, *out.Instances[0].InstanceId)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if fresh := do(c, c.RunInstances, in); len(fresh.Instances) != 2 || *fresh.ReservationId == *out.ReservationId {
		t.Error("the token of a deleted instance did not launch instances")
	}
}

func TestRunInstancesWithANetworkInterface(t *testing.T) {
	c := newCloud(t)
	image, vpc := c.availableImage(), c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	in := launchOne(image)
	in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{
		DeviceIndex: aws.Int32(0), SubnetId: &subnet, Groups: []string{group}, PrivateIpAddress: aws.String("10.0.1.9"),
		AssociatePublicIpAddress: aws.Bool(true),
		DeleteOnTermination:      aws.Bool(false), Description: aws.String("front"),
	}}
	eni := do(c, c.RunInstances, in).Instances[0].NetworkInterfaces[0]
	if eni.Association == nil || *eni.PrivateIpAddress != "10.0.1.9" || *eni.Groups[0].GroupId != group ||
		*eni.Attachment.DeleteOnTermination ||
		*eni.Description != "front" {
		t.Errorf("interface: %+v", eni)
	}
	plain := launchOne(image)
	plain.SubnetId = &subnet
	if item := do(c, c.RunInstances, plain).Instances[0]; item.PublicIpAddress != nil {
		t.Errorf("public IP address %s in a private subnet", *item.PublicIpAddress)
	}
	plain.SubnetId = nil
	plain.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
		{DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: aws.Bool(false)},
	}
	if item := do(c, c.RunInstances, plain).Instances[0]; item.PublicIpAddress != nil {
		t.Errorf("public IP address %s, which the request excludes", *item.PublicIpAddress)
	}
}
