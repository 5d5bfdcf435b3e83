package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestVPCAttributesAreModifiedOneAtATime(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	describe := func(name types.VpcAttributeName) *ec2.DescribeVpcAttributeOutput {
		return do(c, c.DescribeVpcAttribute, &ec2.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: name})
	}
	if !*describe("enableDnsSupport").EnableDnsSupport.Value ||
		*describe("enableDnsHostnames").EnableDnsHostnames.Value ||
		*describe("enableNetworkAddressUsageMetrics").EnableNetworkAddressUsageMetrics.Value {
		t.Error("a new VPC has other defaults")
	}
	yes := &types.AttributeBooleanValue{Value: aws.Bool(true)}
	do(c, c.ModifyVpcAttribute, &ec2.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsHostnames: yes})
	if !*describe("enableDnsHostnames").EnableDnsHostnames.Value {
		t.Error("the attribute was not modified")
	}
	if _, err := c.ModifyVpcAttribute(c.ctx, &ec2.ModifyVpcAttributeInput{
		VpcId: &vpc, EnableDnsHostnames: yes, EnableDnsSupport: yes,
	}); code(err) != "InvalidParameterCombination" {
		t.Errorf("two attributes: got %v", err)
	}
}
