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

// attributeWriter puts an attribute of an instance into an answer.
type attributeWriter func(out *attributeOutput, row vm, item types.Instance)

// textAttribute tells an attribute that is a text; the text is not there if it is empty.
func textAttribute(field func(*attributeOutput) *textValue, value func(vm) string) attributeWriter {
	return func(out *attributeOutput, row vm, _ types.Instance) {
		*field(out) = &types.AttributeValue{Value: optionalString(value(row))}
	}
}

// booleanAttribute tells an attribute that is true or false.
func booleanAttribute(field func(*attributeOutput) *booleanValue, value func(vm) bool) attributeWriter {
	return func(out *attributeOutput, row vm, _ types.Instance) {
		*field(out) = &types.AttributeBooleanValue{Value: aws.Bool(value(row))}
	}
}

func noText(vm) string { return "" }

// instanceAttributes are all that EC2 knows. Kernel, RAM disk and SR-IOV are of
// older kinds of machines and have no value.
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
	types.InstanceAttributeNameRootDeviceName: textAttribute(
		func(out *attributeOutput) *textValue { return &out.RootDeviceName },
		func(vm) string { return rootDevice },
	),
	types.InstanceAttributeNameKernel:  textAttribute(func(out *attributeOutput) *textValue { return &out.KernelId }, noText),
	types.InstanceAttributeNameRamdisk: textAttribute(func(out *attributeOutput) *textValue { return &out.RamdiskId }, noText),
	types.InstanceAttributeNameSriovNetSupport: textAttribute(
		func(out *attributeOutput) *textValue { return &out.SriovNetSupport },
		noText,
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
		func(vm) bool { return true },
	),
	types.InstanceAttributeNameBlockDeviceMapping: func(
		out *attributeOutput, _ vm, item types.Instance,
	) {
		out.BlockDeviceMappings = item.BlockDeviceMappings
	},
	types.InstanceAttributeNameGroupSet: func(
		out *attributeOutput, _ vm, item types.Instance,
	) {
		out.Groups = item.SecurityGroups
	},
	types.InstanceAttributeNameProductCodes: func(
		out *attributeOutput, _ vm, item types.Instance,
	) {
		out.ProductCodes = item.ProductCodes
	},
	types.InstanceAttributeNameEnclaveOptions: func(out *attributeOutput, _ vm, _ types.Instance) {
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
	out := &attributeOutput{InstanceId: aws.String(row.ID)}
	tell(out, row, instanceItem(view)(row))
	return out, nil
}
