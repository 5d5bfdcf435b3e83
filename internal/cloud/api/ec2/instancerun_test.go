package ec2

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// built makes the region's public image available and returns its id.
func (c *cloud) built() string {
	c.t.Helper()
	image := do(c, c.DescribeImages, &ec2.DescribeImagesInput{}).Images[0]
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Images.Edit(tx, *image.ImageId, func(row *store.Image) {
			row.State, row.StateReason = "available", ""
			store.Snapshots.Edit(
				tx, row.SnapshotID, func(s *store.Snapshot) { s.State, s.Layers = "completed", []string{"base"} },
			)
		})
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return *image.ImageId
}

func single(image string) *ec2.RunInstancesInput {
	return &ec2.RunInstancesInput{
		ImageId:      &image,
		InstanceType: types.InstanceTypeT3Micro,
		MinCount:     aws.Int32(1),
		MaxCount:     aws.Int32(1),
	}
}

// observe plays the instance loop.
func (c *cloud) observe(id, state string) {
	c.t.Helper()
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, id, func(row *store.Instance) { row.State, row.HasRun = state, true })
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
}

func TestRunInstancesRefusals(t *testing.T) {
	c := newCloud(t)
	pending := *do(c, c.DescribeImages, &ec2.DescribeImagesInput{}).Images[0].ImageId
	if _, err := c.RunInstances(c.ctx, single(pending)); code(err) != "InvalidAMIID.Unavailable" {
		t.Errorf("pending image: %v", err)
	}
	image, vpc := c.built(), c.vpc("10.0.0.0/16")
	subnet, elsewhere := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(c.vpc("10.1.0.0/16"), "web")
	refused(
		c,
		c.RunInstances,
		single("ami-0123456789abcdef0"),
		"InvalidAMIID.NotFound: The image id '[ami-0123456789abcdef0]' does not exist",
	)
	for name, test := range map[string]struct {
		change func(*ec2.RunInstancesInput)
		want   string
	}{
		"no count":         {func(in *ec2.RunInstancesInput) { in.MinCount = nil }, "MissingParameter"},
		"counts crossed":   {func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(2) }, "InvalidParameterValue"},
		"type":             {func(in *ec2.RunInstancesInput) { in.InstanceType = "t9.huge" }, "InvalidParameterValue"},
		"key":              {func(in *ec2.RunInstancesInput) { in.KeyName = aws.String("none") }, "InvalidKeyPair.NotFound"},
		"user data":        {func(in *ec2.RunInstancesInput) { in.UserData = aws.String("?") }, "InvalidUserData.Malformed"},
		"long user data":   {func(in *ec2.RunInstancesInput) { in.UserData = encoded(16<<10 + 1) }, "InvalidParameterValue"},
		"subnet":           {func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-0123456789abcdef0") }, "InvalidSubnetID.NotFound"},
		"group's VPC":      {func(in *ec2.RunInstancesInput) { in.SubnetId, in.SecurityGroupIds = &subnet, []string{elsewhere} }, "InvalidParameter"},
		"name and subnet":  {func(in *ec2.RunInstancesInput) { in.SubnetId, in.SecurityGroups = &subnet, []string{"default"} }, "InvalidParameterCombination"},
		"group name":       {func(in *ec2.RunInstancesInput) { in.SecurityGroups = []string{"none"} }, "InvalidGroup.NotFound"},
		"reserved address": {func(in *ec2.RunInstancesInput) { in.SubnetId, in.PrivateIpAddress = &subnet, aws.String("10.0.1.3") }, "InvalidParameterValue"},
		"one address twice": {func(in *ec2.RunInstancesInput) {
			in.SubnetId, in.PrivateIpAddress, in.MaxCount = &subnet, aws.String("10.0.1.9"), aws.Int32(2)
		}, "InvalidIPAddress.InUse"},
		"small disk": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{VolumeSize: aws.Int32(1)})
		}, "InvalidBlockDeviceMapping"},
		"encrypted disk": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{Encrypted: aws.Bool(true)})
		}, "UnsupportedOperation"},
		"disk type": {func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = root(types.EbsBlockDevice{VolumeType: "gp9"})
		}, "InvalidParameterValue"},
		"shutdown":        {func(in *ec2.RunInstancesInput) { in.InstanceInitiatedShutdownBehavior = "nap" }, "InvalidParameterValue"},
		"placement group": {func(in *ec2.RunInstancesInput) { in.Placement = &types.Placement{GroupName: aws.String("g")} }, "UnsupportedOperation"},
		"second address": {func(in *ec2.RunInstancesInput) {
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
				{SecondaryPrivateIpAddressCount: aws.Int32(1)},
			}
		}, "UnsupportedOperation"},
		"dry run": {func(in *ec2.RunInstancesInput) { in.DryRun = aws.Bool(true) }, "DryRunOperation"},
	} {
		t.Run(name, func(t *testing.T) {
			in := single(image)
			test.change(in)
			if _, err := c.RunInstances(c.ctx, in); code(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	view := c.Store.View()
	if n := len(store.Instances.List(view)) + len(store.Volumes.List(view)) + len(store.NetworkInterfaces.List(view)); n != 0 {
		t.Errorf("refused launches left %d rows", n)
	}
}

func encoded(bytes int) *string {
	return aws.String(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", bytes))))
}

func root(disk types.EbsBlockDevice) []types.BlockDeviceMapping {
	return []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &disk}}
}

func TestRunInstancesInTheDefaultVPC(t *testing.T) {
	c := newCloud(t)
	in := single(c.built())
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
		if row.State != store.Pending || row.Wanted != store.Running || int(row.LaunchIndex) != i ||
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
		t.Error("the client token launched anew")
	}
	other := *in
	other.MaxCount = aws.Int32(1)
	if _, err := c.RunInstances(c.ctx, &other); code(err) != "IdempotentParameterMismatch" {
		t.Errorf("other request of the token: %v", err)
	}
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Delete(
			tx, *out.Instances[0].InstanceId,
		)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if fresh := do(c, c.RunInstances, in); len(fresh.Instances) != 2 || *fresh.ReservationId == *out.ReservationId {
		t.Error("the token of a forgotten instance did not launch anew")
	}
}

func TestRunInstancesInterface(t *testing.T) {
	c := newCloud(t)
	image, vpc := c.built(), c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	in := single(image)
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
	plain := single(image)
	plain.SubnetId = &subnet
	if item := do(c, c.RunInstances, plain).Instances[0]; item.PublicIpAddress != nil {
		t.Errorf("public address %s in a private subnet", *item.PublicIpAddress)
	}
	plain.SubnetId = nil
	plain.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
		{DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: aws.Bool(false)},
	}
	if item := do(c, c.RunInstances, plain).Instances[0]; item.PublicIpAddress != nil {
		t.Errorf("public address %s against the wish", *item.PublicIpAddress)
	}
}

func TestInstanceStateChanges(t *testing.T) {
	c := newCloud(t)
	in := single(c.built())
	in.DisableApiTermination = aws.Bool(true)
	item := do(c, c.RunInstances, in).Instances[0]
	ids := []string{*item.InstanceId}
	move := func(from, to int32, changes []types.InstanceStateChange) {
		t.Helper()
		if len(changes) != 1 || *changes[0].PreviousState.Code != from || *changes[0].CurrentState.Code != to {
			t.Errorf("got %+v, want %d to %d", changes, from, to)
		}
	}
	row := func() *store.Instance { row, _ := store.Instances.Get(c.Store.View(), ids[0]); return row }
	refused(
		c,
		c.TerminateInstances,
		&ec2.TerminateInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}},
		"InvalidInstanceID.NotFound: The instance ID 'i-0123456789abcdef0' does not exist",
	)

	c.observe(ids[0], store.Running)
	do(c, c.RebootInstances, &ec2.RebootInstancesInput{InstanceIds: ids})
	move(
		16,
		64,
		do(c, c.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids, Force: aws.Bool(true)}).StoppingInstances,
	)
	if r := row(); r.Reboots != 1 || !r.Force || r.Wanted != store.Stopped ||
		r.StateReasonCode != "Client.UserInitiatedShutdown" ||
		r.TransitionReason != "User initiated (2026-11-23 12:00:00 GMT)" {
		t.Errorf("stopping: %+v", r)
	}
	if _, err := c.StartInstances(c.ctx, &ec2.StartInstancesInput{InstanceIds: ids}); code(
		err,
	) != "IncorrectInstanceState" {
		t.Errorf("start while stopping: %v", err)
	}
	c.observe(ids[0], store.Stopped)
	move(80, 0, do(c, c.StartInstances, &ec2.StartInstancesInput{InstanceIds: ids}).StartingInstances)
	if r := row(); r.Wanted != store.Running || r.Force || r.StateReasonCode != "" || r.TransitionReason != "" {
		t.Errorf("starting: %+v", r)
	}
	if _, err := c.TerminateInstances(c.ctx, &ec2.TerminateInstancesInput{InstanceIds: ids}); code(
		err,
	) != "OperationNotPermitted" {
		t.Errorf("terminate a protected instance: %v", err)
	}
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, ids[0], func(row *store.Instance) { row.DisableAPITermination = false })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	move(0, 32, do(c, c.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids}).TerminatingInstances)
	c.observe(ids[0], store.Terminated)
	move(48, 48, do(c, c.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids}).TerminatingInstances)
}

// A start gives the primary interface another public address.
func TestStartInstancesRenewsThePublicAddress(t *testing.T) {
	c := newCloud(t)
	item := do(c, c.RunInstances, single(c.built())).Instances[0]
	eni := *item.NetworkInterfaces[0].NetworkInterfaceId
	c.observe(*item.InstanceId, store.Stopped)
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.NetworkInterfaces.Edit(tx, eni, func(row *store.NetworkInterface) { row.PublicIP = netip.Addr{} })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	do(c, c.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{*item.InstanceId}})
	if row, _ := store.NetworkInterfaces.Get(c.Store.View(), eni); !c.PublicRange.Contains(row.PublicIP) {
		t.Errorf("public address after the start: %v", row.PublicIP)
	}
}
