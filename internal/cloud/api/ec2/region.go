package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// region is one of AWS's regions that are enabled by default (AWS Regions and
// Availability Zones, Available Regions).
type region struct {
	name        string
	short       string // prefix of zone ids: "use1"
	long        string
	zoneLetters string // "abc"
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

// RegionTitle returns the name of a region for people, such as "US East (N. Virginia)", or
// the region itself if AWS has none of the name.
func RegionTitle(name string) string {
	if r, ok := regionNamed(name); ok {
		return r.long
	}
	return name
}

func (r region) allZones() []zone {
	out := make([]zone, 0, len(r.zoneLetters))
	for i, letter := range r.zoneLetters {
		out = append(out, zone{r, r.name + string(letter), r.short + "-az" + strconv.Itoa(i+1)})
	}
	return out
}

const optInNotRequired = "opt-in-not-required"

var regionFilters = filters[region]{
	"region-name":   field(func(r region) string { return r.name }),
	"endpoint":      field(region.endpoint),
	"opt-in-status": constant[region](optInNotRequired),
}

func (r region) endpoint() string { return "ec2." + r.name + ".amazonaws.com" }

// DescribeRegions lists the regions of the local cloud.
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
			OptInStatus: aws.String(optInNotRequired),
		})
	}
	return out, nil
}
