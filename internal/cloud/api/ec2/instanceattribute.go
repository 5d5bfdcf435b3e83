package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type (
	attributes = ec2.DescribeInstanceAttributeOutput
	text       = *types.AttributeValue
	flag       = *types.AttributeBooleanValue
)

// tell puts an attribute of an instance into an answer.
type tell func(out *attributes, row vm, item types.Instance)

// textOf tells an attribute that is a text; the text is not there if it is empty.
func textOf(field func(*attributes) *text, value func(vm) string) tell {
	return func(out *attributes, row vm, _ types.Instance) {
		*field(out) = &types.AttributeValue{Value: optional(value(row))}
	}
}

// flagOf tells an attribute that is true or false.
func flagOf(field func(*attributes) *flag, value func(vm) bool) tell {
	return func(out *attributes, row vm, _ types.Instance) {
		*field(out) = &types.AttributeBooleanValue{Value: aws.Bool(value(row))}
	}
}

func nothing(vm) string { return "" }

// instanceAttributes are all that EC2 knows. Kernel, RAM disk and SR-IOV are of
// older kinds of machines and have no value.
var instanceAttributes = map[types.InstanceAttributeName]tell{
	types.InstanceAttributeNameInstanceType: textOf(
		func(out *attributes) *text { return &out.InstanceType },
		func(row vm) string { return row.Type },
	),
	types.InstanceAttributeNameUserData: textOf(
		func(out *attributes) *text { return &out.UserData },
		func(row vm) string { return row.UserData },
	),
	types.InstanceAttributeNameInstanceInitiatedShutdownBehavior: textOf(
		func(out *attributes) *text { return &out.InstanceInitiatedShutdownBehavior },
		func(row vm) string { return row.ShutdownBehavior },
	),
	types.InstanceAttributeNameRootDeviceName: textOf(
		func(out *attributes) *text { return &out.RootDeviceName },
		func(vm) string { return rootDevice },
	),
	types.InstanceAttributeNameKernel:  textOf(func(out *attributes) *text { return &out.KernelId }, nothing),
	types.InstanceAttributeNameRamdisk: textOf(func(out *attributes) *text { return &out.RamdiskId }, nothing),
	types.InstanceAttributeNameSriovNetSupport: textOf(
		func(out *attributes) *text { return &out.SriovNetSupport },
		nothing,
	),
	types.InstanceAttributeNameDisableApiTermination: flagOf(
		func(out *attributes) *flag { return &out.DisableApiTermination },
		func(row vm) bool { return row.DisableAPITermination },
	),
	types.InstanceAttributeNameDisableApiStop: flagOf(
		func(out *attributes) *flag { return &out.DisableApiStop },
		func(row vm) bool { return row.DisableAPIStop },
	),
	types.InstanceAttributeNameSourceDestCheck: flagOf(
		func(out *attributes) *flag { return &out.SourceDestCheck },
		func(row vm) bool { return row.SourceDestCheck },
	),
	types.InstanceAttributeNameEbsOptimized: flagOf(
		func(out *attributes) *flag { return &out.EbsOptimized },
		func(row vm) bool { return row.EBSOptimized },
	),
	types.InstanceAttributeNameEnaSupport: flagOf(
		func(out *attributes) *flag { return &out.EnaSupport },
		func(vm) bool { return true },
	),
	types.InstanceAttributeNameBlockDeviceMapping: func(
		out *attributes, _ vm, item types.Instance,
	) {
		out.BlockDeviceMappings = item.BlockDeviceMappings
	},
	types.InstanceAttributeNameGroupSet: func(
		out *attributes, _ vm, item types.Instance,
	) {
		out.Groups = item.SecurityGroups
	},
	types.InstanceAttributeNameProductCodes: func(
		out *attributes, _ vm, item types.Instance,
	) {
		out.ProductCodes = item.ProductCodes
	},
	types.InstanceAttributeNameEnclaveOptions: func(out *attributes, _ vm, _ types.Instance) {
		out.EnclaveOptions = &types.EnclaveOptions{Enabled: aws.Bool(false)}
	},
}

// DescribeInstanceAttribute tells one attribute of an instance.
func (a *API) DescribeInstanceAttribute(ctx context.Context, in *ec2.DescribeInstanceAttributeInput) (*ec2.DescribeInstanceAttributeOutput, error) {
	attribute := string(in.Attribute)
	if err := required(parameter{"instanceId", in.InstanceId}, parameter{"attribute", &attribute}); err != nil {
		return nil, err
	}
	tell, ok := instanceAttributes[in.Attribute]
	if !ok {
		return nil, invalidValue("attribute", attribute, "Unknown attribute.")
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	row, err := instances.get(view, region, *in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &attributes{InstanceId: aws.String(row.ID)}
	tell(out, row, instanceItem(view)(row))
	return out, nil
}
