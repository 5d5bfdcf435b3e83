package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAnInstanceHasTheNameOfItsSubnetUnlessItsLaunchSaysOtherwise(t *testing.T) {
	c := newCloud(t)
	subnet := c.launch(func(*ec2.RunInstancesInput) {}).SubnetId
	do(c, c.ModifySubnetAttribute, &ec2.ModifySubnetAttributeInput{
		SubnetId: subnet, PrivateDnsHostnameTypeOnLaunch: types.HostnameTypeResourceName,
	})
	do(c, c.ModifySubnetAttribute, &ec2.ModifySubnetAttributeInput{
		SubnetId: subnet, EnableResourceNameDnsARecordOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)},
	})
	named := c.launch(func(in *ec2.RunInstancesInput) { in.SubnetId = subnet })
	if o := named.PrivateDnsNameOptions; *named.PrivateDnsName != *named.InstanceId+".ec2.internal" ||
		o.HostnameType != types.HostnameTypeResourceName || !*o.EnableResourceNameDnsARecord ||
		*o.EnableResourceNameDnsAAAARecord {
		t.Errorf("%s: %+v", *named.PrivateDnsName, o)
	}
	other := c.launch(func(in *ec2.RunInstancesInput) {
		in.SubnetId = subnet
		in.PrivateDnsNameOptions = &types.PrivateDnsNameOptionsRequest{
			HostnameType: types.HostnameTypeIpName, EnableResourceNameDnsARecord: aws.Bool(false),
			EnableResourceNameDnsAAAARecord: aws.Bool(true),
		}
	})
	if o := other.PrivateDnsNameOptions; (*other.PrivateDnsName)[:3] != "ip-" || *o.EnableResourceNameDnsARecord ||
		!*o.EnableResourceNameDnsAAAARecord {
		t.Errorf("%s: %+v", *other.PrivateDnsName, o)
	}
	rename := &ec2.ModifyPrivateDnsNameOptionsInput{
		InstanceId: other.InstanceId, PrivateDnsHostnameType: types.HostnameTypeResourceName,
	}
	wantError(c, c.ModifyPrivateDnsNameOptions, rename,
		"IncorrectInstanceState: The instance '"+*other.InstanceId+"' is not in the 'stopped' state.")
	do(c, c.ModifyPrivateDnsNameOptions, &ec2.ModifyPrivateDnsNameOptionsInput{
		InstanceId: other.InstanceId, EnableResourceNameDnsARecord: aws.Bool(true),
	})
	c.observe(*other.InstanceId, store.Stopped)
	do(c, c.ModifyPrivateDnsNameOptions, rename)
	row, _ := store.Instances.Get(c.Store.View(), *other.InstanceId)
	if row.ResourceNames != (store.ResourceNames{Hostname: true, A: true, AAAA: true}) {
		t.Errorf("%+v", row.ResourceNames)
	}
}
