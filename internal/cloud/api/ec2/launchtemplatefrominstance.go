package ec2

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// GetLaunchTemplateData returns an instance's configuration in the form of a launch
// template's data.
func (a *API) GetLaunchTemplateData(
	ctx context.Context, in *ec2.GetLaunchTemplateDataInput,
) (*ec2.GetLaunchTemplateDataOutput, error) {
	if err := required(parameter{"InstanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	row, err := instances.get(view, region, *in.InstanceId)
	if err != nil {
		return nil, err
	}
	return &ec2.GetLaunchTemplateDataOutput{LaunchTemplateData: launchTemplateDataOf(view, row)}, nil
}

func placementData(r store.Reader, row vm) *types.LaunchTemplatePlacement {
	p := placementItem(r, row)
	return &types.LaunchTemplatePlacement{
		AvailabilityZone: p.AvailabilityZone, GroupName: p.GroupName, PartitionNumber: p.PartitionNumber,
		Tenancy: p.Tenancy,
	}
}

func launchTemplateDataOf(r store.Reader, row vm) *types.ResponseLaunchTemplateData {
	data := &types.ResponseLaunchTemplateData{
		ImageId:                           aws.String(row.ImageID),
		InstanceType:                      types.InstanceType(row.Type),
		KeyName:                           optionalString(row.KeyName),
		UserData:                          optionalString(row.UserData),
		EbsOptimized:                      aws.Bool(row.EBSOptimized),
		DisableApiTermination:             aws.Bool(row.DisableAPITermination),
		DisableApiStop:                    aws.Bool(row.DisableAPIStop),
		InstanceInitiatedShutdownBehavior: types.ShutdownBehavior(row.ShutdownBehavior),
		Monitoring:                        &types.LaunchTemplatesMonitoring{Enabled: aws.Bool(row.Monitoring)},
		Placement:                         placementData(r, row),
		MetadataOptions: &types.LaunchTemplateInstanceMetadataOptions{
			State:                   types.LaunchTemplateInstanceMetadataOptionsStateApplied,
			HttpTokens:              types.LaunchTemplateHttpTokensState(row.MetadataTokens),
			HttpEndpoint:            types.LaunchTemplateInstanceMetadataEndpointState(row.MetadataEndpoint),
			HttpProtocolIpv6:        types.LaunchTemplateInstanceMetadataProtocolIpv6(metadataIPv6(row)),
			HttpPutResponseHopLimit: aws.Int32(row.MetadataHopLimit),
			InstanceMetadataTags:    types.LaunchTemplateInstanceMetadataTagsState(row.MetadataTags),
		},
	}
	if row.CPUCredits != "" {
		data.CreditSpecification = &types.CreditSpecification{CpuCredits: aws.String(row.CPUCredits)}
	}
	if row.ProfileARN != "" {
		data.IamInstanceProfile = &types.LaunchTemplateIamInstanceProfileSpecification{Arn: &row.ProfileARN}
	}
	if tags := withoutReservedTags(row.Tags); len(tags) > 0 {
		data.TagSpecifications = []types.LaunchTemplateTagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: tagSet(tags)},
		}
	}
	for _, volume := range disksOf(r, row) {
		data.BlockDeviceMappings = append(data.BlockDeviceMappings, types.LaunchTemplateBlockDeviceMapping{
			DeviceName: aws.String(volume.Device), Ebs: &types.LaunchTemplateEbsBlockDevice{
				VolumeSize:          aws.Int32(volume.SizeGiB),
				VolumeType:          types.VolumeType(volume.Type),
				DeleteOnTermination: aws.Bool(volume.DeleteOnTermination),
				Encrypted:           aws.Bool(volume.Encrypted),
			},
		})
	}
	for _, id := range row.InterfaceIDs {
		if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
			var public *bool // a launch with several interfaces must not have it
			if len(row.InterfaceIDs) == 1 {
				public = aws.Bool(eni.PublicIP.IsValid())
			}
			data.NetworkInterfaces = append(
				data.NetworkInterfaces,
				types.LaunchTemplateInstanceNetworkInterfaceSpecification{
					DeviceIndex:              aws.Int32(eni.DeviceIndex),
					SubnetId:                 aws.String(eni.SubnetID),
					Groups:                   eni.GroupIDs,
					Description:              aws.String(eni.Description),
					DeleteOnTermination:      aws.Bool(eni.DeleteOnTermination),
					AssociatePublicIpAddress: public,
					InterfaceType:            aws.String("interface"),
				},
			)
		}
	}
	return data
}

// withoutReservedTags returns the tags that users can set.
func withoutReservedTags(tags store.Tags) store.Tags {
	out := maps.Clone(tags)
	maps.DeleteFunc(out, func(key, _ string) bool { return strings.HasPrefix(key, "aws:") })
	return out
}
