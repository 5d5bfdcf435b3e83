package ec2

import (
	"context"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type subnetReservation = *store.SubnetReservation

var subnetReservations = resourceType[store.SubnetReservation]{
	table: store.SubnetReservations, kind: types.ResourceTypeSubnetCidrReservation, prefix: "scr-",
	notFoundCode: "InvalidSubnetCidrReservationID.NotFound", notFoundText: "The subnet-cidr-reservation ID",
	key:  func(row subnetReservation) (identity.Region, string) { return row.Region, row.ID },
	tags: func(row subnetReservation) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row subnetReservation) store.Tags { return row.Tags }, filters[subnetReservation]{
		"reservationType": field(func(row subnetReservation) string { return row.Type }),
		"subnet-id":       field(func(row subnetReservation) string { return row.SubnetID }),
	}),
}

// CreateSubnetCidrReservation reserves a block of a subnet. EC2 assigns its addresses to no network
// interface unless a request names them. Those that are in use stay so.
func (a *API) CreateSubnetCidrReservation(
	ctx context.Context, in *ec2.CreateSubnetCidrReservationInput,
) (*ec2.CreateSubnetCidrReservationOutput, error) {
	if err := required(
		parameter{"subnetId", in.SubnetId}, parameter{"cidr", in.Cidr},
		parameter{"reservationType", aws.String(string(in.ReservationType))},
	); err != nil {
		return nil, err
	}
	if err := checkEnum("reservationType", in.ReservationType); err != nil {
		return nil, err
	}
	block, err := parseReserved(*in.Cidr)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeSubnetCidrReservation)
	if err != nil {
		return nil, err
	}
	row := &store.SubnetReservation{
		CIDR: block, Type: string(in.ReservationType), Description: aws.ToString(in.Description),
		Tags: tags[types.ResourceTypeSubnetCidrReservation],
	}
	out := &ec2.CreateSubnetCidrReservationOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		subnet, err := subnets.get(tx, region, *in.SubnetId)
		if err != nil {
			return err
		}
		if err := checkReserved(tx, subnet, block); err != nil {
			return err
		}
		row.ID, row.SubnetID, row.Region = a.ids.ID(subnetReservations.prefix), subnet.ID, region
		store.SubnetReservations.Put(tx, row)
		item := subnetReservationItem(row)
		out.SubnetCidrReservation = &item
		return nil
	})
}

// parseReserved parses a block of either family.
func parseReserved(cidr string) (netip.Prefix, error) {
	if strings.Contains(cidr, ":") {
		return parseIPv6CIDR("cidr", cidr)
	}
	return parseCIDR("cidr", cidr)
}

// checkReserved refuses a block that is outside the subnet or that overlaps with a reserved one.
func checkReserved(r store.Reader, subnet *store.Subnet, block netip.Prefix) error {
	own := subnet.CIDR
	if block.Addr().Is6() {
		own = subnet.IPv6.CIDR
	}
	if !own.IsValid() || !isWithin(block, []netip.Prefix{own}) {
		return wire.Errorf(
			"InvalidParameterValue", "Reservation CIDR should be within subnet CIDR block (%s)", subnet.Blocks()[0],
		)
	}
	for _, other := range store.SubnetReservationsBySubnet.List(r, subnet.ID) {
		if other.CIDR.Overlaps(block) {
			return wire.Errorf(
				"InvalidParameterValue", "Reservation CIDR %s has overlap with existing reserved CIDR block", block,
			)
		}
	}
	return nil
}

func subnetReservationItem(row subnetReservation) types.SubnetCidrReservation {
	return types.SubnetCidrReservation{
		SubnetCidrReservationId: aws.String(row.ID), SubnetId: aws.String(row.SubnetID),
		OwnerId: aws.String(row.Region.Account()), Cidr: aws.String(row.CIDR.String()),
		ReservationType: types.SubnetCidrReservationType(row.Type), Description: optionalString(row.Description),
		Tags: tagSet(row.Tags),
	}
}

// GetSubnetCidrReservations lists the reserved blocks of a subnet.
func (a *API) GetSubnetCidrReservations(
	ctx context.Context, in *ec2.GetSubnetCidrReservationsInput,
) (*ec2.GetSubnetCidrReservationsOutput, error) {
	if err := required(parameter{"SubnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if _, err := subnets.get(view, region, *in.SubnetId); err != nil {
		return nil, err
	}
	rows, next, err := subnetReservations.describe(view, region, describeQuery{
		filters: append([]types.Filter{{Name: aws.String("subnet-id"), Values: []string{*in.SubnetId}}}, in.Filters...),
		page:    pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.GetSubnetCidrReservationsOutput{
		SubnetIpv4CidrReservations: []types.SubnetCidrReservation{},
		SubnetIpv6CidrReservations: []types.SubnetCidrReservation{},
		NextToken:                  next,
	}
	for _, row := range rows {
		item := subnetReservationItem(row)
		if row.CIDR.Addr().Is4() {
			out.SubnetIpv4CidrReservations = append(out.SubnetIpv4CidrReservations, item)
		} else {
			out.SubnetIpv6CidrReservations = append(out.SubnetIpv6CidrReservations, item)
		}
	}
	return out, nil
}

// DeleteSubnetCidrReservation deletes a reservation. Addresses stay where they are assigned.
func (a *API) DeleteSubnetCidrReservation(
	ctx context.Context, in *ec2.DeleteSubnetCidrReservationInput,
) (*ec2.DeleteSubnetCidrReservationOutput, error) {
	if err := required(parameter{"subnetCidrReservationId", in.SubnetCidrReservationId}); err != nil {
		return nil, err
	}
	out := &ec2.DeleteSubnetCidrReservationOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := subnetReservations.get(tx, region, *in.SubnetCidrReservationId)
		if err != nil {
			return err
		}
		store.SubnetReservations.Delete(tx, row.ID)
		item := subnetReservationItem(row)
		out.DeletedSubnetCidrReservation = &item
		return nil
	})
}

// forgetReservations deletes the reservations of blocks that a subnet no longer has.
func forgetReservations(tx *store.Tx, subnetID string, lost netip.Prefix) {
	for _, row := range store.SubnetReservationsBySubnet.List(tx, subnetID) {
		if lost.Overlaps(row.CIDR) {
			store.SubnetReservations.Delete(tx, row.ID)
		}
	}
}
