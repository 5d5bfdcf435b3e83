package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifyVpcAttribute changes one attribute of a VPC. EC2 accepts one attribute a call.
func (a *API) ModifyVpcAttribute(
	ctx context.Context, in *ec2.ModifyVpcAttributeInput,
) (*ec2.ModifyVpcAttributeOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	given := 0
	for _, attribute := range []*types.AttributeBooleanValue{
		in.EnableDnsHostnames, in.EnableDnsSupport, in.EnableNetworkAddressUsageMetrics,
	} {
		if attribute == nil {
			continue
		}
		if attribute.Value == nil {
			return nil, missingParameter("value")
		}
		given++
	}
	if given == 0 {
		return nil, missingParameter("enableDnsSupport, enableDnsHostnames or enableNetworkAddressUsageMetrics")
	}
	if given > 1 {
		return nil, wire.Errorf("InvalidParameterCombination", "Only one VPC attribute may be modified at a time")
	}
	return &ec2.ModifyVpcAttributeOutput{}, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		vpc, err := vpcs.get(tx, region, *in.VpcId)
		if err != nil {
			return err
		}
		store.VPCs.Edit(tx, vpc.ID, func(row *store.VPC) {
			setBoolean(&row.DNSHostnames, in.EnableDnsHostnames)
			setBoolean(&row.DNSSupport, in.EnableDnsSupport)
			setBoolean(&row.NetworkAddressUsageMetrics, in.EnableNetworkAddressUsageMetrics)
		})
		return nil
	})
}

// DescribeVpcAttribute returns one attribute of a VPC.
func (a *API) DescribeVpcAttribute(
	ctx context.Context, in *ec2.DescribeVpcAttributeInput,
) (*ec2.DescribeVpcAttributeOutput, error) {
	attribute := string(in.Attribute)
	if err := required(parameter{"vpcId", in.VpcId}, parameter{"attribute", &attribute}); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	vpc, err := vpcs.get(view, region, *in.VpcId)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcAttributeOutput{VpcId: in.VpcId}
	switch in.Attribute {
	case types.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = &types.AttributeBooleanValue{Value: &vpc.DNSSupport}
	case types.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = &types.AttributeBooleanValue{Value: &vpc.DNSHostnames}
	case types.VpcAttributeNameEnableNetworkAddressUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = &types.AttributeBooleanValue{Value: &vpc.NetworkAddressUsageMetrics}
	default:
		return nil, invalidValue("attribute", attribute, "Unknown attribute.")
	}
	return out, nil
}
