package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

type (
	attributeOutput = ec2.DescribeInstanceAttributeOutput
	textValue       = *types.AttributeValue
	booleanValue    = *types.AttributeBooleanValue
)

// attributeWriter sets one attribute of an instance in a response. item is the
// instance as DescribeInstances describes it.
type attributeWriter func(out *attributeOutput, row vm, item types.Instance)

// textAttribute returns the writer of a text attribute. The response omits the value
// if it is empty.
func textAttribute(field func(*attributeOutput) *textValue, value func(vm) string) attributeWriter {
	return func(out *attributeOutput, row vm, _ types.Instance) {
		*field(out) = &types.AttributeValue{Value: optionalString(value(row))}
	}
}

// booleanAttribute returns the writer of a Boolean attribute.
func booleanAttribute(field func(*attributeOutput) *booleanValue, value func(vm) bool) attributeWriter {
	return func(out *attributeOutput, row vm, _ types.Instance) {
		*field(out) = &types.AttributeBooleanValue{Value: aws.Bool(value(row))}
	}
}

func noText(vm) string { return "" }

// instanceAttributes holds all attributes of EC2. The kernel, the RAM disk and SR-IOV
// belong to older instance types and have no value.
var instanceAttributes = map[types.InstanceAttributeName]attributeWriter{
	types.InstanceAttributeNameInstanceType: textAttribute(
		func(out *attributeOutput) *textValue { return &out.InstanceType },
		func(row vm) string { return row.Type },
	),
	types.InstanceAttributeNameUserData: textAttribute(
		func(out *attributeOutput) *textValue { return &out.UserData },
		func(row vm) string { return row.UserData },
	),
	types.InstanceAttributeNameInstanceInitiatedShutdownBehavior: textAttribute(
		func(out *attributeOutput) *textValue { return &out.InstanceInitiatedShutdownBehavior },
		func(row vm) string { return row.ShutdownBehavior },
	),
	types.InstanceAttributeNameRootDeviceName: func(out *attributeOutput, _ vm, item types.Instance) {
		out.RootDeviceName = &types.AttributeValue{Value: item.RootDeviceName}
	},
	types.InstanceAttributeNameKernel: textAttribute(
		func(out *attributeOutput) *textValue { return &out.KernelId }, noText,
	),
	types.InstanceAttributeNameRamdisk: textAttribute(
		func(out *attributeOutput) *textValue { return &out.RamdiskId }, noText,
	),
	types.InstanceAttributeNameSriovNetSupport: textAttribute(
		func(out *attributeOutput) *textValue { return &out.SriovNetSupport },
		func(row vm) string { return row.Traits.SRIOV },
	),
	types.InstanceAttributeNameDisableApiTermination: booleanAttribute(
		func(out *attributeOutput) *booleanValue { return &out.DisableApiTermination },
		func(row vm) bool { return row.DisableAPITermination },
	),
	types.InstanceAttributeNameDisableApiStop: booleanAttribute(
		func(out *attributeOutput) *booleanValue { return &out.DisableApiStop },
		func(row vm) bool { return row.DisableAPIStop },
	),
	types.InstanceAttributeNameSourceDestCheck: booleanAttribute(
		func(out *attributeOutput) *booleanValue { return &out.SourceDestCheck },
		func(row vm) bool { return row.SourceDestCheck },
	),
	types.InstanceAttributeNameEbsOptimized: booleanAttribute(
		func(out *attributeOutput) *booleanValue { return &out.EbsOptimized },
		func(row vm) bool { return row.EBSOptimized },
	),
	types.InstanceAttributeNameEnaSupport: booleanAttribute(
		func(out *attributeOutput) *booleanValue { return &out.EnaSupport },
		func(row vm) bool { return !row.Traits.NoENA },
	),
	types.InstanceAttributeNameBlockDeviceMapping: func(out *attributeOutput, _ vm, item types.Instance) {
		out.BlockDeviceMappings = item.BlockDeviceMappings
	},
	types.InstanceAttributeNameGroupSet: func(out *attributeOutput, _ vm, item types.Instance) {
		out.Groups = item.SecurityGroups
	},
	types.InstanceAttributeNameProductCodes: func(out *attributeOutput, _ vm, item types.Instance) {
		out.ProductCodes = item.ProductCodes
	},
	types.InstanceAttributeNameEnclaveOptions: func(out *attributeOutput, _ vm, _ types.Instance) {
		out.EnclaveOptions = &types.EnclaveOptions{Enabled: aws.Bool(false)}
	},
}

// DescribeInstanceAttribute returns one attribute of an instance.
func (a *API) DescribeInstanceAttribute(
	ctx context.Context, in *ec2.DescribeInstanceAttributeInput,
) (*ec2.DescribeInstanceAttributeOutput, error) {
	attribute := string(in.Attribute)
	if err := required(parameter{"instanceId", in.InstanceId}, parameter{"attribute", &attribute}); err != nil {
		return nil, err
	}
	write, ok := instanceAttributes[in.Attribute]
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
	out := &attributeOutput{InstanceId: aws.String(row.ID)}
	write(out, row, instanceItem(view)(row))
	return out, nil
}
