package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
)

func TestEveryKindOfResourceCanBeTaggedAndUntagged(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	rule := do(c, c.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{filter("group-id", group)},
	}).SecurityGroupRules[0].SecurityGroupRuleId
	nic := c.nic(addressing.InterfaceSpec{}, subnet).ID
	kinds := map[string]string{
		vpc: "vpc", subnet: "subnet", group: "security-group", *rule: "security-group-rule",
		*do(c, c.CreateInternetGateway,
			&ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId: "internet-gateway",
		*do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId: "route-table",
		*do(c, c.CreateNetworkAcl, &ec2.CreateNetworkAclInput{VpcId: &vpc}).NetworkAcl.NetworkAclId: "network-acl",
		*do(c, c.CreateKeyPair, &ec2.CreateKeyPairInput{
			KeyName: aws.String("k"), KeyType: "ed25519",
		}).KeyPairId: "key-pair",
		*do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}}).Vpcs[0].DhcpOptionsId: "dhcp-options",
		nic: "network-interface",
		*c.endpoint(subnet).InstanceConnectEndpointId: "instance-connect-endpoint",
	}
	var ids []string
	for id := range kinds {
		ids = append(ids, id)
	}
	do(c, c.CreateTags, &ec2.CreateTagsInput{
		Resources: ids,
		Tags: []types.Tag{
			{Key: aws.String("team"), Value: aws.String("core")},
			{Key: aws.String("x"), Value: aws.String("")},
		},
	})
	found := do(c, c.DescribeTags, &ec2.DescribeTagsInput{Filters: []types.Filter{filter("tag:team", "core")}}).Tags
	if len(found) != len(kinds) {
		t.Errorf("%d of %d tagged", len(found), len(kinds))
	}
	for _, tag := range found {
		if string(tag.ResourceType) != kinds[*tag.ResourceId] {
			t.Errorf("%s is a %s", *tag.ResourceId, tag.ResourceType)
		}
	}
	do(c, c.DeleteTags, &ec2.DeleteTagsInput{
		Resources: ids,
		Tags:      []types.Tag{{Key: aws.String("team"), Value: aws.String("other")}, {Key: aws.String("x")}},
	})
	if left := do(c, c.DescribeTags, &ec2.DescribeTagsInput{}).Tags; len(left) != len(kinds) {
		t.Errorf("%d tags left: a tag with another value must remain", len(left))
	}
	do(c, c.DeleteTags, &ec2.DeleteTagsInput{Resources: ids})
	if left := do(c, c.DescribeTags, &ec2.DescribeTagsInput{}).Tags; len(left) != 0 {
		t.Errorf("tags left: %v", left)
	}
}

func TestCreateTagsTagsAllResourcesOrNone(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	tag := []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	wantError(c, c.CreateTags, &ec2.CreateTagsInput{Resources: []string{vpc, "subnet-00000000"}, Tags: tag},
		"InvalidSubnetID.NotFound: The subnet ID 'subnet-00000000' does not exist")
	wantError(c, c.CreateTags, &ec2.CreateTagsInput{Resources: []string{vpc, "foo"}, Tags: tag},
		"InvalidID: The ID 'foo' is not valid")
	if found := do(c, c.DescribeTags, &ec2.DescribeTagsInput{}).Tags; len(found) != 0 {
		t.Errorf("a refused request added %v", found)
	}
}
