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

var internetGateways = resourceType[store.InternetGateway]{
	table: store.InternetGateways, kind: types.ResourceTypeInternetGateway, prefix: "igw-",
	notFoundCode: "InvalidInternetGatewayID.NotFound", notFoundText: "The internetGateway ID",
	malformedCode: "InvalidInternetGatewayId.Malformed",
	key:           func(row *store.InternetGateway) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.InternetGateway) *store.Tags { return &row.Tags },
	filters: withTagFilters(gatewayTags, filters[*store.InternetGateway]{
		"internet-gateway-id": field(func(row *store.InternetGateway) string { return row.ID }),
		"owner-id":            field(func(row *store.InternetGateway) string { return row.Region.Account() }),
		"attachment.vpc-id": func(_ store.Reader, row *store.InternetGateway) []string {
			return ifGatewayAttached(row, row.VPCID)
		},
		"attachment.state": func(_ store.Reader, row *store.InternetGateway) []string {
			return ifGatewayAttached(row, string(gatewayAttached))
		},
	}),
}

func gatewayTags(row *store.InternetGateway) store.Tags { return row.Tags }

// gatewayAttached is the state of an attached gateway: gateways have kept an old word
// of EC2.
const gatewayAttached types.AttachmentStatus = "available"

// ifGatewayAttached returns value as a filter's value if the gateway is attached.
func ifGatewayAttached(row *store.InternetGateway, value string) []string {
	if row.VPCID == "" {
		return nil
	}
	return []string{value}
}

// CreateInternetGateway creates an internet gateway that is not attached.
func (a *API) CreateInternetGateway(
	ctx context.Context, in *ec2.CreateInternetGatewayInput,
) (*ec2.CreateInternetGatewayOutput, error) {
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeInternetGateway)
	if err != nil {
		return nil, err
	}
	row := &store.InternetGateway{ID: a.ids.ID("igw-"), Tags: tags[types.ResourceTypeInternetGateway]}
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if err := a.limitInternetGateways(tx, region); err != nil {
			return err
		}
		row.Region = region
		store.InternetGateways.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	item := internetGatewayItem(row)
	return &ec2.CreateInternetGatewayOutput{InternetGateway: &item}, nil
}

// DescribeInternetGateways lists internet gateways.
func (a *API) DescribeInternetGateways(
	ctx context.Context, in *ec2.DescribeInternetGatewaysInput,
) (*ec2.DescribeInternetGatewaysOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := internetGateways.describe(view, region, describeQuery{
		ids: in.InternetGatewayIds, idParameter: "internetGatewayIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeInternetGatewaysOutput{InternetGateways: list(rows, internetGatewayItem), NextToken: next}, nil
}

func internetGatewayItem(row *store.InternetGateway) types.InternetGateway {
	item := types.InternetGateway{
		InternetGatewayId: aws.String(row.ID), OwnerId: aws.String(row.Region.Account()), Tags: tagSet(row.Tags),
		Attachments: []types.InternetGatewayAttachment{},
	}
	if row.VPCID != "" {
		item.Attachments = append(
			item.Attachments,
			types.InternetGatewayAttachment{VpcId: aws.String(row.VPCID), State: gatewayAttached},
		)
	}
	return item
}

// changeAttachment runs change with the internet gateway and the VPC that a
// request to attach or detach names.
func (a *API) changeAttachment(
	ctx context.Context, dryRun *bool, gatewayID, vpcID *string,
	change func(tx *store.Tx, gateway *store.InternetGateway, vpc *store.VPC) error,
) error {
	if err := required(parameter{"internetGatewayId", gatewayID}, parameter{"vpcId", vpcID}); err != nil {
		return err
	}
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		gateway, err := internetGateways.get(tx, region, *gatewayID)
		if err != nil {
			return err
		}
		vpc, err := vpcs.get(tx, region, *vpcID)
		if err != nil {
			return err
		}
		return change(tx, gateway, vpc)
	})
}

// AttachInternetGateway attaches an internet gateway to a VPC. A VPC has at most one
// gateway, and a gateway at most one VPC.
func (a *API) AttachInternetGateway(
	ctx context.Context, in *ec2.AttachInternetGatewayInput,
) (*ec2.AttachInternetGatewayOutput, error) {
	attach := func(tx *store.Tx, gateway *store.InternetGateway, vpc *store.VPC) error {
		if gateway.VPCID != "" {
			return wire.Errorf(
				"Resource.AlreadyAssociated",
				"resource %s is already attached to network %s", gateway.ID, gateway.VPCID,
			)
		}
		if others := store.InternetGatewaysByVPC.List(tx, vpc.ID); len(others) > 0 {
			return wire.Errorf("InvalidParameterValue", "Network %s already has an internet gateway attached", vpc.ID)
		}
		store.InternetGateways.Edit(tx, gateway.ID, func(row *store.InternetGateway) { row.VPCID = vpc.ID })
		return nil
	}
	if err := a.changeAttachment(ctx, in.DryRun, in.InternetGatewayId, in.VpcId, attach); err != nil {
		return nil, err
	}
	return &ec2.AttachInternetGatewayOutput{}, nil
}

// DetachInternetGateway detaches an internet gateway from a VPC in which no network
// interface has a public IP address.
func (a *API) DetachInternetGateway(
	ctx context.Context, in *ec2.DetachInternetGatewayInput,
) (*ec2.DetachInternetGatewayOutput, error) {
	detach := func(tx *store.Tx, gateway *store.InternetGateway, vpc *store.VPC) error {
		if gateway.VPCID != vpc.ID {
			return wire.Errorf("Gateway.NotAttached", "resource %s is not attached to network %s", gateway.ID, vpc.ID)
		}
		for _, nic := range store.NetworkInterfacesInVPC(tx, vpc.ID) {
			if nic.IsPublic() {
				return wire.Errorf(
					"DependencyViolation",
					"Network %s has some mapped public address(es). "+
						"Please unmap those public address(es) before detaching the gateway.",
					vpc.ID,
				)
			}
		}
		if table, existing, ok := gatewayAssociation(tx, vpc.ID, gateway.ID); ok {
			removeAssociation(tx, table.ID, existing.ID)
		}
		store.InternetGateways.Edit(tx, gateway.ID, func(row *store.InternetGateway) { row.VPCID = "" })
		return nil
	}
	if err := a.changeAttachment(ctx, in.DryRun, in.InternetGatewayId, in.VpcId, detach); err != nil {
		return nil, err
	}
	return &ec2.DetachInternetGatewayOutput{}, nil
}

// DeleteInternetGateway deletes a detached internet gateway.
func (a *API) DeleteInternetGateway(
	ctx context.Context, in *ec2.DeleteInternetGatewayInput,
) (*ec2.DeleteInternetGatewayOutput, error) {
	if err := required(parameter{"internetGatewayId", in.InternetGatewayId}); err != nil {
		return nil, err
	}
	out := &ec2.DeleteInternetGatewayOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		gateway, err := internetGateways.get(tx, region, *in.InternetGatewayId)
		if err != nil {
			return err
		}
		if gateway.VPCID != "" {
			return dependencyViolation("internetGateway", gateway.ID)
		}
		store.InternetGateways.Delete(tx, gateway.ID)
		return nil
	})
}
