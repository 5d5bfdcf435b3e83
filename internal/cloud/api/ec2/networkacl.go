package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var networkACLs = noun[store.NetworkACL]{
	table: store.NetworkACLs, kind: types.ResourceTypeNetworkAcl, prefix: "acl-",
	notFound: "InvalidNetworkAclID.NotFound", unknown: "The networkAcl ID", malformed: "InvalidNetworkAclId.Malformed",
	place: func(row *store.NetworkACL) (string, string) { return row.Region, row.ID },
	tags:  func(row *store.NetworkACL) *store.Tags { return &row.Tags },
	filters: tagged(func(row *store.NetworkACL) store.Tags { return row.Tags }, filters[*store.NetworkACL]{
		"network-acl-id": one(func(row *store.NetworkACL) string { return row.ID }),
		"vpc-id":         one(func(row *store.NetworkACL) string { return row.VPCID }),
		"owner-id":       always[*store.NetworkACL](identity.Account),
		"default":        one(func(row *store.NetworkACL) string { return strconv.FormatBool(row.IsDefault) }),
		"association.association-id": aclAssociations(
			func(_ *store.NetworkACL, a store.NetworkACLAssociation) string { return a.ID },
		),
		"association.subnet-id": aclAssociations(
			func(_ *store.NetworkACL, a store.NetworkACLAssociation) string { return a.SubnetID },
		),
		"association.network-acl-id": aclAssociations(
			func(row *store.NetworkACL, _ store.NetworkACLAssociation) string { return row.ID },
		),
		"entry.cidr":            aclEntries(func(e store.NetworkACLEntry) string { return e.CIDR.String() }),
		"entry.egress":          aclEntries(func(e store.NetworkACLEntry) string { return strconv.FormatBool(e.Egress) }),
		"entry.protocol":        aclEntries(func(e store.NetworkACLEntry) string { return e.Protocol }),
		"entry.rule-action":     aclEntries(func(e store.NetworkACLEntry) string { return string(aclAction(e)) }),
		"entry.rule-number":     aclEntries(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.Number) }),
		"entry.port-range.from": aclEntries(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.FromPort) }),
		"entry.port-range.to":   aclEntries(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.ToPort) }),
		"entry.icmp.code":       aclEntries(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.ICMPCode) }),
		"entry.icmp.type":       aclEntries(func(e store.NetworkACLEntry) string { return strconv.Itoa(e.ICMPType) }),
		"entry.ipv6-cidr":       never[*store.NetworkACL],
	}),
}

// lastEntry is the number of the rules that refuse what no other one matched.
const lastEntry = 32767

func lastEntries() []store.NetworkACLEntry {
	return []store.NetworkACLEntry{
		{Number: lastEntry, Egress: true, Protocol: anyProtocol, CIDR: anywhere},
		{Number: lastEntry, Protocol: anyProtocol, CIDR: anywhere},
	}
}

func aclAction(e store.NetworkACLEntry) types.RuleAction {
	if e.Allow {
		return types.RuleActionAllow
	}
	return types.RuleActionDeny
}

func aclAssociations(
	text func(*store.NetworkACL, store.NetworkACLAssociation) string,
) func(store.Reader, *store.NetworkACL) []string {
	return func(_ store.Reader, row *store.NetworkACL) []string {
		return list(row.Associations, func(a store.NetworkACLAssociation) string { return text(row, a) })
	}
}

func aclEntries(text func(store.NetworkACLEntry) string) func(store.Reader, *store.NetworkACL) []string {
	return func(_ store.Reader, row *store.NetworkACL) []string { return list(row.Entries, text) }
}

// bindACL puts a subnet under a network ACL and returns the association.
func (a *API) bindACL(tx *store.Tx, aclID, subnetID string) store.NetworkACLAssociation {
	fresh := store.NetworkACLAssociation{ID: a.ids.ID("aclassoc-"), SubnetID: subnetID}
	store.NetworkACLs.Edit(
		tx, aclID, func(row *store.NetworkACL) { row.Associations = append(slices.Clone(row.Associations), fresh) },
	)
	return fresh
}

// unbindACL takes a subnet from under its network ACL.
func unbindACL(tx *store.Tx, subnet *store.Subnet) {
	of := func(a store.NetworkACLAssociation) bool { return a.SubnetID == subnet.ID }
	for _, acl := range store.NetworkACLs.By(tx, "vpc", subnet.VPCID) {
		if slices.ContainsFunc(acl.Associations, of) {
			store.NetworkACLs.Edit(
				tx,
				acl.ID,
				func(row *store.NetworkACL) { row.Associations = slices.DeleteFunc(slices.Clone(row.Associations), of) },
			)
		}
	}
}

// CreateNetworkAcl makes a network ACL that refuses everything.
func (a *API) CreateNetworkAcl(ctx context.Context, in *ec2.CreateNetworkAclInput) (*ec2.CreateNetworkAclOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	tags, err := tagsAtCreation(in.TagSpecifications, types.ResourceTypeNetworkAcl)
	if err != nil {
		return nil, err
	}
	var item types.NetworkAcl
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		exists := func(id string) bool { _, ok := store.NetworkACLs.Get(tx, id); return ok }
		ids, err := a.once(tx, region, "CreateNetworkAcl", in.ClientToken, in, exists, func() ([]string, error) {
			vpc, err := vpcs.get(tx, region, *in.VpcId)
			if err != nil {
				return nil, err
			}
			row := &store.NetworkACL{
				ID: a.ids.ID("acl-"), Region: region, VPCID: vpc.ID, Entries: lastEntries(),
				Tags: tags[types.ResourceTypeNetworkAcl],
			}
			store.NetworkACLs.Put(tx, row)
			return []string{row.ID}, nil
		})
		if err != nil {
			return err
		}
		row, err := networkACLs.get(tx, region, ids[0])
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
func (a *API) DescribeNetworkAcls(ctx context.Context, in *ec2.DescribeNetworkAclsInput) (*ec2.DescribeNetworkAclsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := networkACLs.describe(view, region, query{
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
		VpcId:        aws.String(row.VPCID), OwnerId: aws.String(identity.Account), IsDefault: aws.Bool(row.IsDefault),
		Entries: list(row.Entries, networkACLEntryItem), Tags: tagSet(row.Tags),
		Associations: list(row.Associations, func(a store.NetworkACLAssociation) types.NetworkAclAssociation {
			return types.NetworkAclAssociation{
				NetworkAclAssociationId: aws.String(a.ID),
				NetworkAclId:            aws.String(row.ID),
				SubnetId:                aws.String(a.SubnetID),
			}
		}),
	}
}

// DeleteNetworkAcl removes a network ACL that no subnet is under and that is
// not a VPC's default one.
func (a *API) DeleteNetworkAcl(ctx context.Context, in *ec2.DeleteNetworkAclInput) (*ec2.DeleteNetworkAclOutput, error) {
	if err := required(parameter{"networkAclId", in.NetworkAclId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteNetworkAclOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		row, err := networkACLs.get(tx, region, *in.NetworkAclId)
		switch {
		case err != nil:
			return err
		case row.IsDefault:
			return wire.Errorf("InvalidParameterValue", "cannot delete default network ACL %s", row.ID)
		case len(row.Associations) > 0:
			return dependencies("networkAcl", row.ID)
		}
		store.NetworkACLs.Delete(tx, row.ID)
		return nil
	})
}

// ReplaceNetworkAclAssociation puts a subnet under another network ACL.
func (a *API) ReplaceNetworkAclAssociation(ctx context.Context, in *ec2.ReplaceNetworkAclAssociationInput) (*ec2.ReplaceNetworkAclAssociationOutput, error) {
	if err := required(parameter{
		"associationId", in.AssociationId,
	}, parameter{"networkAclId", in.NetworkAclId}); err != nil {
		return nil, err
	}
	out := &ec2.ReplaceNetworkAclAssociationOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		subnet, err := aclAssociated(tx, region, *in.AssociationId)
		if err != nil {
			return err
		}
		acl, err := networkACLs.get(tx, region, *in.NetworkAclId)
		if err != nil {
			return err
		}
		if acl.VPCID != subnet.VPCID {
			return wire.Errorf(
				"InvalidParameterValue", "Network ACL %s and subnet %s belong to different networks", acl.ID, subnet.ID,
			)
		}
		unbindACL(tx, subnet)
		fresh := a.bindACL(tx, acl.ID, subnet.ID)
		out.NewAssociationId = &fresh.ID
		return nil
	})
}

// aclAssociated finds the subnet of an association of network ACLs.
func aclAssociated(r store.Reader, region, associationID string) (*store.Subnet, error) {
	for _, acl := range store.NetworkACLs.By(r, "region", region) {
		for _, a := range acl.Associations {
			if a.ID == associationID {
				return subnets.get(r, region, a.SubnetID)
			}
		}
	}
	return nil, wire.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", associationID)
}
