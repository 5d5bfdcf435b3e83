package ec2

import (
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// mergeTemplate returns a request with the template's values for the parameters that
// the request omits. A parameter of the request replaces the template's (Amazon EC2
// API Reference, RunInstances: LaunchTemplate). Lists of devices are merged by device
// and Placement by field. Security groups by id and by name count as one parameter.
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
	if requested := primaryInterface(in.NetworkInterfaces); nic != nil && requested != nil &&
		len(in.NetworkInterfaces) == 1 {
		overlay(nic, requested)
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

// launchInput returns a launch with the parameters of a template's data alone.
func launchInput(data *types.RequestLaunchTemplateData) (*ec2.RunInstancesInput, error) {
	text, err := encodeData(data)
	if err != nil {
		return nil, err
	}
	in := &ec2.RunInstancesInput{}
	return in, readData(&store.LaunchTemplateVersion{Data: text}, in)
}

// overlay copies the fields that are set in over to base. Both are pointers to structs
// of one type.
func overlay(base, over any) {
	to, from := reflect.ValueOf(base).Elem(), reflect.ValueOf(over).Elem()
	for i := range from.NumField() {
		if to.Type().Field(i).IsExported() && !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// primaryInterface returns the network interface with device index 0, or nil.
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
