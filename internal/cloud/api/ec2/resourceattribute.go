package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeVolumeAttribute returns one attribute of a volume.
func (a *API) DescribeVolumeAttribute(
	ctx context.Context, in *ec2.DescribeVolumeAttributeInput,
) (*ec2.DescribeVolumeAttributeOutput, error) {
	row, _, err := attributeOf(ctx, a, &volumes, in.DryRun, parameter{"volumeId", in.VolumeId}, string(in.Attribute))
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVolumeAttributeOutput{VolumeId: aws.String(row.ID)}
	switch in.Attribute {
	case types.VolumeAttributeNameAutoEnableIO:
		out.AutoEnableIO = &types.AttributeBooleanValue{Value: aws.Bool(row.AutoEnableIO)}
	case types.VolumeAttributeNameProductCodes:
		out.ProductCodes = []types.ProductCode{}
	default:
		return nil, unknownAttribute(string(in.Attribute))
	}
	return out, nil
}

// DescribeSnapshotAttribute returns one attribute of a snapshot.
func (a *API) DescribeSnapshotAttribute(
	ctx context.Context, in *ec2.DescribeSnapshotAttributeInput,
) (*ec2.DescribeSnapshotAttributeOutput, error) {
	row, _, err := attributeOf(
		ctx, a, &snapshots, in.DryRun, parameter{"snapshotId", in.SnapshotId}, string(in.Attribute),
	)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeSnapshotAttributeOutput{SnapshotId: aws.String(row.ID)}
	switch in.Attribute {
	case types.SnapshotAttributeNameCreateVolumePermission:
		if row.Owner != wire.AccountFrom(ctx) {
			return nil, wire.Errorf("AuthFailure", "Not authorized for snapshot: [%s]", row.ID)
		}
		out.CreateVolumePermissions = list(sharing{row.Public, row.Users}.grantees(), volumePermission)
	case types.SnapshotAttributeNameProductCodes:
		out.ProductCodes = []types.ProductCode{}
	default:
		return nil, unknownAttribute(string(in.Attribute))
	}
	return out, nil
}

// imageAttributes sets one attribute of an image in a response. item is the image as
// DescribeImages describes it.
var imageAttributes = map[types.ImageAttributeName]func(out *ec2.DescribeImageAttributeOutput, item types.Image){
	types.ImageAttributeNameDescription: func(out *ec2.DescribeImageAttributeOutput, item types.Image) {
		out.Description = &types.AttributeValue{Value: item.Description}
	},
	types.ImageAttributeNameBlockDeviceMapping: func(out *ec2.DescribeImageAttributeOutput, item types.Image) {
		out.BlockDeviceMappings = item.BlockDeviceMappings
	},
	types.ImageAttributeNameBootMode: func(out *ec2.DescribeImageAttributeOutput, item types.Image) {
		out.BootMode = &types.AttributeValue{Value: optionalString(string(item.BootMode))}
	},
	types.ImageAttributeNameImdsSupport: func(out *ec2.DescribeImageAttributeOutput, item types.Image) {
		out.ImdsSupport = &types.AttributeValue{Value: optionalString(string(item.ImdsSupport))}
	},
	types.ImageAttributeNameTpmSupport: func(out *ec2.DescribeImageAttributeOutput, item types.Image) {
		out.TpmSupport = &types.AttributeValue{Value: optionalString(string(item.TpmSupport))}
	},
	types.ImageAttributeNameSriovNetSupport: func(out *ec2.DescribeImageAttributeOutput, item types.Image) {
		out.SriovNetSupport = &types.AttributeValue{Value: item.SriovNetSupport}
	},
	types.ImageAttributeNameProductCodes: func(out *ec2.DescribeImageAttributeOutput, _ types.Image) {
		out.ProductCodes = []types.ProductCode{}
	},
	types.ImageAttributeNameKernel: func(out *ec2.DescribeImageAttributeOutput, _ types.Image) {
		out.KernelId = &types.AttributeValue{}
	},
	types.ImageAttributeNameRamdisk: func(out *ec2.DescribeImageAttributeOutput, _ types.Image) {
		out.RamdiskId = &types.AttributeValue{}
	},
	types.ImageAttributeNameUefiData: func(out *ec2.DescribeImageAttributeOutput, _ types.Image) {
		out.UefiData = &types.AttributeValue{}
	},
	// AWS reports a launch a day later at the earliest, and launches are not counted here.
	types.ImageAttributeNameLastLaunchedTime: func(out *ec2.DescribeImageAttributeOutput, _ types.Image) {
		out.LastLaunchedTime = &types.AttributeValue{}
	},
	types.ImageAttributeNameDeregistrationProtection: func(out *ec2.DescribeImageAttributeOutput, item types.Image) {
		out.DeregistrationProtection = &types.AttributeValue{Value: item.DeregistrationProtection}
	},
}

// DescribeImageAttribute returns one attribute of an image of the account.
func (a *API) DescribeImageAttribute(
	ctx context.Context, in *ec2.DescribeImageAttributeInput,
) (*ec2.DescribeImageAttributeOutput, error) {
	row, view, err := attributeOf(ctx, a, &images, in.DryRun, parameter{"imageId", in.ImageId}, string(in.Attribute))
	if err != nil {
		return nil, err
	}
	write, known := imageAttributes[in.Attribute]
	shared := in.Attribute == types.ImageAttributeNameLaunchPermission
	switch {
	case !known && !shared:
		return nil, unknownAttribute(string(in.Attribute))
	case row.Owner != wire.AccountFrom(ctx):
		return nil, wire.Errorf("AuthFailure", "Not authorized for image:%s", row.ID)
	}
	out := &ec2.DescribeImageAttributeOutput{ImageId: aws.String(row.ID)}
	if shared {
		out.LaunchPermissions = list(sharing{row.Public, row.Users}.grantees(), launchPermission)
	} else {
		write(out, a.imageItem(view)(row))
	}
	return out, nil
}

// DescribeNetworkInterfaceAttribute returns one attribute of a network interface.
func (a *API) DescribeNetworkInterfaceAttribute(
	ctx context.Context, in *ec2.DescribeNetworkInterfaceAttributeInput,
) (*ec2.DescribeNetworkInterfaceAttributeOutput, error) {
	row, view, err := attributeOf(
		ctx, a, &networkInterfaces, in.DryRun, parameter{"networkInterfaceId", in.NetworkInterfaceId},
		string(in.Attribute),
	)
	if err != nil {
		return nil, err
	}
	item := networkInterfaceItem(view)(row)
	out := &ec2.DescribeNetworkInterfaceAttributeOutput{NetworkInterfaceId: aws.String(row.ID)}
	switch in.Attribute {
	case types.NetworkInterfaceAttributeDescription:
		out.Description = &types.AttributeValue{Value: item.Description}
	case types.NetworkInterfaceAttributeGroupSet:
		out.Groups = item.Groups
	case types.NetworkInterfaceAttributeSourceDestCheck:
		out.SourceDestCheck = &types.AttributeBooleanValue{Value: item.SourceDestCheck}
	case types.NetworkInterfaceAttributeAttachment:
		out.Attachment = item.Attachment
	case types.NetworkInterfaceAttributeAssociatePublicIpAddress:
		out.AssociatePublicIpAddress = aws.Bool(item.Association != nil)
	default:
		return nil, unknownAttribute(string(in.Attribute))
	}
	return out, nil
}

// attributeOf returns the resource of which a request wants an attribute.
func attributeOf[T any](
	ctx context.Context, a *API, of *resourceType[T], dryRun *bool, id parameter, attribute string,
) (*T, store.Reader, error) {
	if err := required(id, parameter{"attribute", &attribute}); err != nil {
		return nil, nil, err
	}
	return named(ctx, a, of, dryRun, id)
}

// named returns the resource that a request to read names.
func named[T any](
	ctx context.Context, a *API, of *resourceType[T], dryRun *bool, id parameter,
) (*T, store.Reader, error) {
	if err := required(id); err != nil {
		return nil, nil, err
	}
	view, region, err := a.read(ctx, dryRun)
	if err != nil {
		return nil, nil, err
	}
	row, err := of.get(view, region, *id.value)
	return row, view, err
}

func unknownAttribute(name string) error {
	return invalidValue("attribute", name, "Unknown attribute.")
}

// GetPasswordData returns the password of a Windows instance's administrator. Instances of the
// local cloud run Linux, for which EC2 has none.
func (a *API) GetPasswordData(
	ctx context.Context, in *ec2.GetPasswordDataInput,
) (*ec2.GetPasswordDataOutput, error) {
	row, _, err := named(ctx, a, &instances, in.DryRun, parameter{"instanceId", in.InstanceId})
	if err != nil {
		return nil, err
	}
	return &ec2.GetPasswordDataOutput{
		InstanceId: aws.String(row.ID), PasswordData: aws.String(""), Timestamp: aws.Time(row.LaunchTime),
	}, nil
}

// GetInstanceUefiData returns the UEFI variables of an instance, which it has only if it boots
// with UEFI. Instances of the local cloud do not.
func (a *API) GetInstanceUefiData(
	ctx context.Context, in *ec2.GetInstanceUefiDataInput,
) (*ec2.GetInstanceUefiDataOutput, error) {
	row, _, err := named(ctx, a, &instances, in.DryRun, parameter{"instanceId", in.InstanceId})
	if err != nil {
		return nil, err
	}
	return nil, wire.Errorf("UnsupportedOperation", "The instance '%s' does not boot with UEFI.", row.ID)
}
