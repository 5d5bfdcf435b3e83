package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateLaunchConfiguration creates a launch configuration.
func (a *API) CreateLaunchConfiguration(
	ctx context.Context, in *autoscaling.CreateLaunchConfigurationInput,
) (*autoscaling.CreateLaunchConfigurationOutput, error) {
	here := wire.RegionFrom(ctx)
	if err := cmp.Or(
		a.Templates.EnsureRegion(here), checkName("launchConfigurationName", in.LaunchConfigurationName),
		checkConfigurationSupported(in),
	); err != nil {
		return nil, err
	}
	row, err := a.newConfiguration(ctx, here, in)
	if err != nil {
		return nil, err
	}
	return &autoscaling.CreateLaunchConfigurationOutput{}, a.Store.Update(func(tx *store.Tx) error {
		return a.putConfiguration(tx, row)
	})
}

// newConfiguration returns the launch configuration of a request, from which EC2 could launch.
func (a *API) newConfiguration(
	ctx context.Context, here identity.Region, in *autoscaling.CreateLaunchConfigurationInput,
) (*store.LaunchConfiguration, error) {
	row := &store.LaunchConfiguration{
		Region: here, Name: *in.LaunchConfigurationName, Created: a.Now().UTC(),
		ARN: identity.ARN("autoscaling", here, fmt.Sprintf(
			"launchConfiguration:%s:launchConfigurationName/%s", a.IDs.UUID(), *in.LaunchConfigurationName,
		)),
	}
	view := a.Store.View()
	described, err := a.completeConfiguration(view, row, in)
	if err != nil {
		return nil, err
	}
	if err := a.checkConfiguration(ctx, view, here, described); err != nil {
		return nil, err
	}
	text, err := json.Marshal(described)
	if err != nil {
		return nil, fmt.Errorf("encode a launch configuration: %w", err)
	}
	row.Data = string(text)
	return row, nil
}

// putConfiguration stores a launch configuration, if its name is free and the region can have
// another one.
func (a *API) putConfiguration(tx *store.Tx, row *store.LaunchConfiguration) error {
	if _, taken := store.LaunchConfigurations.Get(tx, row.Key()); taken {
		return wire.Errorf("AlreadyExists", "Launch Configuration by this name already exists - "+
			"A launch configuration already exists with the name %s", row.Name)
	}
	if most := a.maxConfigurations(); len(store.LaunchConfigurations.InRegion(tx, row.Region)) >= most {
		return wire.Errorf("LimitExceeded", "You have exceeded the limit of %d launch configurations", most)
	}
	store.LaunchConfigurations.Put(tx, row)
	return nil
}

// maxConfigurations returns how many launch configurations a region may have.
func (a *API) maxConfigurations() int {
	return quota.LaunchConfigurations.Applied(a.Manners.Has(manners.Limits))
}

// checkConfigurationSupported refuses, by name, parameters that the local cloud does not
// support. EC2 refuses others when it checks the launch.
func checkConfigurationSupported(in *autoscaling.CreateLaunchConfigurationInput) error {
	switch {
	case aws.ToString(in.ClassicLinkVPCId) != "", len(in.ClassicLinkVPCSecurityGroups) > 0:
		return wire.NotImplemented("EC2-Classic (ClassicLinkVPCId, ClassicLinkVPCSecurityGroups)")
	case aws.ToString(in.KernelId) != "", aws.ToString(in.RamdiskId) != "":
		return wire.NotImplemented("kernels of users (KernelId, RamdiskId)")
	case in.PlacementTenancy != nil && *in.PlacementTenancy != "default" && *in.PlacementTenancy != "dedicated":
		return wire.NotImplemented("dedicated hosts (PlacementTenancy %s)", *in.PlacementTenancy)
	}
	return nil
}

// completeConfiguration returns a launch configuration with AWS's defaults and, if the
// request names an instance, with the attributes of that (Amazon EC2 Auto Scaling API
// Reference, CreateLaunchConfiguration: all but the block device mapping).
func (a *API) completeConfiguration(
	r store.Reader, row *store.LaunchConfiguration, in *autoscaling.CreateLaunchConfigurationInput,
) (*types.LaunchConfiguration, error) {
	out := &types.LaunchConfiguration{
		LaunchConfigurationName: &row.Name, LaunchConfigurationARN: &row.ARN, CreatedTime: &row.Created,
		KernelId: aws.String(""), RamdiskId: aws.String(""), KeyName: aws.String(""), UserData: aws.String(""),
		EbsOptimized: aws.Bool(false), InstanceMonitoring: &types.InstanceMonitoring{Enabled: aws.Bool(true)},
		SecurityGroups: []string{}, ClassicLinkVPCSecurityGroups: []string{},
		BlockDeviceMappings: []types.BlockDeviceMapping{},
	}
	if in.InstanceId != nil {
		i, ok := store.Instances.Get(r, *in.InstanceId)
		if !ok || i.Region != row.Region {
			return nil, invalid("Invalid Instance ID(s): [%s] specified", *in.InstanceId)
		}
		copyInstance(out, r, i)
	}
	if in.InstanceMonitoring != nil && in.InstanceMonitoring.Enabled != nil {
		out.InstanceMonitoring = in.InstanceMonitoring
	}
	for _, p := range []struct{ to, given **string }{
		{&out.ImageId, &in.ImageId}, {&out.InstanceType, &in.InstanceType}, {&out.KeyName, &in.KeyName},
		{&out.UserData, &in.UserData}, {&out.IamInstanceProfile, &in.IamInstanceProfile},
		{&out.PlacementTenancy, &in.PlacementTenancy}, {&out.SpotPrice, &in.SpotPrice},
	} {
		if aws.ToString(*p.given) != "" {
			*p.to = *p.given
		}
	}
	out.EbsOptimized = new(constraint.Default(in.EbsOptimized, *out.EbsOptimized))
	if in.AssociatePublicIpAddress != nil {
		out.AssociatePublicIpAddress = in.AssociatePublicIpAddress
	}
	if len(in.SecurityGroups) > 0 {
		out.SecurityGroups = in.SecurityGroups
	}
	if len(in.BlockDeviceMappings) > 0 {
		out.BlockDeviceMappings = in.BlockDeviceMappings
	}
	if in.MetadataOptions != nil {
		out.MetadataOptions = in.MetadataOptions
	}
	if aws.ToString(out.ImageId) == "" || aws.ToString(out.InstanceType) == "" {
		return nil, invalid("Valid requests must contain either the InstanceID parameter or both the ImageId and " +
			"InstanceType parameters.")
	}
	return out, nil
}

// copyInstance copies the attributes of an instance into a launch configuration.
func copyInstance(out *types.LaunchConfiguration, r store.Reader, i *store.Instance) {
	out.ImageId, out.InstanceType = &i.ImageID, &i.Type
	out.KeyName, out.UserData = &i.KeyName, &i.UserData
	setNonEmpty(&out.IamInstanceProfile, i.ProfileARN)
	out.EbsOptimized = &i.EBSOptimized
	out.InstanceMonitoring = &types.InstanceMonitoring{Enabled: &i.Monitoring}
	out.MetadataOptions = &types.InstanceMetadataOptions{
		HttpTokens:              types.InstanceMetadataHttpTokensState(i.MetadataTokens),
		HttpEndpoint:            types.InstanceMetadataEndpointState(i.MetadataEndpoint),
		HttpPutResponseHopLimit: &i.MetadataHopLimit,
	}
	if len(i.InterfaceIDs) == 0 {
		return
	}
	if eni, ok := store.NetworkInterfaces.Get(r, i.InterfaceIDs[0]); ok {
		out.SecurityGroups = eni.GroupIDs
		out.AssociatePublicIpAddress = aws.Bool(eni.PublicIP.IsValid())
	}
}

// checkConfiguration checks that EC2 could launch an instance from a launch configuration,
// whatever its security groups are, which belong to the VPC of a group, and that the caller
// may pass its role.
func (a *API) checkConfiguration(
	ctx context.Context, r store.Reader, region identity.Region, c *types.LaunchConfiguration,
) error {
	if err := checkBlockDevices(c.BlockDeviceMappings); err != nil {
		return err
	}
	subnets := store.Subnets.InRegion(r, region)
	if len(subnets) == 0 {
		return nil
	}
	anywhere := *c
	anywhere.SecurityGroups = nil
	err := a.Templates.CheckLaunch(ctx, region, ec2.Launch{
		Base: configuredLaunch(&anywhere), SubnetID: subnets[0].ID, Count: 1,
	})
	return configurationError(err)
}

// checkBlockDevices refuses parameters of volumes that a launch cannot have.
func checkBlockDevices(devices []types.BlockDeviceMapping) error {
	for _, d := range devices {
		if aws.ToString(d.DeviceName) == "" {
			return model.Null("blockDeviceMappings.member.deviceName")
		}
	}
	return nil
}

// DescribeLaunchConfigurations lists the region's launch configurations, all of them or those
// with the given names. It ignores names that none has.
func (a *API) DescribeLaunchConfigurations(
	ctx context.Context, in *autoscaling.DescribeLaunchConfigurationsInput,
) (*autoscaling.DescribeLaunchConfigurationsOutput, error) {
	rows := slices.Clone(store.LaunchConfigurations.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx)))
	rows = slices.DeleteFunc(rows, func(r *store.LaunchConfiguration) bool {
		return len(in.LaunchConfigurationNames) > 0 && !slices.Contains(in.LaunchConfigurationNames, r.Name)
	})
	key := (*store.LaunchConfiguration).Key
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 100}, sortedBy(rows, key), key)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeLaunchConfigurationsOutput{
		LaunchConfigurations: []types.LaunchConfiguration{}, NextToken: next,
	}
	for _, row := range rows {
		described, err := describeConfiguration(row)
		if err != nil {
			return nil, err
		}
		out.LaunchConfigurations = append(out.LaunchConfigurations, *described)
	}
	return out, nil
}

func describeConfiguration(row *store.LaunchConfiguration) (*types.LaunchConfiguration, error) {
	out := &types.LaunchConfiguration{}
	if err := json.Unmarshal([]byte(row.Data), out); err != nil {
		return nil, fmt.Errorf("read the launch configuration %s: %w", row.Name, err)
	}
	return out, nil
}

// DeleteLaunchConfiguration deletes a launch configuration that no group uses.
func (a *API) DeleteLaunchConfiguration(
	ctx context.Context, in *autoscaling.DeleteLaunchConfigurationInput,
) (*autoscaling.DeleteLaunchConfigurationOutput, error) {
	here := wire.RegionFrom(ctx)
	if err := checkName("launchConfigurationName", in.LaunchConfigurationName); err != nil {
		return nil, err
	}
	return &autoscaling.DeleteLaunchConfigurationOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, ok := store.LaunchConfigurations.Get(tx, here.Key(*in.LaunchConfigurationName))
		if !ok {
			return configurationNotFound(*in.LaunchConfigurationName)
		}
		for _, g := range store.ScalingGroups.InRegion(tx, here) {
			if g.Configuration == row.Name {
				return wire.Errorf("ResourceInUse", "Cannot delete launch configuration %s because it is attached to "+
					"AutoScalingGroup %s", row.Name, g.Name)
			}
		}
		store.LaunchConfigurations.Delete(tx, row.Key())
		return nil
	})
}

func configurationNotFound(name string) error {
	return invalid("Launch configuration name not found - Launch configuration %s not found", name)
}

// configurationError turns EC2's error about a launch from a launch configuration into that
// of Auto Scaling.
func configurationError(err error) error {
	if refusal, ok := asWireError(err); ok && refusal.Code != "UnsupportedOperation" {
		return invalid("%s", refusal.Message)
	}
	return err
}
