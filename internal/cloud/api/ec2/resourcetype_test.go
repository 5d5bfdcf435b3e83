package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

func TestMalformedAndUnknownIDsAreRefused(t *testing.T) {
	c := newCloud(t)
	wantError(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-00000000"}},
		"InvalidVpcID.NotFound: The vpc ID 'vpc-00000000' does not exist")
	wantError(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{"foo"}},
		"InvalidVpcID.NotFound: The vpc ID 'foo' does not exist")
	wantError(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{SubnetIds: []string{"example"}},
		"InvalidSubnetID.NotFound: The subnet ID 'example' does not exist")
	wantError(c, c.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"foo"}},
		`InvalidGroupId.Malformed: Invalid id: "foo" (expecting "sg-...")`)
	wantError(c, c.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: aws.String("standard")},
		"InvalidParameterValue: Value (standard) for parameter volumeId is invalid. Expected: 'vol-...'.")
	wantError(c, c.DescribeSnapshots, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{"foo"}},
		"InvalidParameterValue: Value (foo) for parameter snapshotId is invalid. Expected: 'snap-...'.")
	wantError(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: aws.String("subnet-00000000")},
		"InvalidSubnetID.NotFound: The subnet ID 'subnet-00000000' does not exist")
	wantError(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{},
		"MissingParameter: The request must contain the parameter subnetId")
	wantError(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{"rtb-xyz"}},
		`InvalidRouteTableId.Malformed: Invalid id: "rtb-xyz"`)
	wantError(c, c.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-00000000"}},
		"InvalidGroup.NotFound: The security group 'sg-00000000' does not exist")
	wantError(c, c.DescribeInternetGateways,
		&ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{"igw-00000000"}},
		"InvalidInternetGatewayID.NotFound: The internetGateway ID 'igw-00000000' does not exist")
	wantError(c, c.DescribeNetworkInterfaces,
		&ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-00000000"}},
		"InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-00000000' does not exist")
}
