package ec2

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifyInstanceAttribute changes one attribute of an instance.
func (a *API) ModifyInstanceAttribute(
	ctx context.Context, in *ec2.ModifyInstanceAttributeInput,
) (*ec2.ModifyInstanceAttributeOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in,
		"DryRun", "InstanceId", "Attribute", "Value", "Groups", "DisableApiStop", "DisableApiTermination",
		"SourceDestCheck", "EbsOptimized", "InstanceType", "InstanceInitiatedShutdownBehavior", "UserData",
		"EnaSupport", "SriovNetSupport",
		"BlockDeviceMappings.DeviceName", "BlockDeviceMappings.Ebs.DeleteOnTermination",
		"BlockDeviceMappings.Ebs.VolumeId",
	); err != nil {
		return nil, err
	}
	in, err := withAttributeField(in)
	if err != nil {
		return nil, err
	}
	if err := requireOne(map[string]bool{
		"groupId":                           len(in.Groups) > 0,
		"disableApiStop":                    in.DisableApiStop != nil,
		"disableApiTermination":             in.DisableApiTermination != nil,
		"sourceDestCheck":                   in.SourceDestCheck != nil,
		"ebsOptimized":                      in.EbsOptimized != nil,
		"instanceType":                      in.InstanceType != nil,
		"userData":                          in.UserData != nil,
		"enaSupport":                        in.EnaSupport != nil,
		"sriovNetSupport":                   in.SriovNetSupport != nil,
		"instanceInitiatedShutdownBehavior": in.InstanceInitiatedShutdownBehavior != nil,
		"blockDeviceMapping":                len(in.BlockDeviceMappings) > 0,
	}); err != nil {
		return nil, err
	}
	out := &ec2.ModifyInstanceAttributeOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if err := checkModification(in, row); err != nil {
			return err
		}
		if err := a.replaceSecurityGroups(tx, region, row, in.Groups); err != nil {
			return err
		}
		if err := modifyBlockDevices(tx, row, in.BlockDeviceMappings); err != nil {
			return err
		}
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) { applyModification(row, in) })
		if in.SourceDestCheck == nil {
			return nil
		}
		eni, err := soleInterface(tx, row)
		if err != nil {
			return err
		}
		store.NetworkInterfaces.Edit(
			tx, eni.ID, func(eni *store.NetworkInterface) { setBoolean(&eni.SourceDestCheck, in.SourceDestCheck) },
		)
		return nil
	})
}

// attributeSetters maps the attributes that a request can set by name and value to
// functions that set the corresponding field of the request. They report whether the
// value is valid.
var attributeSetters = map[types.InstanceAttributeName]func(in *ec2.ModifyInstanceAttributeInput, value *string) bool{
	types.InstanceAttributeNameInstanceType: func(in *ec2.ModifyInstanceAttributeInput, value *string) bool {
		in.InstanceType = &types.AttributeValue{Value: value}
		return true
	},
	types.InstanceAttributeNameInstanceInitiatedShutdownBehavior: func(
		in *ec2.ModifyInstanceAttributeInput, value *string,
	) bool {
		in.InstanceInitiatedShutdownBehavior = &types.AttributeValue{Value: value}
		return true
	},
	types.InstanceAttributeNameUserData: func(in *ec2.ModifyInstanceAttributeInput, value *string) bool {
		data, err := base64.StdEncoding.DecodeString(*value)
		in.UserData = &types.SecureBlobAttributeValue{Value: data}
		return err == nil
	},
	types.InstanceAttributeNameDisableApiTermination: booleanSetter(
		func(in *ec2.ModifyInstanceAttributeInput) **types.AttributeBooleanValue {
			return &in.DisableApiTermination
		},
	),
	types.InstanceAttributeNameDisableApiStop: booleanSetter(
		func(in *ec2.ModifyInstanceAttributeInput) **types.AttributeBooleanValue { return &in.DisableApiStop },
	),
	types.InstanceAttributeNameSourceDestCheck: booleanSetter(
		func(in *ec2.ModifyInstanceAttributeInput) **types.AttributeBooleanValue { return &in.SourceDestCheck },
	),
	types.InstanceAttributeNameSriovNetSupport: func(in *ec2.ModifyInstanceAttributeInput, value *string) bool {
		in.SriovNetSupport = &types.AttributeValue{Value: value}
		return true
	},
	types.InstanceAttributeNameEnaSupport: booleanSetter(
		func(in *ec2.ModifyInstanceAttributeInput) **types.AttributeBooleanValue { return &in.EnaSupport },
	),
	types.InstanceAttributeNameEbsOptimized: booleanSetter(
		func(in *ec2.ModifyInstanceAttributeInput) **types.AttributeBooleanValue { return &in.EbsOptimized },
	),
}

func booleanSetter(
	field func(*ec2.ModifyInstanceAttributeInput) **types.AttributeBooleanValue,
) func(*ec2.ModifyInstanceAttributeInput, *string) bool {
	return func(in *ec2.ModifyInstanceAttributeInput, value *string) bool {
		flag, err := strconv.ParseBool(*value)
		*field(in) = &types.AttributeBooleanValue{Value: &flag}
		return err == nil
	}
}

// withAttributeField converts a request that sets an attribute by name and value, the
// API's old form, into one that sets the attribute's field. A request may also name an
// attribute without a value and set the field itself.
func withAttributeField(in *ec2.ModifyInstanceAttributeInput) (*ec2.ModifyInstanceAttributeInput, error) {
	set, ok := attributeSetters[in.Attribute]
	switch {
	case in.Attribute == "" && in.Value == nil:
		return in, nil
	case in.Attribute == "":
		return nil, missingParameter("attribute")
	case in.Attribute == types.InstanceAttributeNameBlockDeviceMapping && in.Value == nil:
		return in, nil
	case !ok:
		return nil, unsupported(map[string]bool{"attribute " + string(in.Attribute): true})
	case in.Value == nil:
		return in, nil
	}
	out := *in
	if !set(&out, in.Value) {
		return nil, invalidValue("value", *in.Value, "It is not a value of the attribute "+string(in.Attribute)+".")
	}
	return &out, nil
}

// checkModification refuses values that an attribute cannot have and changes that need
// a stopped instance.
func checkModification(in *ec2.ModifyInstanceAttributeInput, row vm) error {
	needsStop := in.InstanceType != nil || in.UserData != nil || in.EbsOptimized != nil || in.EnaSupport != nil ||
		in.SriovNetSupport != nil
	if needsStop && row.State != store.Stopped {
		return notStopped(row)
	}
	if err := cmp.Or(checkEnhancedNetworking(in, row), checkNewType(in.InstanceType, row)); err != nil {
		return err
	}
	if in.UserData != nil && len(in.UserData.Value) > maxUserData {
		return wire.Errorf("InvalidParameterValue", "User data is limited to 16384 bytes")
	}
	if b := in.InstanceInitiatedShutdownBehavior; b != nil && aws.ToString(b.Value) != "stop" &&
		aws.ToString(b.Value) != "terminate" {
		return invalidValue(
			"instanceInitiatedShutdownBehavior", aws.ToString(b.Value), "Valid values are stop and terminate.",
		)
	}
	return checkShutdown(row.SpotRequestID != "", in.InstanceInitiatedShutdownBehavior)
}

// checkNewType refuses a type that does not exist or that the instance cannot become; nil: it keeps its
// type.
func checkNewType(name *types.AttributeValue, row vm) error {
	if name == nil {
		return nil
	}
	t, ok := instancetype.ByName(aws.ToString(name.Value))
	if !ok {
		return wire.Errorf(
			"InvalidInstanceAttributeValue", "Invalid value '%s' for InstanceType.", aws.ToString(name.Value))
	}
	return cmp.Or(checkArchitecture(t, string(instancetype.ArchitectureOf(row.Type))), checkTraits(t, row.Traits))
}

// checkEnhancedNetworking refuses to take a network adapter that the type of the instance needs, and kinds of adapters
// that do not exist.
func checkEnhancedNetworking(in *ec2.ModifyInstanceAttributeInput, row vm) error {
	if s := in.SriovNetSupport; s != nil && aws.ToString(s.Value) != "simple" {
		return invalidValue("sriovNetSupport", aws.ToString(s.Value), "The valid value is simple.")
	}
	if in.EnaSupport == nil {
		return nil
	}
	t, _ := instancetype.ByName(row.Type)
	traits := row.Traits
	traits.NoENA = !aws.ToBool(in.EnaSupport.Value)
	return checkTraits(t, traits)
}

// notStopped refuses a change that needs a stopped instance.
func notStopped(row vm) error {
	return wire.Errorf("IncorrectInstanceState", "The instance '%s' is not in the 'stopped' state.", row.ID)
}

// applyModification sets the attributes that are fields of the instance's row.
func applyModification(row *store.Instance, in *ec2.ModifyInstanceAttributeInput) {
	setBoolean(&row.DisableAPITermination, in.DisableApiTermination)
	setBoolean(&row.DisableAPIStop, in.DisableApiStop)
	setBoolean(&row.SourceDestCheck, in.SourceDestCheck)
	setBoolean(&row.EBSOptimized, in.EbsOptimized)
	if in.InstanceType != nil {
		t, _ := instancetype.ByName(aws.ToString(in.InstanceType.Value))
		row.Type, row.CPUCredits = t.Name, cmp.Or(row.CPUCredits, t.CPUCredits)
		row.CPUCores, row.CPUThreads = 0, 0 // those of the new type
	}
	if in.EnaSupport != nil {
		row.Traits.NoENA = !aws.ToBool(in.EnaSupport.Value)
	}
	if in.SriovNetSupport != nil {
		row.Traits.SRIOV = aws.ToString(in.SriovNetSupport.Value)
	}
	if in.InstanceInitiatedShutdownBehavior != nil {
		row.ShutdownBehavior = aws.ToString(in.InstanceInitiatedShutdownBehavior.Value)
	}
	if in.UserData != nil {
		row.UserData = base64.StdEncoding.EncodeToString(in.UserData.Value)
	}
}

// modifyBlockDevices sets whether EC2 deletes the volumes of devices when the instance
// terminates.
func modifyBlockDevices(tx *store.Tx, row vm, mappings []types.InstanceBlockDeviceMappingSpecification) error {
	for _, mapping := range mappings {
		disks := disksOf(tx, row)
		at := slices.IndexFunc(disks, func(d disk) bool { return d.Device == aws.ToString(mapping.DeviceName) })
		if at < 0 {
			return wire.Errorf(
				"InvalidInstanceAttributeValue",
				"No device is currently mapped at %s", aws.ToString(mapping.DeviceName),
			)
		}
		volume := disks[at]
		if mapping.Ebs == nil || mapping.Ebs.DeleteOnTermination == nil {
			return missingParameter("blockDeviceMapping.ebs.deleteOnTermination")
		}
		if id := aws.ToString(mapping.Ebs.VolumeId); id != "" && id != volume.ID {
			return wire.Errorf(
				"InvalidInstanceAttributeValue", "The volume '%s' is not mapped at %s", id, volume.Device,
			)
		}
		store.Volumes.Edit(
			tx, volume.ID, func(row *store.Volume) { row.DeleteOnTermination = *mapping.Ebs.DeleteOnTermination },
		)
	}
	return nil
}

// replaceSecurityGroups replaces the security groups of the instance's network interface,
// unless ids is empty.
func (a *API) replaceSecurityGroups(tx *store.Tx, region identity.Region, row vm, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	subnet, ok := store.Subnets.Get(tx, row.SubnetID)
	if !ok || len(row.InterfaceIDs) == 0 {
		return incorrectState(row, "put into groups")
	}
	eni, err := soleInterface(tx, row)
	if err != nil {
		return err
	}
	return a.replaceInterfaceGroups(tx, region, eni, subnet, ids)
}

// replaceInterfaceGroups replaces the security groups of a network interface.
func (a *API) replaceInterfaceGroups(
	tx *store.Tx, region identity.Region, eni nic, subnet *store.Subnet, ids []string,
) error {
	groups, err := securityGroupIDs(tx, region, subnet, ids, nil)
	if err != nil {
		return err
	}
	if err := a.limitInterfaceGroups(groups); err != nil {
		return err
	}
	store.NetworkInterfaces.Edit(tx, eni.ID, func(eni *store.NetworkInterface) { eni.GroupIDs = groups })
	return nil
}

// requireOne refuses a request that sets no attribute or more than one. set maps
// attributes to whether the request sets them.
func requireOne(set map[string]bool) error {
	given := slices.Sorted(func(yield func(string) bool) {
		for name, is := range set {
			if is && !yield(name) {
				return
			}
		}
	})
	switch len(given) {
	case 0:
		return wire.Errorf("InvalidParameterCombination", "No attributes specified.")
	case 1:
		return nil
	}
	return wire.Errorf(
		"InvalidParameterCombination", "Fields for multiple attribute types specified: %s", strings.Join(given, ", "),
	)
}
