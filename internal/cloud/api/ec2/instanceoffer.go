package ec2

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// launchWishes are what a launch can ask for. Values stand where the local cloud
// does as the value says anyway: it has no placement groups, no reserved
// capacity, no names of resources in DNS.
var launchWishes = []string{
	"DryRun", "ClientToken", "MinCount", "MaxCount", "ImageId", "InstanceType", "KeyName", "UserData",
	"TagSpecifications",
	"LaunchTemplate.LaunchTemplateId", "LaunchTemplate.LaunchTemplateName", "LaunchTemplate.Version",
	"SubnetId", "SecurityGroupIds", "SecurityGroups", "PrivateIpAddress", "Placement.AvailabilityZone",
	"Placement.Tenancy=default",
	"NetworkInterfaces.SubnetId", "NetworkInterfaces.Groups", "NetworkInterfaces.PrivateIpAddress",
	"NetworkInterfaces.AssociatePublicIpAddress",
	"NetworkInterfaces.Description", "NetworkInterfaces.DeleteOnTermination",
	"NetworkInterfaces.InterfaceType=interface",
	"BlockDeviceMappings.DeviceName", "BlockDeviceMappings.Ebs.VolumeSize", "BlockDeviceMappings.Ebs.VolumeType",
	"BlockDeviceMappings.Ebs.DeleteOnTermination",
	"MetadataOptions.HttpTokens", "MetadataOptions.HttpEndpoint", "MetadataOptions.HttpPutResponseHopLimit",
	"MetadataOptions.InstanceMetadataTags",
	"MetadataOptions.HttpProtocolIpv6=disabled", "EbsOptimized", "DisableApiTermination", "DisableApiStop",
	"InstanceInitiatedShutdownBehavior",
	"Monitoring.Enabled", "CreditSpecification.CpuCredits",
	"CapacityReservationSpecification.CapacityReservationPreference=open",
	"CapacityReservationSpecification.CapacityReservationPreference=none",
	"PrivateDnsNameOptions.HostnameType=ip-name", "MaintenanceOptions.AutoRecovery=default",
	"NetworkPerformanceOptions.BandwidthWeighting=default",
}

// checkOffered refuses what a launch asks for that the local cloud has nothing
// behind, and words that EC2 does not know.
func checkOffered(in *ec2.RunInstancesInput) error {
	if err := refuseBut(in, launchWishes...); err != nil {
		return err
	}
	if err := unsupported(map[string]bool{
		"networkInterfaces: more than one": len(in.NetworkInterfaces) > 1,
	}); err != nil {
		return err
	}
	for _, mapping := range in.BlockDeviceMappings {
		if disk := mapping.Ebs; disk != nil {
			if err := known("volumeType", disk.VolumeType); err != nil {
				return err
			}
		}
	}
	return cmp.Or(
		checkMetadata(in.MetadataOptions),
		checkCredits(in.CreditSpecification, typeOf(in)),
		known("instanceInitiatedShutdownBehavior", in.InstanceInitiatedShutdownBehavior),
	)
}

func checkMetadata(m *types.InstanceMetadataOptionsRequest) error {
	if m == nil {
		return nil
	}
	if hops := m.HttpPutResponseHopLimit; hops != nil && (*hops < 1 || *hops > 64) {
		return invalidValue("httpPutResponseHopLimit", strconv.Itoa(int(*hops)), "It must be from 1 to 64.")
	}
	return cmp.Or(
		known("httpTokens", m.HttpTokens),
		known("httpEndpoint", m.HttpEndpoint),
		known("instanceMetadataTags", m.InstanceMetadataTags),
	)
}

// known refuses a word that is not one of the values of its kind; none is fine.
func known[E interface {
	~string
	Values() []E
}](name string, value E) error {
	if value == "" || slices.Contains(value.Values(), value) {
		return nil
	}
	return invalidValue(name, string(value), "It is not one of the values that the parameter can have.")
}
