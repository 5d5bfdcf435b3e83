package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// DescribeSecurityGroupReferences lists the VPCs on the other side of a peering whose rules
// refer to security groups.
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
	groups, err := securityGroups.find(view, region, in.GroupId)
	if err != nil {
		return nil, err
	}
	references := []types.SecurityGroupReference{}
	for _, group := range groups {
		for _, row := range store.PeeringConnectionsByVPC.List(view, group.VPCID) {
			other := row.Other(group.VPCID).VPCID
			if row.State != store.PeeringActive || !refersTo(view, other, group.ID) {
				continue
			}
			references = append(references, types.SecurityGroupReference{
				GroupId: aws.String(group.ID), ReferencingVpcId: aws.String(other),
				VpcPeeringConnectionId: aws.String(row.ID),
			})
		}
	}
	return &ec2.DescribeSecurityGroupReferencesOutput{SecurityGroupReferenceSet: references}, nil
}

// refersTo reports whether a rule of a VPC's security groups names a security group.
func refersTo(r store.Reader, vpcID, groupID string) bool {
	return slices.ContainsFunc(store.SecurityGroupsByVPC.List(r, vpcID), func(g *store.SecurityGroup) bool {
		return slices.ContainsFunc(g.Rules, func(rule store.SecurityGroupRule) bool { return rule.GroupID == groupID })
	})
}

// activePeering returns the active connection of two VPCs, or nil.
func activePeering(r store.Reader, vpcID, otherID string) *store.PeeringConnection {
	for _, row := range store.PeeringConnectionsByVPC.List(r, vpcID) {
		if row.State == store.PeeringActive && row.Other(vpcID).VPCID == otherID {
			return row
		}
	}
	return nil
}

// isStale reports whether a rule of a VPC refers to a security group of a peer that no longer
// exists, or is no longer reached.
func isStale(r store.Reader, vpcID string, rule store.SecurityGroupRule) bool {
	if rule.PeerVPCID == "" {
		return false
	}
	_, exists := store.SecurityGroups.Get(r, rule.GroupID)
	return !exists || activePeering(r, vpcID, rule.PeerVPCID) == nil
}

// DescribeStaleSecurityGroups lists the security groups of a VPC with rules that refer to
// groups of a peer that are gone, or of a VPC that is no peer any longer.
func (a *API) DescribeStaleSecurityGroups(
	ctx context.Context, in *ec2.DescribeStaleSecurityGroupsInput,
) (*ec2.DescribeStaleSecurityGroupsOutput, error) {
	vpc, view, err := named(ctx, a, &vpcs, in.DryRun, parameter{"vpcId", in.VpcId})
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("", false); err != nil {
		return nil, err
	}
	fresh := func(rule store.SecurityGroupRule) bool { return !isStale(view, vpc.ID, rule) }
	groups := slices.DeleteFunc(store.SecurityGroupsByVPC.List(view, vpc.ID), func(g *store.SecurityGroup) bool {
		return !slices.ContainsFunc(g.Rules, func(rule store.SecurityGroupRule) bool { return !fresh(rule) })
	})
	groups, next, err := paginate(pages, groups, securityGroups.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeStaleSecurityGroupsOutput{
		NextToken: next,
		StaleSecurityGroupSet: list(groups, func(g *store.SecurityGroup) types.StaleSecurityGroup {
			stale := slices.DeleteFunc(slices.Clone(g.Rules), fresh)
			return types.StaleSecurityGroup{
				GroupId: aws.String(g.ID), GroupName: aws.String(g.Name), Description: aws.String(g.Description),
				VpcId: aws.String(g.VPCID), StaleIpPermissions: staleItems(g, stale, false),
				StaleIpPermissionsEgress: staleItems(g, stale, true),
			}
		}),
	}, nil
}

// staleItems describes the stale rules of one direction.
func staleItems(group *store.SecurityGroup, rules []store.SecurityGroupRule, egress bool) []types.StaleIpPermission {
	items := []types.StaleIpPermission{}
	for _, p := range permissions(group, rules, egress) {
		items = append(items, types.StaleIpPermission{
			IpProtocol: p.IpProtocol, FromPort: p.FromPort, ToPort: p.ToPort, IpRanges: []string{},
			PrefixListIds: []string{}, UserIdGroupPairs: p.UserIdGroupPairs,
		})
	}
	return items
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
				OwnerId: aws.String(row.Region.Account()), PrimaryVpcId: aws.String(row.VPCID), Tags: tagSet(row.Tags),
			}
		}),
	}, nil
}
