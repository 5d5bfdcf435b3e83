package resource

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/diag"
)

// region is an account API with zones of all kinds, in no order.
type region struct{}

func (region) DescribeAvailabilityZones(
	_ context.Context, in *ec2.DescribeAvailabilityZonesInput, _ ...func(*ec2.Options),
) (*ec2.DescribeAvailabilityZonesOutput, error) {
	out := &ec2.DescribeAvailabilityZonesOutput{}
	for _, z := range []struct{ name, kind, state string }{
		{"us-west-2c", "availability-zone", "available"},
		{"us-west-2-lax-1a", "local-zone", "available"},
		{"us-west-2a", "availability-zone", "available"},
		{"us-west-2b", "availability-zone", "impaired"},
		{"us-west-2-wl1-sfo-1", "wavelength-zone", "available"},
	} {
		matches := func(f types.Filter) bool {
			return slices.Contains(f.Values, map[string]string{"zone-type": z.kind, "state": z.state}[*f.Name])
		}
		if !slices.ContainsFunc(in.Filters, func(f types.Filter) bool { return !matches(f) }) {
			out.AvailabilityZones = append(out.AvailabilityZones, types.AvailabilityZone{ZoneName: aws.String(z.name)})
		}
	}
	return out, nil
}

func (region) DescribeInstanceTypeOfferings(
	context.Context, *ec2.DescribeInstanceTypeOfferingsInput, ...func(*ec2.Options),
) (*ec2.DescribeInstanceTypeOfferingsOutput, error) {
	return &ec2.DescribeInstanceTypeOfferingsOutput{InstanceTypeOfferings: []types.InstanceTypeOffering{
		{InstanceType: "t3.micro", Location: aws.String("us-west-2a")},
		{InstanceType: "t3a.micro", Location: aws.String("us-west-2a")},
		{InstanceType: "t3.micro", Location: aws.String("us-west-2-lax-1a")},
	}}, nil
}

func (region) DescribeInstanceTypes(
	context.Context, *ec2.DescribeInstanceTypesInput, ...func(*ec2.Options),
) (*ec2.DescribeInstanceTypesOutput, error) {
	processor := func(a types.ArchitectureType) *types.ProcessorInfo {
		return &types.ProcessorInfo{SupportedArchitectures: []types.ArchitectureType{a}}
	}
	return &ec2.DescribeInstanceTypesOutput{InstanceTypes: []types.InstanceTypeInfo{
		{InstanceType: "t3.micro", ProcessorInfo: processor(types.ArchitectureTypeX8664)},
		{InstanceType: "t4g.micro", ProcessorInfo: processor(types.ArchitectureTypeArm64)},
	}}, nil
}

func TestZonesOfOtherKindsAndImpairedZonesAreNotUsable(t *testing.T) {
	c := Cloud{Region: "us-west-2", EC2: EC2{accountAPI: region{}}}
	zones, err := c.Zones(t.Context(), []string{"t3.micro", "t3a.micro"})
	if err != nil || len(zones) != 2 || zones[0].Name != "us-west-2a" || zones[1].Name != "us-west-2c" ||
		!slices.Equal(zones[0].Offers, []string{"t3.micro", "t3a.micro"}) || len(zones[1].Offers) != 0 {
		t.Errorf("got %v, %v", zones, err)
	}
}

func TestEachUnusableInstanceTypeIsNamed(t *testing.T) {
	c := Cloud{Region: "us-west-2", EC2: EC2{accountAPI: region{}}}
	for name, want := range map[string]Architecture{"t3.micro": x8664, "t4g.micro": arm64} {
		if got, err := c.CheckInstanceTypes(t.Context(), []string{name}, nil); got != want || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	_, err := c.CheckInstanceTypes(t.Context(), []string{"t3.micro", "t4g.micro", "t9.micro"}, nil)
	list := diag.From(err)
	if len(list) != 2 || list[0].Summary != "t3.micro is x86_64, and t4g.micro is arm64" ||
		list[1].Summary != "us-west-2 has no instance type t9.micro" {
		t.Errorf("got %v", list)
	}
}

func TestABuilderHasTheServersArchitecture(t *testing.T) {
	c := Cloud{Region: "us-west-2", EC2: EC2{accountAPI: region{}}}
	for builder, want := range map[string]string{
		"t4g.micro": "machines.builder: t3.micro is x86_64, and t4g.micro is arm64",
		"t9.micro":  "machines.builder: us-west-2 has no instance type t9.micro",
	} {
		_, err := c.CheckInstanceTypes(t.Context(), []string{"t3.micro"}, []string{builder})
		if list := diag.From(err); len(list) != 1 || list[0].Error() != want {
			t.Errorf("%s: got %v", builder, err)
		}
	}
	same := []string{"t3.micro"}
	if got, err := c.CheckInstanceTypes(t.Context(), same, same); got != x8664 || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
