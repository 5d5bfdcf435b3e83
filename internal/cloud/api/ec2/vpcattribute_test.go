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
	told := func(name types.VpcAttributeName) *ec2.DescribeVpcAttributeOutput {
		return do(c, c.DescribeVpcAttribute, &ec2.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: name})
	}
	if !*told("enableDnsSupport").EnableDnsSupport.Value || *told("enableDnsHostnames").EnableDnsHostnames.Value ||
		*told("enableNetworkAddressUsageMetrics").EnableNetworkAddressUsageMetrics.Value {
		t.Error("defaults of a new VPC")
	}
	yes := &types.AttributeBooleanValue{Value: aws.Bool(true)}
	do(c, c.ModifyVpcAttribute, &ec2.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsHostnames: yes})
	if !*told("enableDnsHostnames").EnableDnsHostnames.Value {
		t.Error("not modified")
	}
	if _, err := c.ModifyVpcAttribute(c.ctx, &ec2.ModifyVpcAttributeInput{
		VpcId: &vpc, EnableDnsHostnames: yes, EnableDnsSupport: yes,
	}); code(err) != "InvalidParameterCombination" {
		t.Errorf("two at once: %v", err)
	}
}
