package ec2

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// zone is an Availability Zone.
type zone struct {
	region region
	name   string // "us-east-1a"
	id     string // "use1-az1"
}

var zoneFilters = filters[zone]{
	"zone-name":        field(func(z zone) string { return z.name }),
	"zone-id":          field(func(z zone) string { return z.id }),
	"region-name":      field(func(z zone) string { return z.region.name }),
	"group-name":       field(zone.group),
	"group-long-name":  field(zone.groupLong),
	"state":            constant[zone](string(types.AvailabilityZoneStateAvailable)),
	"opt-in-status":    constant[zone](optInNotRequired),
	"zone-type":        constant[zone]("availability-zone"),
	"message":          noValue[zone],
	"parent-zone-id":   noValue[zone],
	"parent-zone-name": noValue[zone],
}

func (z zone) group() string { return z.region.name + "-zg-1" }

func (z zone) groupLong() string { return z.region.long + " 1" }

// DescribeAvailabilityZones lists the zones of the caller's region.
func (a *API) DescribeAvailabilityZones(
	ctx context.Context, in *ec2.DescribeAvailabilityZonesInput,
) (*ec2.DescribeAvailabilityZonesOutput, error) {
	view, name, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if err := zoneFilters.check(in.Filters); err != nil {
		return nil, err
	}
	zones := a.zones(name)
	if err := checkZones(zones, in.ZoneNames, in.ZoneIds); err != nil {
		return nil, err
	}
	out := &ec2.DescribeAvailabilityZonesOutput{AvailabilityZones: []types.AvailabilityZone{}}
	for _, z := range zones {
		if len(in.ZoneNames) > 0 && !slices.Contains(in.ZoneNames, z.name) ||
			len(in.ZoneIds) > 0 && !slices.Contains(in.ZoneIds, z.id) ||
			!zoneFilters.match(view, z, nil, in.Filters) {
			continue
		}
		out.AvailabilityZones = append(out.AvailabilityZones, z.item())
	}
	return out, nil
}

func checkZones(zones []zone, names, ids []string) error {
	var bad []string
	for _, name := range names {
		if !slices.ContainsFunc(zones, func(z zone) bool { return z.name == name }) {
			bad = append(bad, name)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(zones, func(z zone) bool { return z.id == id }) {
			bad = append(bad, id)
		}
	}
	if len(bad) > 0 {
		return wire.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", strings.Join(bad, ", "))
	}
	return nil
}

func (z zone) item() types.AvailabilityZone {
	return types.AvailabilityZone{
		ZoneName:           aws.String(z.name),
		ZoneId:             aws.String(z.id),
		ZoneType:           aws.String("availability-zone"),
		RegionName:         aws.String(z.region.name),
		NetworkBorderGroup: aws.String(z.region.name),
		GroupName:          aws.String(z.group()),
		GroupLongName:      aws.String(z.groupLong()),
		State:              types.AvailabilityZoneStateAvailable,
		OptInStatus:        optInNotRequired,
		Messages:           []types.AvailabilityZoneMessage{},
	}
}
