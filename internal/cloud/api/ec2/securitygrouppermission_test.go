package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestInvalidPermissionsAreRefused(t *testing.T) {
	c := newCloud(t)
	app, elsewhere := c.group(c.vpc("10.0.0.0/16"), "app"), c.group(c.vpc("10.1.0.0/16"), "app")
	twice := permit("tcp", 1, 1, "10.0.0.0/8", "10.0.0.0/8")
	foreign := permit("tcp", 1, 1)
	foreign.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &elsewhere}}
	for _, test := range []struct {
		permission types.IpPermission
		want       string
	}{
		{permit("tcp", 70000, 70000, "10.0.0.0/8"), "InvalidParameterValue: TCP/UDP port (70000) out of range"},
		{permit("tcp", 80, 22, "10.0.0.0/8"), "InvalidParameterValue: Invalid TCP/UDP port range (80:22)"},
		{
			permit("xyz", 1, 1, "10.0.0.0/8"),
			"InvalidParameterValue: Invalid value 'xyz' for IP protocol. Unknown protocol.",
		},
		{permit("tcp", 1, 1, "10.0.0.0/33"), "InvalidParameterValue: CIDR block 10.0.0.0/33 is malformed"},
		{
			types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(1)},
			"InvalidParameterValue: Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
		},
		{
			types.IpPermission{FromPort: aws.Int32(1)},
			"InvalidParameterValue: Invalid value 'null' for protocol. VPC security group rules must specify " +
				"protocols explicitly.",
		},
		{twice, "InvalidParameterValue: The same permission must not appear multiple times"},
		{foreign, "InvalidGroup.NotFound: You have specified two resources that belong to different networks."},
	} {
		wantError(c, c.AuthorizeSecurityGroupIngress, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId:       &app,
			IpPermissions: []types.IpPermission{test.permission},
		}, test.want)
	}
}

func TestRulesForVPCsThatAreNoPeersAreRefused(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	group := c.group(vpc, "web")
	allow := func(pair types.UserIdGroupPair) *ec2.AuthorizeSecurityGroupIngressInput {
		pair.GroupId = &group
		return &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group,
			IpPermissions: []types.IpPermission{
				{IpProtocol: aws.String("-1"), UserIdGroupPairs: []types.UserIdGroupPair{pair}},
			},
		}
	}
	wantError(c, c.AuthorizeSecurityGroupIngress,
		allow(types.UserIdGroupPair{VpcPeeringConnectionId: aws.String("pcx-1")}),
		"InvalidGroup.NotFound: The security group '"+group+"' does not exist")
	wantError(c, c.AuthorizeSecurityGroupIngress,
		allow(types.UserIdGroupPair{VpcId: aws.String("vpc-0123456789abcdef0")}),
		"InvalidGroup.NotFound: The security group '"+group+"' does not exist")
	do(c, c.AuthorizeSecurityGroupIngress, allow(types.UserIdGroupPair{VpcId: &vpc}))
}
