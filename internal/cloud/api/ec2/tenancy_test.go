package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestInstancesHaveTheTenancyOfTheirVPCOrTheirLaunch(t *testing.T) {
	c := newCloud(t)
	vpc := do(c, c.CreateVpc, &ec2.CreateVpcInput{
		CidrBlock: aws.String("10.0.0.0/16"), InstanceTenancy: types.TenancyDedicated,
	}).Vpc.VpcId
	subnet := c.subnet(*vpc, "10.0.1.0/24", "us-east-1a")
	tenancy := func(subnet string, asked types.Tenancy) types.Tenancy {
		return c.launch(func(in *ec2.RunInstancesInput) {
			in.Placement = &types.Placement{Tenancy: asked}
			if subnet != "" {
				in.SubnetId = &subnet
			}
		}).Placement.Tenancy
	}
	if got := tenancy(subnet, types.TenancyDefault); got != types.TenancyDedicated {
		t.Errorf("in a dedicated VPC: %s", got)
	}
	if got := tenancy("", types.TenancyDedicated); got != types.TenancyDedicated {
		t.Errorf("asked for dedicated: %s", got)
	}
	if got := tenancy("", ""); got != types.TenancyDefault {
		t.Errorf("asked for nothing: %s", got)
	}
	wantError(c, c.ModifyVpcTenancy, &ec2.ModifyVpcTenancyInput{VpcId: vpc, InstanceTenancy: "dedicated"},
		"InvalidParameterValue: Value (dedicated) for parameter instanceTenancy is invalid. The valid value is "+
			"default.")
	do(c, c.ModifyVpcTenancy, &ec2.ModifyVpcTenancyInput{VpcId: vpc, InstanceTenancy: types.VpcTenancyDefault})
	if got := tenancy(subnet, ""); got != types.TenancyDefault {
		t.Errorf("after the change: %s", got)
	}
	if found := do(c, c.DescribeInstances, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{filter("tenancy", "dedicated")},
	}).Reservations; len(found) != 2 {
		t.Errorf("%d dedicated instances", len(found))
	}
}
