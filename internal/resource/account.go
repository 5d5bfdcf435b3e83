package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/stack"
)

type accountAPI interface {
	DescribeAvailabilityZones(
		context.Context, *ec2.DescribeAvailabilityZonesInput, ...func(*ec2.Options),
	) (*ec2.DescribeAvailabilityZonesOutput, error)
	DescribeInstanceTypes(
		context.Context, *ec2.DescribeInstanceTypesInput, ...func(*ec2.Options),
	) (*ec2.DescribeInstanceTypesOutput, error)
	DescribeInstanceTypeOfferings(
		context.Context, *ec2.DescribeInstanceTypeOfferingsInput, ...func(*ec2.Options),
	) (*ec2.DescribeInstanceTypeOfferingsOutput, error)
}

// Zones returns the region's usable Availability Zones, sorted by name, each with
// those of the instance types that it offers. Local Zones, Wavelength Zones and zones
// that are impaired are not usable.
func (c *Cloud) Zones(ctx context.Context, instanceTypes []string) ([]stack.Zone, error) {
	list, err := c.EC2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{
		Filters: []types.Filter{
			awsapi.Filter("state", string(types.AvailabilityZoneStateAvailable)),
			awsapi.Filter("zone-type", "availability-zone"),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("list the zones of %s: %w", c.Region, err)
	}
	offers, err := c.offers(ctx, instanceTypes)
	if err != nil {
		return nil, err
	}
	var zones []stack.Zone
	for _, z := range list.AvailabilityZones {
		name := aws.ToString(z.ZoneName)
		zones = append(zones, stack.Zone{Name: name, Offers: offers[name]})
	}
	slices.SortFunc(zones, func(a, b stack.Zone) int { return strings.Compare(a.Name, b.Name) })
	return zones, nil
}

// offers returns those of the instance types that each zone of the region offers, by
// the zone's name.
func (c *Cloud) offers(ctx context.Context, instanceTypes []string) (map[string][]string, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeInstanceTypeOfferingsPaginator(c.EC2, &ec2.DescribeInstanceTypeOfferingsInput{
			LocationType: types.LocationTypeAvailabilityZone,
			Filters:      []types.Filter{awsapi.Filter("instance-type", instanceTypes...)},
		}),
		func(page *ec2.DescribeInstanceTypeOfferingsOutput) []types.InstanceTypeOffering {
			return page.InstanceTypeOfferings
		},
	)
	if err != nil {
		return nil, fmt.Errorf("list the instance types that the zones of %s offer: %w", c.Region, err)
	}
	offers := map[string][]string{}
	for _, o := range list {
		zone := aws.ToString(o.Location)
		offers[zone] = append(offers[zone], string(o.InstanceType))
	}
	return offers, nil
}

// CheckInstanceTypes returns the architecture of the servers' instance types. It returns
// an error unless the region has these types and those of the builder, and one image can
// serve on all of them.
func (c *Cloud) CheckInstanceTypes(ctx context.Context, servers, builder []string) (Architecture, error) {
	names := slices.Concat(servers, builder)
	list, err := collect(
		ctx,
		ec2.NewDescribeInstanceTypesPaginator(c.EC2, &ec2.DescribeInstanceTypesInput{
			Filters: []types.Filter{awsapi.Filter("instance-type", names...)},
		}),
		func(page *ec2.DescribeInstanceTypesOutput) []types.InstanceTypeInfo { return page.InstanceTypes },
	)
	if err != nil {
		return "", fmt.Errorf("look up instance type %s: %w", strings.Join(names, ", "), err)
	}
	found := map[string]types.InstanceTypeInfo{}
	for _, info := range list {
		found[string(info.InstanceType)] = info
	}
	var problems diag.List
	var first Architecture
	for i, name := range names {
		where, hint := "machines.type", "for example: type: t3.micro"
		if i >= len(servers) {
			where, hint = "machines.builder", "for example: builder: t3.medium"
		}
		info, ok := found[name]
		if !ok {
			problems.Add(where, hint, "%s has no instance type %s", c.Region, name)
			continue
		}
		switch a := architectureOf(info); {
		case a == "":
			problems.Add(where, hint,
				"%s is of an architecture that has no base images", name)
		case first == "":
			first = a
		case a != first:
			problems.Add(where, "use types of one architecture: one image serves all servers, and the builder makes it",
				"%s is %s, and %s is %s", names[0], first, name, a)
		}
	}
	return first, problems.Err()
}
