package ec2

import (
	"cmp"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/wire"
)

// launchParameters are the parameters of RunInstances and of launch templates that the
// local cloud supports. "path=value" means that it supports that value only, because
// it behaves as the value says: it has no capacity reservations.
var launchParameters = []string{
	"DryRun", "ClientToken", "MinCount", "MaxCount", "ImageId", "InstanceType", "KeyName", "UserData",
	"TagSpecifications",
	"LaunchTemplate.LaunchTemplateId", "LaunchTemplate.LaunchTemplateName", "LaunchTemplate.Version",
	"SubnetId", "SecurityGroupIds", "SecurityGroups", "PrivateIpAddress", "Placement.AvailabilityZone",
	"Placement.Tenancy=default", "Placement.Tenancy=dedicated",
	"Placement.GroupName", "Placement.GroupId", "Placement.PartitionNumber",
	"NetworkInterfaces.DeviceIndex", "NetworkInterfaces.NetworkInterfaceId",
	"NetworkInterfaces.SubnetId", "NetworkInterfaces.Groups", "NetworkInterfaces.PrivateIpAddress",
	"NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress", "NetworkInterfaces.PrivateIpAddresses.Primary",
	"NetworkInterfaces.SecondaryPrivateIpAddressCount",
	"Ipv6AddressCount", "Ipv6Addresses.Ipv6Address", "EnablePrimaryIpv6", "NetworkInterfaces.Ipv6AddressCount",
	"NetworkInterfaces.Ipv6Addresses.Ipv6Address", "NetworkInterfaces.PrimaryIpv6",
	"NetworkInterfaces.AssociatePublicIpAddress",
	"NetworkInterfaces.Description", "NetworkInterfaces.DeleteOnTermination",
	"NetworkInterfaces.InterfaceType=interface",
	"BlockDeviceMappings.DeviceName", "BlockDeviceMappings.Ebs.VolumeSize", "BlockDeviceMappings.Ebs.VolumeType",
	"BlockDeviceMappings.Ebs.DeleteOnTermination", "BlockDeviceMappings.Ebs.SnapshotId",
	"BlockDeviceMappings.Ebs.Iops", "BlockDeviceMappings.Ebs.Throughput", "BlockDeviceMappings.Ebs.Encrypted",
	"BlockDeviceMappings.Ebs.KmsKeyId", "BlockDeviceMappings.NoDevice", "BlockDeviceMappings.VirtualName",
	"MetadataOptions.HttpTokens", "MetadataOptions.HttpEndpoint", "MetadataOptions.HttpPutResponseHopLimit",
	"MetadataOptions.InstanceMetadataTags",
	"MetadataOptions.HttpProtocolIpv6", "EbsOptimized", "DisableApiTermination", "DisableApiStop",
	"InstanceInitiatedShutdownBehavior",
	"Monitoring.Enabled", "CreditSpecification.CpuCredits",
	"CapacityReservationSpecification.CapacityReservationPreference=open",
	"CapacityReservationSpecification.CapacityReservationPreference=none",
	"PrivateDnsNameOptions.HostnameType", "PrivateDnsNameOptions.EnableResourceNameDnsARecord",
	"PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord", "MaintenanceOptions.AutoRecovery",
	"InstanceMarketOptions.MarketType=spot", "InstanceMarketOptions.SpotOptions.MaxPrice",
	"InstanceMarketOptions.SpotOptions.SpotInstanceType=one-time",
	"InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior=terminate",
	"CpuOptions.CoreCount", "CpuOptions.ThreadsPerCore",
	"NetworkPerformanceOptions.BandwidthWeighting=default", "IamInstanceProfile.Arn", "IamInstanceProfile.Name",
}

// checkSupported refuses parameters that the local cloud does not support and values
// that EC2 does not know.
func checkSupported(in *ec2.RunInstancesInput) error {
	if err := supportOnly(in, launchParameters...); err != nil {
		return err
	}
	for _, mapping := range in.BlockDeviceMappings {
		if disk := mapping.Ebs; disk != nil {
			if err := checkEnum("volumeType", disk.VolumeType); err != nil {
				return err
			}
		}
	}
	return cmp.Or(
		checkMetadata(in.MetadataOptions),
		checkCredits(in.CreditSpecification, instanceTypeName(in)),
		checkEnum("instanceInitiatedShutdownBehavior", in.InstanceInitiatedShutdownBehavior),
		checkNameOptions(in.PrivateDnsNameOptions), checkMaintenance(in.MaintenanceOptions),
		checkMarket(in),
	)
}

// checkLaunch refuses requests that are invalid or unsupported whatever the account
// contains.
func checkLaunch(in *ec2.RunInstancesInput) error {
	if err := required(parameter{"ImageId", in.ImageId}); err != nil {
		return err
	}
	least, most := aws.ToInt32(in.MinCount), aws.ToInt32(in.MaxCount)
	switch {
	case in.MinCount == nil:
		return missingParameter("MinCount")
	case in.MaxCount == nil:
		return missingParameter("MaxCount")
	case least < 1 || most < least:
		return wire.Errorf("InvalidParameterValue", "Invalid value for min or max count: %d, %d", least, most)
	case most > maxLaunched:
		return wire.Errorf("InstanceLimitExceeded", "At most %d instances can be launched by one request.", maxLaunched)
	}
	if err := checkInterfaces(in); err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(aws.ToString(in.UserData))
	if err != nil {
		return wire.Errorf("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.")
	}
	if len(data) > maxUserData {
		return wire.Errorf("InvalidParameterValue", "User data is limited to 16384 bytes")
	}
	return checkSupported(in)
}

// instanceTypeName returns the requested instance type or EC2's default.
func instanceTypeName(in *ec2.RunInstancesInput) string {
	if in.InstanceType == "" {
		return instancetype.Default
	}
	return string(in.InstanceType)
}
