package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestASubnetReservesBlocks(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	create := func(cidr, kind string) *ec2.CreateSubnetCidrReservationInput {
		return &ec2.CreateSubnetCidrReservationInput{
			SubnetId: &subnet, Cidr: &cidr, ReservationType: types.SubnetCidrReservationType(kind),
		}
	}
	for _, test := range []struct{ cidr, kind, want string }{
		{"10.0.1.0/28", "", "MissingParameter: The request must contain the parameter reservationType"},
		{"10.0.1.0/28", "other", "InvalidParameterValue: Value (other) for parameter reservationType is invalid. " +
			"It is not one of the values that the parameter can have."},
		{"10.0.1", "prefix", "InvalidParameterValue: Value (10.0.1) for parameter cidr is invalid. " +
			"This is not a valid CIDR block."},
		{"10.0.2.0/28", "prefix", "InvalidParameterValue: Reservation CIDR should be within subnet CIDR block " +
			"(10.0.1.0/24)"},
		{"2001:db8::/80", "prefix", "InvalidParameterValue: Reservation CIDR should be within subnet CIDR block " +
			"(10.0.1.0/24)"},
	} {
		wantError(c, c.CreateSubnetCidrReservation, create(test.cidr, test.kind), test.want)
	}
	in := create("10.0.1.16/28", "prefix")
	in.Description = aws.String("for prefixes")
	in.TagSpecifications = []types.TagSpecification{{
		ResourceType: types.ResourceTypeSubnetCidrReservation,
		Tags:         []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}}
	made := do(c, c.CreateSubnetCidrReservation, in).SubnetCidrReservation
	wantError(c, c.CreateSubnetCidrReservation, create("10.0.1.0/26", "explicit"),
		"InvalidParameterValue: Reservation CIDR 10.0.1.0/26 has overlap with existing reserved CIDR block")
	other := do(c, c.CreateSubnetCidrReservation, create("10.0.1.64/26", "explicit")).SubnetCidrReservation
	free := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{SubnetIds: []string{subnet}}).Subnets[0]
	if got := *free.AvailableIpAddressCount; got != 251-16 {
		t.Errorf("%d addresses are free", got)
	}
	ids := func(filters ...types.Filter) (all []string) {
		for _, r := range do(c, c.GetSubnetCidrReservations, &ec2.GetSubnetCidrReservationsInput{
			SubnetId: &subnet, Filters: filters,
		}).SubnetIpv4CidrReservations {
			all = append(all, *r.SubnetCidrReservationId)
		}
		return all
	}
	if got := ids(); len(got) != 2 {
		t.Errorf("reservations %v", got)
	}
	for _, f := range []types.Filter{
		filter("reservationType", "prefix"), filter("tag:k", "v"), filter("tag-key", "k"),
	} {
		if got := ids(f); len(got) != 1 || got[0] != *made.SubnetCidrReservationId {
			t.Errorf("%s: %v", *f.Name, got)
		}
	}
	found := do(c, c.GetSubnetCidrReservations, &ec2.GetSubnetCidrReservationsInput{
		SubnetId: &subnet, Filters: []types.Filter{filter("reservationType", "prefix")},
	}).SubnetIpv4CidrReservations[0]
	if *found.Cidr != "10.0.1.16/28" || *found.Description != "for prefixes" || *found.OwnerId != "000000000000" ||
		*found.SubnetId != subnet || len(found.Tags) != 1 {
		t.Errorf("the reservation is %+v", found)
	}
	do(c, c.DeleteSubnetCidrReservation, &ec2.DeleteSubnetCidrReservationInput{
		SubnetCidrReservationId: made.SubnetCidrReservationId,
	})
	wantError(c, c.DeleteSubnetCidrReservation, &ec2.DeleteSubnetCidrReservationInput{
		SubnetCidrReservationId: made.SubnetCidrReservationId,
	}, "InvalidSubnetCidrReservationID.NotFound: The subnet-cidr-reservation ID '"+*made.SubnetCidrReservationId+
		"' does not exist")
	do(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet})
	if _, err := c.DeleteSubnetCidrReservation(c.ctx, &ec2.DeleteSubnetCidrReservationInput{
		SubnetCidrReservationId: other.SubnetCidrReservationId,
	}); code(err) != "InvalidSubnetCidrReservationID.NotFound" {
		t.Errorf("a reservation of a deleted subnet: got %v", err)
	}
}
