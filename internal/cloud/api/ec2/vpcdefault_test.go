package ec2

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestDefaultVPCAndSubnetsAreCreatedAgain(t *testing.T) {
	r := newRemote(t)
	wantRemoteError(r, r.CreateDefaultVpc, &ec2.CreateDefaultVpcInput{},
		"DefaultVpcAlreadyExists: A Default VPC already exists for this account in this region.")
	zone := &ec2.CreateDefaultSubnetInput{AvailabilityZone: aws.String("us-east-1b")}
	wantRemoteError(r, r.CreateDefaultSubnet, zone, "DefaultSubnetAlreadyExistsInAvailabilityZone: "+
		"A default subnet already exists in the Availability Zone 'us-east-1b'.")
	inZone := []types.Filter{filter("availability-zone", "us-east-1b")}
	subnet := doRemote(r, r.DescribeSubnets, &ec2.DescribeSubnetsInput{Filters: inZone}).Subnets[0]
	doRemote(r, r.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: subnet.SubnetId})
	again := doRemote(r, r.CreateDefaultSubnet, zone).Subnet
	if *again.CidrBlock != *subnet.CidrBlock || !*again.DefaultForAz || !*again.MapPublicIpOnLaunch {
		t.Errorf("%+v", again)
	}

	r.edit(func(tx *store.Tx) {
		vpc, _ := defaultVPC(tx, home)
		store.VPCs.Delete(tx, vpc.ID)
	})
	wantRemoteError(r, r.CreateDefaultSubnet, zone,
		"DefaultVpcDoesNotExist: No default VPC exists for this account in this region.")
	wantRemoteError(r, r.CreateDefaultVpc, &ec2.CreateDefaultVpcInput{DryRun: aws.Bool(true)}, dryRun)
	vpc := doRemote(r, r.CreateDefaultVpc, &ec2.CreateDefaultVpcInput{}).Vpc
	subnets := doRemote(r, r.DescribeSubnets, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{filter("vpc-id", *vpc.VpcId)},
	}).Subnets
	if !*vpc.IsDefault || *vpc.CidrBlock != "172.31.0.0/16" || len(subnets) < 3 {
		t.Errorf("%+v with %d subnets", vpc, len(subnets))
	}
	wantRemoteError(r, r.CreateDefaultSubnet, &ec2.CreateDefaultSubnetInput{},
		"MissingParameter: The request must contain the parameter availabilityZone")
}

func TestNextBlock(t *testing.T) {
	for before, want := range map[string]string{
		"172.31.0.0/20": "172.31.16.0/20", "172.31.240.0/20": "172.32.0.0/20", "10.0.0.255/32": "10.0.1.0/32",
	} {
		if got := nextBlock(netip.MustParsePrefix(before)); got.String() != want {
			t.Errorf("after %s: %s, want %s", before, got, want)
		}
	}
}
