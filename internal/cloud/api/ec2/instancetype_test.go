package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
)

func typeNames(out *ec2.DescribeInstanceTypesOutput) []string {
	return list(out.InstanceTypes, func(i types.InstanceTypeInfo) string { return string(i.InstanceType) })
}

func TestInstanceTypesAreFoundByEveryFilterAndInPages(t *testing.T) {
	r := newRemote(t)
	narrowed(r, typeFilters, map[string]string{
		"instance-type": "t3.micro", "hypervisor": "nitro", "current-generation": "true",
		"supported-virtualization-type": "hvm",
		"supported-root-device-type":    "ebs", "supported-usage-class": "on-demand",
		"processor-info.supported-architecture": "x86_64",
		"bare-metal":                            "false", "burstable-performance-supported": "true", "free-tier-eligible": "true",
		"instance-storage-supported": "false",
		"vcpu-info.default-vcpus":    "2", "memory-info.size-in-mib": "1024", "network-info.ena-support": "required",
	}, "t3.micro", func(f types.Filter) []string {
		return typeNames(got(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{Filters: []types.Filter{f}}))
	})
	var sizes []int
	for left := len(instancetype.All()); left > 0; left -= 5 {
		sizes = append(sizes, min(left, 5))
	}
	paged(r, sizes, func(token *string) ([]string, *string) {
		out := got(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{MaxResults: five(), NextToken: token})
		return typeNames(out), out.NextToken
	})
	if names := typeNames(got(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{
		InstanceTypes: []types.InstanceType{"t3.micro", "m5.large", "t3.micro"},
	})); !slices.Equal(
		names,
		[]string{"m5.large", "t3.micro"},
	) {
		t.Errorf("types %v", names)
	}
	denied(
		r,
		r.DescribeInstanceTypes,
		&ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"t9.a", "t3.micro", "t9.b"}},
		"InvalidInstanceType: The following supplied instance types do not exist: [t9.a, t9.b]",
	)
	denied(
		r,
		r.DescribeInstanceTypes,
		&ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"t3.micro"}, MaxResults: five()},
		"InvalidParameterCombination:",
	)
	denied(
		r,
		r.DescribeInstanceTypes,
		&ec2.DescribeInstanceTypesInput{Filters: []types.Filter{filter("tag:Name", "web")}},
		"InvalidParameterValue: The filter 'tag:Name' is invalid",
	)
	denied(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{DryRun: aws.Bool(true)}, dryRun)
}

func TestTypesAreOfferedInEveryPlaceOfTheRegion(t *testing.T) {
	r := newRemote(t)
	n := len(instancetype.All())
	places := func(out *ec2.DescribeInstanceTypeOfferingsOutput) []string {
		return list(
			out.InstanceTypeOfferings,
			func(o types.InstanceTypeOffering) string { return string(o.InstanceType) + "@" + *o.Location },
		)
	}
	all := func(kind types.LocationType, f ...types.Filter) []string {
		out := got(
			r, r.DescribeInstanceTypeOfferings, &ec2.DescribeInstanceTypeOfferingsInput{LocationType: kind, Filters: f},
		)
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
	); !slices.Equal(
		found,
		[]string{"t3.micro@us-east-1b", "t3.micro@us-east-1c"},
	) {
		t.Errorf("offerings %v", found)
	}
	narrowed(
		r,
		offeringFilters,
		map[string]string{"instance-type": "t3.micro", "location": "use1-az2"},
		"t3.micro@use1-az2",
		func(f types.Filter) []string { return all("availability-zone-id", f) },
	)
	seen := 0
	for in := (&ec2.DescribeInstanceTypeOfferingsInput{MaxResults: five(), LocationType: "availability-zone"}); ; {
		out := got(r, r.DescribeInstanceTypeOfferings, in)
		seen += len(out.InstanceTypeOfferings)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if seen != 6*n {
		t.Errorf("%d offerings in pages, want %d", seen, 6*n)
	}
	denied(
		r,
		r.DescribeInstanceTypeOfferings,
		&ec2.DescribeInstanceTypeOfferingsInput{LocationType: "moon"},
		"InvalidParameterValue:",
	)
	denied(
		r,
		r.DescribeInstanceTypeOfferings,
		&ec2.DescribeInstanceTypeOfferingsInput{Filters: []types.Filter{filter("colour", "red")}},
		"InvalidParameterValue: The filter 'colour' is invalid",
	)
	denied(
		r,
		r.DescribeInstanceTypeOfferings,
		&ec2.DescribeInstanceTypeOfferingsInput{MaxResults: aws.Int32(4)},
		"InvalidParameterValue:",
	)
	denied(r, r.DescribeInstanceTypeOfferings, &ec2.DescribeInstanceTypeOfferingsInput{DryRun: aws.Bool(true)}, dryRun)
}
