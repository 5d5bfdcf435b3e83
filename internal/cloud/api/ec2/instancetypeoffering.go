package ec2

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
)

// offering is an instance type in a location where it can be launched.
type offering struct {
	name, location string
}

var offeringFilters = filters[offering]{
	"instance-type": field(func(o offering) string { return o.name }),
	"location":      field(func(o offering) string { return o.location }),
}

// DescribeInstanceTypeOfferings lists the locations where instance types can be
// launched.
func (a *API) DescribeInstanceTypeOfferings(
	ctx context.Context, in *ec2.DescribeInstanceTypeOfferingsInput,
) (*ec2.DescribeInstanceTypeOfferingsOutput, error) {
	view, name, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages, kind := pageRequest{in.MaxResults, in.NextToken}, cmp.Or(in.LocationType, types.LocationTypeRegion)
	if err := cmp.Or(
		pages.check("", false), checkEnum("LocationType", kind), offeringFilters.check(in.Filters),
	); err != nil {
		return nil, err
	}
	var found []offering
	for _, t := range instancetype.All() {
		for _, location := range a.locations(name, kind, t.Name) {
			if o := (offering{t.Name, location}); offeringFilters.match(view, o, store.Tags{}, in.Filters) {
				found = append(found, o)
			}
		}
	}
	slices.SortFunc(found, func(x, y offering) int { return strings.Compare(x.sortKey(), y.sortKey()) })
	rows, next, err := paginate(pages, found, offering.sortKey)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeInstanceTypeOfferingsOutput{
		NextToken: next,
		InstanceTypeOfferings: list(rows, func(o offering) types.InstanceTypeOffering {
			return types.InstanceTypeOffering{
				InstanceType: types.InstanceType(o.name),
				Location:     aws.String(o.location),
				LocationType: kind,
			}
		}),
	}, nil
}

// sortKey orders offerings in the response.
func (o offering) sortKey() string { return o.name + " " + o.location }

// locations returns the locations of a region that offer a type. A type that only some
// zones offer is in the region. There are no Outposts.
func (a *API) locations(region identity.Region, kind types.LocationType, instanceType string) []string {
	var offering []zone
	for _, z := range a.zones(region) {
		if a.capacity(region, z.name, instanceType) != NotOffered {
			offering = append(offering, z)
		}
	}
	switch {
	case len(offering) == 0:
		return nil
	case kind == types.LocationTypeRegion:
		return []string{region.Name()}
	case kind == types.LocationTypeAvailabilityZone:
		return list(offering, func(z zone) string { return z.name })
	case kind == types.LocationTypeAvailabilityZoneId:
		return list(offering, func(z zone) string { return z.id })
	}
	return nil
}
