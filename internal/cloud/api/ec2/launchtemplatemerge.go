package ec2

import (
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// mergeTemplate is the request with what a template's data has for the parameters that
// the request lacks. A parameter of the request replaces that of the template
// (Amazon EC2 API Reference, RunInstances: LaunchTemplate), where it is a list
// the item of the same device, and in Placement field by field. Groups by id
// and by name are one parameter.
func mergeTemplate(data *types.RequestLaunchTemplateData, in *ec2.RunInstancesInput) (*ec2.RunInstancesInput, error) {
	out, err := launchInput(data)
	if err != nil {
		return nil, err
	}
	if len(in.SecurityGroupIds)+len(in.SecurityGroups) > 0 {
		out.SecurityGroupIds, out.SecurityGroups = nil, nil
	}
	placement, nic, disks := out.Placement, primaryInterface(out.NetworkInterfaces), out.BlockDeviceMappings
	overlay(out, in)
	if placement != nil && in.Placement != nil {
		overlay(placement, in.Placement)
		out.Placement = placement
	}
	if wish := primaryInterface(in.NetworkInterfaces); nic != nil && wish != nil && len(in.NetworkInterfaces) == 1 {
		overlay(nic, wish)
		out.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{*nic}
	}
	for _, disk := range disks {
		same := func(d types.BlockDeviceMapping) bool {
			return aws.ToString(d.DeviceName) == aws.ToString(disk.DeviceName)
		}
		if len(in.BlockDeviceMappings) > 0 && !slices.ContainsFunc(in.BlockDeviceMappings, same) {
			out.BlockDeviceMappings = append(slices.Clip(out.BlockDeviceMappings), disk)
		}
	}
	return out, nil
}

// launchInput is a launch with a template's data alone.
func launchInput(data *types.RequestLaunchTemplateData) (*ec2.RunInstancesInput, error) {
	text, err := encodeData(data)
	if err != nil {
		return nil, err
	}
	in := &ec2.RunInstancesInput{}
	return in, readData(&store.LaunchTemplateVersion{Data: text}, in)
}

// overlay replaces in base, a pointer to a structure, each field that over, one
// of the same type, has set.
func overlay(base, over any) {
	to, from := reflect.ValueOf(base).Elem(), reflect.ValueOf(over).Elem()
	for i := range from.NumField() {
		if to.Type().Field(i).IsExported() && !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// primaryInterface is the network interface of device 0, or nil.
func primaryInterface(nics []types.InstanceNetworkInterfaceSpecification) *types.InstanceNetworkInterfaceSpecification {
	i := slices.IndexFunc(
		nics,
		func(nic types.InstanceNetworkInterfaceSpecification) bool { return aws.ToInt32(nic.DeviceIndex) == 0 },
	)
	if i < 0 {
		return nil
	}
	return &nics[i]
}
