package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// EC2-Classic was retired in 2022, and with it ClassicLink. Clients still ask whether a VPC
// has it. None has.

var classicLinkFilters = withTagFilters(func(row *store.VPC) store.Tags { return row.Tags }, filters[*store.VPC]{
	"is-classic-link-enabled": constant[*store.VPC]("false"),
})

// DescribeVpcClassicLink reports for each VPC whether instances of EC2-Classic can be linked
// to it.
func (a *API) DescribeVpcClassicLink(
	ctx context.Context, in *ec2.DescribeVpcClassicLinkInput,
) (*ec2.DescribeVpcClassicLinkOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if err := classicLinkFilters.check(in.Filters); err != nil {
		return nil, err
	}
	rows, err := vpcs.find(view, region, in.VpcIds)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcClassicLinkOutput{Vpcs: []types.VpcClassicLink{}}
	for _, row := range rows {
		if classicLinkFilters.match(view, row, row.Tags, in.Filters) {
			out.Vpcs = append(out.Vpcs, types.VpcClassicLink{
				VpcId: aws.String(row.ID), ClassicLinkEnabled: aws.Bool(false), Tags: tagSet(row.Tags),
			})
		}
	}
	return out, nil
}

// DescribeVpcClassicLinkDnsSupport reports for each VPC whether it resolves names of linked
// instances of EC2-Classic.
func (a *API) DescribeVpcClassicLinkDnsSupport(
	ctx context.Context, in *ec2.DescribeVpcClassicLinkDnsSupportInput,
) (*ec2.DescribeVpcClassicLinkDnsSupportOutput, error) {
	view, region, err := a.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	rows, next, err := vpcs.describe(view, region, describeQuery{
		ids: in.VpcIds, idParameter: "vpcIds", page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVpcClassicLinkDnsSupportOutput{
		NextToken: next,
		Vpcs: list(rows, func(row *store.VPC) types.ClassicLinkDnsSupport {
			return types.ClassicLinkDnsSupport{VpcId: aws.String(row.ID), ClassicLinkDnsSupported: aws.Bool(false)}
		}),
	}, nil
}
