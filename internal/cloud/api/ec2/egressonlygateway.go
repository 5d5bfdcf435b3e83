package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var egressOnlyGateways = resourceType[store.EgressOnlyGateway]{
	table: store.EgressOnlyGateways, kind: types.ResourceTypeEgressOnlyInternetGateway, prefix: "eigw-",
	notFoundCode: "InvalidGatewayID.NotFound", notFoundText: "The egressOnlyInternetGateway ID",
	malformedCode: "InvalidEgressOnlyInternetGatewayId.Malformed",
	key:           func(row *store.EgressOnlyGateway) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.EgressOnlyGateway) *store.Tags { return &row.Tags },
	filters: withTagFilters(
		func(row *store.EgressOnlyGateway) store.Tags { return row.Tags }, filters[*store.EgressOnlyGateway]{},
	),
}

// CreateEgressOnlyInternetGateway creates an egress-only internet gateway for a VPC, which has at
// most one.
func (a *API) CreateEgressOnlyInternetGateway(
	ctx context.Context, in *ec2.CreateEgressOnlyInternetGatewayInput,
) (*ec2.CreateEgressOnlyInternetGatewayOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeEgressOnlyInternetGateway)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateEgressOnlyInternetGatewayOutput{ClientToken: in.ClientToken}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateEgressOnlyInternetGateway", token: in.ClientToken, input: in}
		row, err := egressOnlyGateways.createOnce(a, tx, region, q, func() (*store.EgressOnlyGateway, error) {
			vpc, err := vpcs.get(tx, region, *in.VpcId)
			if err != nil {
				return nil, err
			}
			if len(store.EgressOnlyGatewaysByVPC.List(tx, vpc.ID)) > 0 {
				return nil, wire.Errorf("InvalidParameterValue",
					"Network %s already has an egress-only internet gateway attached", vpc.ID)
			}
			if err := a.limitEgressOnlyGateways(tx, region); err != nil {
				return nil, err
			}
			row := &store.EgressOnlyGateway{
				ID: a.ids.ID("eigw-"), Region: region, VPCID: vpc.ID,
				Tags: tags[types.ResourceTypeEgressOnlyInternetGateway],
			}
			store.EgressOnlyGateways.Put(tx, row)
			return row, nil
		})
		if err != nil {
			return err
		}
		item := egressOnlyGatewayItem(row)
		out.EgressOnlyInternetGateway = &item
		return nil
	})
}

func egressOnlyGatewayItem(row *store.EgressOnlyGateway) types.EgressOnlyInternetGateway {
	return types.EgressOnlyInternetGateway{
		EgressOnlyInternetGatewayId: aws.String(row.ID), Tags: tagSet(row.Tags),
		Attachments: []types.InternetGatewayAttachment{
			{VpcId: aws.String(row.VPCID), State: types.AttachmentStatusAttached},
		},
	}
}

// DescribeEgressOnlyInternetGateways lists egress-only internet gateways.
func (a *API) DescribeEgressOnlyInternetGateways(
	ctx context.Context, in *ec2.DescribeEgressOnlyInternetGatewaysInput,
) (*ec2.DescribeEgressOnlyInternetGatewaysOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := egressOnlyGateways.describe(view, region, describeQuery{
		ids: in.EgressOnlyInternetGatewayIds, idParameter: "egressOnlyInternetGatewayIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeEgressOnlyInternetGatewaysOutput{
		EgressOnlyInternetGateways: list(rows, egressOnlyGatewayItem), NextToken: next,
	}, nil
}

// DeleteEgressOnlyInternetGateway deletes an egress-only internet gateway. Routes to it lead
// nowhere afterwards.
func (a *API) DeleteEgressOnlyInternetGateway(
	ctx context.Context, in *ec2.DeleteEgressOnlyInternetGatewayInput,
) (*ec2.DeleteEgressOnlyInternetGatewayOutput, error) {
	if err := required(parameter{"egressOnlyInternetGatewayId", in.EgressOnlyInternetGatewayId}); err != nil {
		return nil, err
	}
	out := &ec2.DeleteEgressOnlyInternetGatewayOutput{ReturnCode: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := egressOnlyGateways.get(tx, region, *in.EgressOnlyInternetGatewayId)
		if err != nil {
			return err
		}
		store.EgressOnlyGateways.Delete(tx, row.ID)
		return nil
	})
}
