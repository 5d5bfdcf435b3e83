package ec2

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var networkACLs = resourceType[store.NetworkACL]{
	table: store.NetworkACLs, kind: types.ResourceTypeNetworkAcl, prefix: "acl-",
	notFoundCode: "InvalidNetworkAclID.NotFound", notFoundText: "The networkAcl ID",
	key:  func(row *store.NetworkACL) (identity.Region, string) { return row.Region, row.ID },
	tags: func(row *store.NetworkACL) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row *store.NetworkACL) store.Tags { return row.Tags }, filters[*store.NetworkACL]{
		"network-acl-id": field(func(row *store.NetworkACL) string { return row.ID }),
		"vpc-id":         field(func(row *store.NetworkACL) string { return row.VPCID }),
		"owner-id":       field(func(row *store.NetworkACL) string { return row.Region.Account() }),
		"default":        booleanField(func(row *store.NetworkACL) bool { return row.IsDefault }),
		"association.association-id": byACLAssociation(
			func(_ *store.NetworkACL, a store.NetworkACLAssociation) string { return a.ID },
		),
		"association.subnet-id": byACLAssociation(
			func(_ *store.NetworkACL, a store.NetworkACLAssociation) string { return a.SubnetID },
		),
		"association.network-acl-id": byACLAssociation(
			func(row *store.NetworkACL, _ store.NetworkACLAssociation) string { return row.ID },
		),
		"entry.cidr": byACLEntry(func(e store.NetworkACLEntry) string { return ipv4(e.CIDR) }),
		"entry.egress": byACLEntry(func(e store.NetworkACLEntry) string {
			return strconv.FormatBool(e.Egress)
		}),
		"entry.protocol":        byACLEntry(func(e store.NetworkACLEntry) string { return e.Protocol }),
		"entry.rule-action":     byACLEntry(func(e store.NetworkACLEntry) string { return string(aclAction(e)) }),
		"entry.rule-number":     byACLEntry(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.Number) }),
		"entry.port-range.from": byACLEntry(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.FromPort) }),
		"entry.port-range.to":   byACLEntry(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.ToPort) }),
		"entry.icmp.code":       byACLEntry(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.ICMPCode) }),
		"entry.icmp.type":       byACLEntry(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.ICMPType) }),
		"entry.ipv6-cidr":       byACLEntry(func(e store.NetworkACLEntry) string { return ipv6(e.CIDR) }),
	}),
}

// defaultRuleNumber is the number of the two rules that deny what no other rule
// matches.
const defaultRuleNumber = 32767

func defaultEntries() []store.NetworkACLEntry {
	return []store.NetworkACLEntry{
		{Number: defaultRuleNumber, Egress: true, Protocol: anyProtocol, CIDR: anywhere},
		{Number: defaultRuleNumber, Protocol: anyProtocol, CIDR: anywhere},
	}
}

func aclAction(e store.NetworkACLEntry) types.RuleAction {
	if e.Allow {
		return types.RuleActionAllow
	}
	return types.RuleActionDeny
}

func byACLAssociation(
	text func(*store.NetworkACL, store.NetworkACLAssociation) string,
) func(store.Reader, *store.NetworkACL) []string {
	return func(_ store.Reader, row *store.NetworkACL) []string {
		return list(row.Associations, func(a store.NetworkACLAssociation) string { return text(row, a) })
	}
}

func byACLEntry(text func(store.NetworkACLEntry) string) func(store.Reader, *store.NetworkACL) []string {
	return func(_ store.Reader, row *store.NetworkACL) []string { return list(row.Entries, text) }
}

// CreateNetworkAcl creates a network ACL that denies all traffic.
func (a *API) CreateNetworkAcl(
	ctx context.Context, in *ec2.CreateNetworkAclInput,
) (*ec2.CreateNetworkAclOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeNetworkAcl)
	if err != nil {
		return nil, err
	}
	var item types.NetworkAcl
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateNetworkAcl", token: in.ClientToken, input: in}
		row, err := networkACLs.createOnce(a, tx, region, q, func() (*store.NetworkACL, error) {
			vpc, err := vpcs.get(tx, region, *in.VpcId)
			if err != nil {
				return nil, err
			}
			row := &store.NetworkACL{
				ID: a.ids.ID("acl-"), Region: region, VPCID: vpc.ID, Entries: defaultEntries(),
				Tags: tags[types.ResourceTypeNetworkAcl],
			}
			if len(vpc.IPv6) > 0 {
				row.Entries = append(row.Entries, missingIPv6Entries(row)...)
			}
			store.NetworkACLs.Put(tx, row)
			return row, nil
		})
		if err != nil {
			return err
		}
		item = networkACLItem(row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &ec2.CreateNetworkAclOutput{NetworkAcl: &item, ClientToken: in.ClientToken}, nil
}

// DescribeNetworkAcls lists network ACLs.
func (a *API) DescribeNetworkAcls(
	ctx context.Context, in *ec2.DescribeNetworkAclsInput,
) (*ec2.DescribeNetworkAclsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := networkACLs.describe(view, region, describeQuery{
		ids:         in.NetworkAclIds,
		idParameter: "networkAclIds",
		filters:     in.Filters,
		page:        pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeNetworkAclsOutput{NetworkAcls: list(rows, networkACLItem), NextToken: next}, nil
}

func networkACLItem(row *store.NetworkACL) types.NetworkAcl {
	return types.NetworkAcl{
		NetworkAclId: aws.String(row.ID),
		VpcId:        aws.String(row.VPCID),
		OwnerId:      aws.String(row.Region.Account()),
		IsDefault:    aws.Bool(row.IsDefault),
		Entries:      list(row.Entries, networkACLEntryItem),
		Tags:         tagSet(row.Tags),
		Associations: list(row.Associations, func(a store.NetworkACLAssociation) types.NetworkAclAssociation {
			return types.NetworkAclAssociation{
				NetworkAclAssociationId: aws.String(a.ID),
				NetworkAclId:            aws.String(row.ID),
				SubnetId:                aws.String(a.SubnetID),
			}
		}),
	}
}

// DeleteNetworkAcl deletes a network ACL without subnets that is not a VPC's default
// one.
func (a *API) DeleteNetworkAcl(
	ctx context.Context, in *ec2.DeleteNetworkAclInput,
) (*ec2.DeleteNetworkAclOutput, error) {
	if err := required(parameter{"networkAclId", in.NetworkAclId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteNetworkAclOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := networkACLs.get(tx, region, *in.NetworkAclId)
		switch {
		case err != nil:
			return err
		case row.IsDefault:
			return wire.Errorf("InvalidParameterValue", "cannot delete default network ACL %s", row.ID)
		case len(row.Associations) > 0:
			return dependencyViolation("networkAcl", row.ID)
		}
		store.NetworkACLs.Delete(tx, row.ID)
		return nil
	})
}
