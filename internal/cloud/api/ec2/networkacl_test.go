package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestNetworkACLsHaveEntriesAndSubnets(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	acl := do(c, c.CreateNetworkAcl, &ec2.CreateNetworkAclInput{VpcId: &vpc}).NetworkAcl
	last := func(egress bool) types.NetworkAclEntry {
		return types.NetworkAclEntry{
			RuleNumber: aws.Int32(32767),
			Egress:     &egress,
			Protocol:   aws.String("-1"),
			RuleAction: "deny",
			CidrBlock:  aws.String("0.0.0.0/0"),
		}
	}
	if diff := cmp.Diff(
		[]types.NetworkAclEntry{last(true), last(false)}, acl.Entries,
		cmpopts.IgnoreUnexported(types.NetworkAclEntry{}),
	); diff != "" {
		t.Error(diff)
	}
	entry := &ec2.CreateNetworkAclEntryInput{
		NetworkAclId: acl.NetworkAclId, RuleNumber: aws.Int32(100), Egress: aws.Bool(false),
		Protocol: aws.String("tcp"), RuleAction: "Allow", CidrBlock: aws.String("0.0.0.0/0"),
		PortRange: &types.PortRange{From: aws.Int32(80), To: aws.Int32(80)},
	}
	do(c, c.CreateNetworkAclEntry, entry)
	wantError(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{NetworkAclIds: []string{"nacl-1"}},
		"InvalidNetworkAclID.NotFound: The networkAcl ID 'nacl-1' does not exist")
	wantError(c, c.CreateNetworkAclEntry, entry,
		"NetworkAclEntryAlreadyExists: The network acl entry identified by 100 already exists.")
	of := []types.Filter{filter("association.subnet-id", subnet)}
	standard := do(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{Filters: of}).NetworkAcls[0]
	moved := do(c, c.ReplaceNetworkAclAssociation, &ec2.ReplaceNetworkAclAssociationInput{
		AssociationId: standard.Associations[0].NetworkAclAssociationId,
		NetworkAclId:  acl.NetworkAclId,
	})
	wantError(c, c.DeleteNetworkAcl, &ec2.DeleteNetworkAclInput{NetworkAclId: acl.NetworkAclId},
		"DependencyViolation: The networkAcl '"+*acl.NetworkAclId+"' has dependencies and cannot be deleted.")
	now := do(c, c.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{Filters: of}).NetworkAcls
	if len(now) != 1 || *now[0].NetworkAclId != *acl.NetworkAclId || *now[0].Entries[1].Protocol != "6" ||
		*now[0].Entries[1].PortRange.From != 80 || now[0].Entries[1].RuleAction != types.RuleActionAllow {
		t.Errorf("network ACL of the subnet: %+v", now)
	}
	do(c, c.ReplaceNetworkAclAssociation, &ec2.ReplaceNetworkAclAssociationInput{
		AssociationId: moved.NewAssociationId,
		NetworkAclId:  standard.NetworkAclId,
	})
	do(c, c.DeleteNetworkAclEntry, &ec2.DeleteNetworkAclEntryInput{
		NetworkAclId: acl.NetworkAclId,
		RuleNumber:   aws.Int32(100),
		Egress:       aws.Bool(false),
	})
	do(c, c.DeleteNetworkAcl, &ec2.DeleteNetworkAclInput{NetworkAclId: acl.NetworkAclId})
	wantError(c, c.DeleteNetworkAcl, &ec2.DeleteNetworkAclInput{NetworkAclId: standard.NetworkAclId},
		"InvalidParameterValue: cannot delete default network ACL "+*standard.NetworkAclId)
}
