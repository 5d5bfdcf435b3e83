package ec2

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

// attribute returns the value of an attribute.
func (r *remote) attribute(id string, name types.InstanceAttributeName) any {
	r.t.Helper()
	out := reflect.ValueOf(*doRemote(r, r.DescribeInstanceAttribute, &ec2.DescribeInstanceAttributeInput{
		InstanceId: &id, Attribute: name,
	}))
	var found any
	for i := range out.NumField() {
		field := out.Type().Field(i)
		if !field.IsExported() || field.Name == "InstanceId" || field.Name == "ResultMetadata" ||
			out.Field(i).IsZero() {
			continue
		}
		if found != nil {
			r.t.Errorf("%s: more than one attribute in the response", name)
		}
		switch v := out.Field(i).Interface().(type) {
		case *types.AttributeValue:
			found = aws.ToString(v.Value)
		case *types.AttributeBooleanValue:
			found = *v.Value
		default:
			found = v
		}
	}
	return found
}

func TestEveryInstanceAttributeIsDescribed(t *testing.T) {
	r := newRemote(t)
	in := launchOne(r.cloud.availableImage())
	in.UserData, in.DisableApiTermination = encoded(3), aws.Bool(true)
	item := doRemote(r, r.RunInstances, in).Instances[0]
	for name, want := range map[types.InstanceAttributeName]any{
		"instanceType": "t3.micro", "userData": "eHh4", "disableApiTermination": true, "disableApiStop": false,
		"instanceInitiatedShutdownBehavior": "stop",
		"rootDeviceName":                    "/dev/xvda", "sourceDestCheck": true, "ebsOptimized": false,
		"enaSupport": true, "kernel": "",
		"ramdisk": "", "sriovNetSupport": "",
		"groupSet": item.SecurityGroups, "blockDeviceMapping": item.BlockDeviceMappings,
		"productCodes":   []types.ProductCode{},
		"enclaveOptions": &types.EnclaveOptions{Enabled: aws.Bool(false)},
	} {
		if _, ok := instanceAttributes[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		if diff := cmp.Diff(want, r.attribute(*item.InstanceId, name), cmp.FilterPath(
			func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore(),
		)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if len(instanceAttributes) != 16 {
		t.Errorf("got %d attributes, want 16", len(instanceAttributes))
	}
	wantRemoteError(r, r.DescribeInstanceAttribute, &ec2.DescribeInstanceAttributeInput{Attribute: "userData"},
		"MissingParameter: The request must contain the parameter instanceId")
	wantRemoteError(r, r.DescribeInstanceAttribute, &ec2.DescribeInstanceAttributeInput{InstanceId: item.InstanceId},
		"MissingParameter: The request must contain the parameter attribute")
	wantRemoteError(r, r.DescribeInstanceAttribute,
		&ec2.DescribeInstanceAttributeInput{InstanceId: item.InstanceId, Attribute: "colour"},
		"InvalidParameterValue: Value (colour) for parameter attribute is invalid. Unknown attribute.")
	wantRemoteError(r, r.DescribeInstanceAttribute,
		&ec2.DescribeInstanceAttributeInput{InstanceId: aws.String(noInstance), Attribute: "userData"},
		"InvalidInstanceID.NotFound:")
	wantRemoteError(r, r.DescribeInstanceAttribute,
		&ec2.DescribeInstanceAttributeInput{InstanceId: item.InstanceId, Attribute: "userData", DryRun: aws.Bool(true)},
		dryRun)
}

func TestInstanceAttributesAreModifiedOneAtATime(t *testing.T) {
	r := newRemote(t)
	item := r.launch(1)[0]
	id := item.InstanceId
	yes, no := &types.AttributeBooleanValue{Value: aws.Bool(true)}, &types.AttributeBooleanValue{Value: aws.Bool(false)}
	word := func(s string) *types.AttributeValue { return &types.AttributeValue{Value: &s} }
	group := doRemote(
		r,
		r.CreateSecurityGroup,
		&ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web"), VpcId: item.VpcId},
	).GroupId
	keep := []types.InstanceBlockDeviceMappingSpecification{
		{
			DeviceName: aws.String("/dev/xvda"),
			Ebs:        &types.EbsInstanceBlockDeviceSpecification{DeleteOnTermination: aws.Bool(false)},
		},
	}
	type attributes = ec2.ModifyInstanceAttributeInput
	for _, test := range []struct {
		in   attributes
		want string
	}{
		{attributes{}, "InvalidParameterCombination: No attributes specified."},
		{
			attributes{DisableApiStop: yes, DisableApiTermination: yes},
			"InvalidParameterCombination: Fields for multiple attribute types specified: disableApiStop, " +
				"disableApiTermination",
		},
		{
			attributes{InstanceType: word("t3.small")},
			"IncorrectInstanceState: The instance '" + *id + "' is not in the 'stopped' state.",
		},
		{attributes{UserData: &types.SecureBlobAttributeValue{Value: []byte("x")}}, "IncorrectInstanceState:"},
		{attributes{EbsOptimized: yes}, "IncorrectInstanceState:"},
		{attributes{EnaSupport: yes}, "IncorrectInstanceState:"},
		{attributes{SriovNetSupport: word("simple")}, "IncorrectInstanceState:"},
		{attributes{InstanceInitiatedShutdownBehavior: word("nap")}, "InvalidParameterValue:"},
		{
			attributes{Groups: []string{"sg-0123456789abcdef0"}},
			"InvalidGroup.NotFound: The security group 'sg-0123456789abcdef0' does not exist",
		},
		{
			attributes{Kernel: word("aki")},
			"UnsupportedOperation: aloft's local cloud does not support the parameter kernel.value",
		},
		{
			attributes{Attribute: "kernel", Value: aws.String("aki")},
			"UnsupportedOperation: aloft's local cloud does not support the parameter attribute kernel",
		},
		{attributes{Value: aws.String("true")}, "MissingParameter: The request must contain the parameter attribute"},
		{attributes{Attribute: "disableApiStop", Value: aws.String("maybe")}, "InvalidParameterValue:"},
		{
			attributes{
				BlockDeviceMappings: []types.InstanceBlockDeviceMappingSpecification{
					{DeviceName: aws.String("/dev/sdf")},
				},
			},
			"InvalidInstanceAttributeValue: No device is currently mapped at /dev/sdf",
		},
		{
			attributes{
				BlockDeviceMappings: []types.InstanceBlockDeviceMappingSpecification{
					{DeviceName: aws.String("/dev/xvda"), VirtualName: aws.String("ephemeral0")},
				},
			},
			"UnsupportedOperation: aloft's local cloud does not support the parameter blockDeviceMappings.virtualName",
		},
		{attributes{DisableApiStop: yes, DryRun: aws.Bool(true)}, dryRun},
	} {
		test.in.InstanceId = id
		wantRemoteError(r, r.ModifyInstanceAttribute, &test.in, test.want)
	}
	wantRemoteError(r, r.ModifyInstanceAttribute, &attributes{DisableApiStop: yes},
		"MissingParameter: The request must contain the parameter instanceId")
	wantRemoteError(r, r.ModifyInstanceAttribute, &attributes{InstanceId: aws.String(noInstance), DisableApiStop: yes},
		"InvalidInstanceID.NotFound:")

	r.cloud.observe(*id, store.Stopped)
	wantRemoteError(r, r.ModifyInstanceAttribute, &attributes{InstanceId: id, InstanceType: word("t9.huge")},
		"InvalidInstanceAttributeValue: Invalid value 't9.huge' for InstanceType.")
	wantRemoteError(r, r.ModifyInstanceAttribute, &attributes{InstanceId: id, SriovNetSupport: word("double")},
		"InvalidParameterValue:")
	wantRemoteError(r, r.ModifyInstanceAttribute, &attributes{InstanceId: id, EnaSupport: no},
		"InvalidParameterCombination:")
	for _, test := range []struct {
		in   attributes
		name types.InstanceAttributeName
		want any
	}{
		{attributes{DisableApiStop: yes}, "disableApiStop", true},
		{attributes{DisableApiTermination: yes}, "disableApiTermination", true},
		{attributes{Attribute: "disableApiTermination", Value: aws.String("false")}, "disableApiTermination", false},
		{attributes{SourceDestCheck: no}, "sourceDestCheck", false},
		{attributes{EbsOptimized: yes}, "ebsOptimized", true},
		{attributes{EnaSupport: yes}, "enaSupport", true},
		{attributes{Attribute: "sriovNetSupport", Value: aws.String("simple")}, "sriovNetSupport", "simple"},
		{attributes{InstanceType: word("t3.small")}, "instanceType", "t3.small"},
		{attributes{Attribute: "instanceType", Value: aws.String("m5.large")}, "instanceType", "m5.large"},
		{attributes{UserData: &types.SecureBlobAttributeValue{Value: []byte("xxx")}}, "userData", "eHh4"},
		{attributes{Attribute: "userData", Value: aws.String("eHg=")}, "userData", "eHg="},
		{
			attributes{InstanceInitiatedShutdownBehavior: word("terminate")}, "instanceInitiatedShutdownBehavior",
			"terminate",
		},
	} {
		test.in.InstanceId = id
		doRemote(r, r.ModifyInstanceAttribute, &test.in)
		if now := r.attribute(*id, test.name); now != test.want {
			t.Errorf("%s: %v, want %v", test.name, now, test.want)
		}
	}
	doRemote(r, r.ModifyInstanceAttribute, &attributes{InstanceId: id, Groups: []string{*group}})
	if groups := r.attribute(*id, "groupSet").([]types.GroupIdentifier); len(groups) != 1 ||
		*groups[0].GroupId != *group {
		t.Errorf("security groups %v", groups)
	}
	doRemote(r, r.ModifyInstanceAttribute, &attributes{InstanceId: id, BlockDeviceMappings: keep})
	disks := r.attribute(*id, "blockDeviceMapping").([]types.InstanceBlockDeviceMapping)
	if *disks[0].Ebs.DeleteOnTermination {
		t.Error("the volume is deleted on termination")
	}
	if eni, _ := store.NetworkInterfaces.Get(
		r.cloud.Store.View(), *item.NetworkInterfaces[0].NetworkInterfaceId,
	); eni.SourceDestCheck {
		t.Error("the interface still checks source and destination")
	}
}

func TestTheSourceDestinationCheckIsReset(t *testing.T) {
	r := newRemote(t)
	id := r.launch(1)[0].InstanceId
	doRemote(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId: id, SourceDestCheck: &types.AttributeBooleanValue{Value: aws.Bool(false)},
	})
	reset := func(name types.InstanceAttributeName) *ec2.ResetInstanceAttributeInput {
		return &ec2.ResetInstanceAttributeInput{InstanceId: id, Attribute: name}
	}
	wantRemoteError(r, r.ResetInstanceAttribute, reset("instanceType"), "InvalidParameterValue:")
	wantRemoteError(r, r.ResetInstanceAttribute, reset(""), "MissingParameter:")
	if got := r.attribute(*id, "sourceDestCheck"); got != false {
		t.Errorf("refused requests make it %v", got)
	}
	doRemote(r, r.ResetInstanceAttribute, reset("sourceDestCheck"))
	if got := r.attribute(*id, "sourceDestCheck"); got != true {
		t.Errorf("it is %v", got)
	}
}
