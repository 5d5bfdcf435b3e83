package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

func TestCIDRBlocksAreValidated(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	for cidr, want := range map[string]string{
		"10.0.0.0/8":  "InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid.",
		"10.0.0.0/29": "InvalidVpc.Range: The CIDR '10.0.0.0/29' is invalid.",
		"ten": "InvalidParameterValue: Value (ten) for parameter cidrBlock is invalid. This is not a valid " +
			"CIDR block.",
	} {
		wantError(c, c.CreateVpc, &ec2.CreateVpcInput{CidrBlock: &cidr}, want)
	}
	for cidr, want := range map[string]string{
		"10.1.0.0/24":   "InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.",
		"10.0.0.0/29":   "InvalidSubnet.Range: The CIDR '10.0.0.0/29' is invalid.",
		"10.0.1.128/25": "InvalidSubnet.Conflict: The CIDR '10.0.1.128/25' conflicts with another subnet",
	} {
		wantError(c, c.CreateSubnet, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr}, want)
	}
	out := do(c, c.CreateSubnet, &ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.0.2.1/24")})
	if *out.Subnet.CidrBlock != "10.0.2.0/24" || *out.Subnet.AvailabilityZone != "us-east-1b" {
		t.Errorf("got block %s in zone %s", *out.Subnet.CidrBlock, *out.Subnet.AvailabilityZone)
	}
	wantError(c, c.CreateSubnet, &ec2.CreateSubnetInput{VpcId: &vpc, Ipv6Native: aws.Bool(true)},
		"MissingParameter: Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.")
	wantError(c, c.CreateVpc,
		&ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), Ipv6NetmaskLength: aws.Int32(56)},
		"UnsupportedOperation: aloft's local cloud does not support the parameter ipv6NetmaskLength")
}
