package autoscaling

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	compute "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// configuredLaunch returns the launch that a launch configuration describes.
func configuredLaunch(c *types.LaunchConfiguration) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		ImageId: c.ImageId, InstanceType: compute.InstanceType(aws.ToString(c.InstanceType)),
		EbsOptimized: c.EbsOptimized,
	}
	setNonEmpty(&in.KeyName, aws.ToString(c.KeyName))
	setNonEmpty(&in.UserData, aws.ToString(c.UserData))
	if c.InstanceMonitoring != nil {
		in.Monitoring = &compute.RunInstancesMonitoringEnabled{Enabled: c.InstanceMonitoring.Enabled}
	}
	if c.PlacementTenancy != nil {
		in.Placement = &compute.Placement{Tenancy: compute.Tenancy(*c.PlacementTenancy)}
	}
	if price := aws.ToString(c.SpotPrice); price != "" {
		in.InstanceMarketOptions = &compute.InstanceMarketOptionsRequest{
			MarketType: compute.MarketTypeSpot, SpotOptions: &compute.SpotMarketOptions{MaxPrice: &price},
		}
	}
	if m := c.MetadataOptions; m != nil {
		in.MetadataOptions = &compute.InstanceMetadataOptionsRequest{
			HttpEndpoint:            compute.InstanceMetadataEndpointState(m.HttpEndpoint),
			HttpTokens:              compute.HttpTokensState(m.HttpTokens),
			HttpPutResponseHopLimit: m.HttpPutResponseHopLimit,
		}
	}
	switch profile := aws.ToString(c.IamInstanceProfile); {
	case strings.HasPrefix(profile, "arn:"):
		in.IamInstanceProfile = &compute.IamInstanceProfileSpecification{Arn: &profile}
	case profile != "":
		in.IamInstanceProfile = &compute.IamInstanceProfileSpecification{Name: &profile}
	}
	for _, d := range c.BlockDeviceMappings {
		in.BlockDeviceMappings = append(in.BlockDeviceMappings, blockDevice(d))
	}
	setNetwork(in, c)
	return in
}

func blockDevice(d types.BlockDeviceMapping) compute.BlockDeviceMapping {
	out := compute.BlockDeviceMapping{DeviceName: d.DeviceName, VirtualName: d.VirtualName}
	if aws.ToBool(d.NoDevice) {
		out.NoDevice = aws.String("")
	}
	if disk := d.Ebs; disk != nil {
		out.Ebs = &compute.EbsBlockDevice{
			DeleteOnTermination: disk.DeleteOnTermination, Encrypted: disk.Encrypted, Iops: disk.Iops,
			SnapshotId: disk.SnapshotId, Throughput: disk.Throughput, VolumeSize: disk.VolumeSize,
			VolumeType: compute.VolumeType(aws.ToString(disk.VolumeType)),
		}
	}
	return out
}

// setNetwork sets security groups and public address. A launch that says whether it gets a
// public address has a network interface, whose security groups have ids.
func setNetwork(in *ec2.RunInstancesInput, c *types.LaunchConfiguration) {
	if c.AssociatePublicIpAddress != nil {
		in.NetworkInterfaces = []compute.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: c.AssociatePublicIpAddress, Groups: c.SecurityGroups,
			DeleteOnTermination: aws.Bool(true),
		}}
		return
	}
	for _, group := range c.SecurityGroups {
		if strings.HasPrefix(group, "sg-") {
			in.SecurityGroupIds = append(in.SecurityGroupIds, group)
		} else {
			in.SecurityGroups = append(in.SecurityGroups, group)
		}
	}
}
