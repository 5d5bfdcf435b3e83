package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
)

func TestInstanceTypesAreOfferedInEveryZone(t *testing.T) {
	r := newRemote(t)
	n := len(instancetype.All())
	places := func(out *ec2.DescribeInstanceTypeOfferingsOutput) []string {
		return list(
			out.InstanceTypeOfferings,
			func(o types.InstanceTypeOffering) string { return string(o.InstanceType) + "@" + *o.Location },
		)
	}
	all := func(kind types.LocationType, f ...types.Filter) []string {
		out := doRemote(r, r.DescribeInstanceTypeOfferings,
			&ec2.DescribeInstanceTypeOfferingsInput{LocationType: kind, Filters: f})
		for _, o := range out.InstanceTypeOfferings {
			if kind != "" && o.LocationType != kind || kind == "" && o.LocationType != types.LocationTypeRegion {
				t.Errorf("asked for %s: %+v", kind, o)
			}
		}
		return places(out)
	}
	for kind, want := range map[types.LocationType]int{
		"": n, "region": n, "availability-zone": 6 * n, "availability-zone-id": 6 * n, "outpost": 0,
	} {
		if found := all(kind); len(found) != want {
			t.Errorf("%s: %d offerings, want %d", kind, len(found), want)
		}
	}
	if found := all(
		"availability-zone", filter("instance-type", "t3.mi*"), filter("location", "us-east-1b", "us-east-1c"),
	); !slices.Equal(found, []string{"t3.micro@us-east-1b", "t3.micro@us-east-1c"}) {
		t.Errorf("offerings %v", found)
	}
	wantFilters(
		r,
		offeringFilters,
		map[string]string{"instance-type": "t3.micro", "location": "use1-az2"},
		"t3.micro@use1-az2",
		func(f types.Filter) []string { return all("availability-zone-id", f) },
	)
	seen := 0
	in := &ec2.DescribeInstanceTypeOfferingsInput{MaxResults: aws.Int32(1000), LocationType: "availability-zone"}
	for {
		out := doRemote(r, r.DescribeInstanceTypeOfferings, in)
		seen += len(out.InstanceTypeOfferings)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if seen != 6*n {
		t.Errorf("%d offerings in pages, want %d", seen, 6*n)
	}
	wantRemoteError(r, r.DescribeInstanceTypeOfferings, &ec2.DescribeInstanceTypeOfferingsInput{LocationType: "moon"},
		"InvalidParameterValue:")
	wantRemoteError(r, r.DescribeInstanceTypeOfferings,
		&ec2.DescribeInstanceTypeOfferingsInput{Filters: []types.Filter{filter("colour", "red")}},
		"InvalidParameterValue: The filter 'colour' is invalid")
	wantRemoteError(r, r.DescribeInstanceTypeOfferings,
		&ec2.DescribeInstanceTypeOfferingsInput{MaxResults: aws.Int32(4)},
		"InvalidParameterValue:")
	wantRemoteError(r, r.DescribeInstanceTypeOfferings,
		&ec2.DescribeInstanceTypeOfferingsInput{DryRun: aws.Bool(true)}, dryRun)
}
