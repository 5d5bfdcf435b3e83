package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDescribeAvailabilityZones(t *testing.T) {
	c := newCloud(t)
	zones := do(c, c.DescribeAvailabilityZones, &ec2.DescribeAvailabilityZonesInput{}).AvailabilityZones
	if len(zones) != 6 {
		t.Errorf("got %d zones in us-east-1, want 6", len(zones))
	}
	want := types.AvailabilityZone{
		GroupLongName: aws.String("US East (N. Virginia) 1"),
		GroupName:     aws.String("us-east-1-zg-1"), Messages: []types.AvailabilityZoneMessage{},
		NetworkBorderGroup: aws.String("us-east-1"),
		OptInStatus:        "opt-in-not-required", RegionName: aws.String("us-east-1"), State: "available",
		ZoneId: aws.String("use1-az1"), ZoneName: aws.String("us-east-1a"), ZoneType: aws.String("availability-zone"),
	}
	if diff := cmp.Diff(want, zones[0], cmpopts.IgnoreUnexported(types.AvailabilityZone{})); diff != "" {
		t.Error(diff)
	}
	for _, narrowed := range []ec2.DescribeAvailabilityZonesInput{
		{ZoneNames: []string{"us-east-1b"}},
		{ZoneIds: []string{"use1-az2"}},
		{Filters: []types.Filter{filter("zone-name", "us-east-1b")}},
		{Filters: []types.Filter{filter("zone-id", "*az2")}},
	} {
		if found := do(c, c.DescribeAvailabilityZones, &narrowed).AvailabilityZones; len(found) != 1 ||
			*found[0].ZoneName != "us-east-1b" {
			t.Errorf("%+v: %+v", narrowed, found)
		}
	}
	wantError(c, c.DescribeAvailabilityZones, &ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{"us-east-1z"}},
		"InvalidParameterValue: Invalid availability zone: [us-east-1z]")
	regions := do(c, c.DescribeRegions, &ec2.DescribeRegionsInput{RegionNames: []string{"eu-west-1"}}).Regions
	if len(regions) != 1 || *regions[0].Endpoint != "ec2.eu-west-1.amazonaws.com" {
		t.Errorf("regions %+v", regions)
	}
}
