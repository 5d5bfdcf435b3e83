package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// DescribeSecurityGroupReferences lists the VPCs on the other side of a peering whose rules
// refer to security groups. VPCs here have no peers.
func (a *API) DescribeSecurityGroupReferences(
	ctx context.Context, in *ec2.DescribeSecurityGroupReferencesInput,
) (*ec2.DescribeSecurityGroupReferencesOutput, error) {
	if len(in.GroupId) == 0 {
		return nil, missingParameter("groupId")
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	_, err = securityGroups.find(view, region, in.GroupId)
	return &ec2.DescribeSecurityGroupReferencesOutput{SecurityGroupReferenceSet: []types.SecurityGroupReference{}}, err
}

// DescribeStaleSecurityGroups lists the security groups of a VPC with rules that refer to
// deleted groups of a peer. VPCs here have no peers.
func (a *API) DescribeStaleSecurityGroups(
	ctx context.Context, in *ec2.DescribeStaleSecurityGroupsInput,
) (*ec2.DescribeStaleSecurityGroupsOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	if err := a.none(ctx, absent{
		dryRun: in.DryRun, page: pageRequest{in.MaxResults, in.NextToken},
	}); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	_, err = vpcs.get(view, region, *in.VpcId)
	return &ec2.DescribeStaleSecurityGroupsOutput{StaleSecurityGroupSet: []types.StaleSecurityGroup{}}, err
}

// groupsForVPC are the security groups with the filters of GetSecurityGroupsForVpc.
var groupsForVPC = resourceType[store.SecurityGroup]{
	table: securityGroups.table, kind: securityGroups.kind, prefix: securityGroups.prefix,
	key: securityGroups.key, tags: securityGroups.tags,
	filters: withTagFilters(func(row *store.SecurityGroup) store.Tags { return row.Tags },
		filters[*store.SecurityGroup]{
			"group-id":       securityGroups.filters["group-id"],
			"description":    securityGroups.filters["description"],
			"group-name":     securityGroups.filters["group-name"],
			"owner-id":       securityGroups.filters["owner-id"],
			"primary-vpc-id": securityGroups.filters["vpc-id"],
		}),
}

// GetSecurityGroupsForVpc lists the security groups that network interfaces of a VPC can have.
func (a *API) GetSecurityGroupsForVpc(
	ctx context.Context, in *ec2.GetSecurityGroupsForVpcInput,
) (*ec2.GetSecurityGroupsForVpcOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
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
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("", false); err != nil {
		return nil, err
	}
	all, _, err := groupsForVPC.describe(view, region, describeQuery{filters: in.Filters})
	if err != nil {
		return nil, err
	}
	var rows []*store.SecurityGroup
	for _, row := range all {
		if row.VPCID == vpc.ID {
			rows = append(rows, row)
		}
	}
	rows, next, err := paginate(pages, rows, securityGroups.id)
	if err != nil {
		return nil, err
	}
	return &ec2.GetSecurityGroupsForVpcOutput{
		NextToken: next,
		SecurityGroupForVpcs: list(rows, func(row *store.SecurityGroup) types.SecurityGroupForVpc {
			return types.SecurityGroupForVpc{
				GroupId: aws.String(row.ID), GroupName: aws.String(row.Name), Description: aws.String(row.Description),
				OwnerId: aws.String(identity.Account), PrimaryVpcId: aws.String(row.VPCID), Tags: tagSet(row.Tags),
			}
		}),
	}, nil
}
