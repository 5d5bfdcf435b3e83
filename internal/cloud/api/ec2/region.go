package ec2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// region is one of AWS's regions that need no opting in (AWS Regions and
// Availability Zones, Available Regions).
type region struct {
	name  string
	short string // of zone ids: "use1"
	long  string
	zones string // letters
}

var regions = []region{
	{"ap-northeast-1", "apne1", "Asia Pacific (Tokyo)", "abc"},
	{"ap-northeast-2", "apne2", "Asia Pacific (Seoul)", "abc"},
	{"ap-northeast-3", "apne3", "Asia Pacific (Osaka)", "abc"},
	{"ap-south-1", "aps1", "Asia Pacific (Mumbai)", "abc"},
	{"ap-southeast-1", "apse1", "Asia Pacific (Singapore)", "abc"},
	{"ap-southeast-2", "apse2", "Asia Pacific (Sydney)", "abc"},
	{"ca-central-1", "cac1", "Canada (Central)", "abc"},
	{"eu-central-1", "euc1", "Europe (Frankfurt)", "abc"},
	{"eu-north-1", "eun1", "Europe (Stockholm)", "abc"},
	{"eu-west-1", "euw1", "Europe (Ireland)", "abc"},
	{"eu-west-2", "euw2", "Europe (London)", "abc"},
	{"eu-west-3", "euw3", "Europe (Paris)", "abc"},
	{"sa-east-1", "sae1", "South America (Sao Paulo)", "abc"},
	{"us-east-1", "use1", "US East (N. Virginia)", "abcdef"},
	{"us-east-2", "use2", "US East (Ohio)", "abc"},
	{"us-west-1", "usw1", "US West (N. California)", "abc"},
	{"us-west-2", "usw2", "US West (Oregon)", "abc"},
}

func regionNamed(name string) (region, bool) {
	i := slices.IndexFunc(regions, func(r region) bool { return r.name == name })
	if i < 0 {
		return region{}, false
	}
	return regions[i], true
}

// zone is an Availability Zone.
type zone struct {
	region region
	name   string // "us-east-1a"
	id     string // "use1-az1"
}

func (r region) all() []zone {
	out := make([]zone, 0, len(r.zones))
	for i, letter := range r.zones {
		out = append(out, zone{r, r.name + string(letter), r.short + "-az" + strconv.Itoa(i+1)})
	}
	return out
}

const notOptional = "opt-in-not-required"

var regionFilters = filters[region]{
	"region-name":   one(func(r region) string { return r.name }),
	"endpoint":      one(region.endpoint),
	"opt-in-status": always[region](notOptional),
}

func (r region) endpoint() string { return "ec2." + r.name + ".amazonaws.com" }

// DescribeRegions lists the regions that the local cloud plays.
func (a *API) DescribeRegions(ctx context.Context, in *ec2.DescribeRegionsInput) (*ec2.DescribeRegionsOutput, error) {
	view, _, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if err := regionFilters.check(in.Filters); err != nil {
		return nil, err
	}
	for _, name := range in.RegionNames {
		if _, ok := regionNamed(name); !ok {
			return nil, wire.Errorf("InvalidParameterValue", "Invalid region: %s", name)
		}
	}
	out := &ec2.DescribeRegionsOutput{Regions: []types.Region{}}
	for _, r := range regions {
		if len(in.RegionNames) > 0 && !slices.Contains(in.RegionNames, r.name) ||
			!regionFilters.match(view, r, nil, in.Filters) {
			continue
		}
		out.Regions = append(out.Regions, types.Region{
			RegionName:  aws.String(r.name),
			Endpoint:    aws.String(r.endpoint()),
			OptInStatus: aws.String(notOptional),
		})
	}
	return out, nil
}

var zoneFilters = filters[zone]{
	"zone-name":        one(func(z zone) string { return z.name }),
	"zone-id":          one(func(z zone) string { return z.id }),
	"region-name":      one(func(z zone) string { return z.region.name }),
	"group-name":       one(zone.group),
	"group-long-name":  one(zone.groupLong),
	"state":            always[zone](string(types.AvailabilityZoneStateAvailable)),
	"opt-in-status":    always[zone](notOptional),
	"zone-type":        always[zone]("availability-zone"),
	"message":          never[zone],
	"parent-zone-id":   never[zone],
	"parent-zone-name": never[zone],
}

func (z zone) group() string     { return z.region.name + "-zg-1" }
func (z zone) groupLong() string { return z.region.long + " 1" }

// DescribeAvailabilityZones lists the zones of the caller's region.
func (a *API) DescribeAvailabilityZones(ctx context.Context, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	view, name, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if err := zoneFilters.check(in.Filters); err != nil {
		return nil, err
	}
	here, _ := regionNamed(name)
	zones := here.all()
	if err := knownZones(zones, in.ZoneNames, in.ZoneIds); err != nil {
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

func knownZones(zones []zone, names, ids []string) error {
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
		ZoneName: aws.String(z.name), ZoneId: aws.String(z.id), ZoneType: aws.String("availability-zone"),
		RegionName: aws.String(z.region.name), NetworkBorderGroup: aws.String(z.region.name),
		GroupName: aws.String(z.group()), GroupLongName: aws.String(z.groupLong()),
		State: types.AvailabilityZoneStateAvailable, OptInStatus: notOptional,
		Messages: []types.AvailabilityZoneMessage{},
	}
}

// zoneOf finds a zone of a region by name or id.
func zoneOf(regionName string, is func(zone) bool) (zone, bool) {
	here, _ := regionNamed(regionName)
	zones := here.all()
	i := slices.IndexFunc(zones, is)
	if i < 0 {
		return zone{}, false
	}
	return zones[i], true
}

// EnsureRegion makes a region what AWS gives a new account there, on its first
// use: default VPC and public images. Public images that came later are added
// to it on the next use. It refuses regions that do not exist.
func (a *API) EnsureRegion(name string) error {
	view := a.Store.View()
	if _, seeded := store.Regions.Get(view, name); seeded && len(a.missingImages(view, name)) == 0 {
		return nil
	}
	r, ok := regionNamed(name)
	if !ok {
		return wire.Errorf("InvalidRegion", "The region '%s' is not one that aloft's local cloud has", name)
	}
	return a.Store.Update(func(tx *store.Tx) error {
		if _, seeded := store.Regions.Get(tx, name); !seeded {
			a.seed(tx, r)
			store.Regions.Put(tx, &store.Region{Name: name})
		}
		for _, image := range a.missingImages(tx, name) {
			a.seedImage(tx, name, image)
		}
		return nil
	})
}

// missingImages are the public images that a region does not offer yet.
func (a *API) missingImages(r store.Reader, regionName string) []BaseImage {
	var missing []BaseImage
	for _, image := range a.Images {
		if !slices.ContainsFunc(
			store.Images.By(r, "name", regionName+"/"+image.Name),
			func(row *store.Image) bool { return row.Public },
		) {
			missing = append(missing, image)
		}
	}
	return missing
}
