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
	wantFilters(r, typeFilters, map[string]string{
		"instance-type": "t3.micro", "hypervisor": "nitro", "current-generation": "true",
		"supported-virtualization-type": "hvm",
		"supported-root-device-type":    "ebs", "supported-usage-class": "on-demand",
		"processor-info.supported-architecture": "x86_64",
		"bare-metal":                            "false", "burstable-performance-supported": "true",
		"free-tier-eligible":         "true",
		"instance-storage-supported": "false",
		"vcpu-info.default-vcpus":    "2", "memory-info.size-in-mib": "1024", "network-info.ena-support": "required",
	}, "t3.micro", func(f types.Filter) []string {
		return typeNames(doRemote(r, r.DescribeInstanceTypes,
			&ec2.DescribeInstanceTypesInput{Filters: []types.Filter{f}}))
	})
	var sizes []int
	for left := len(instancetype.All()); left > 0; left -= 5 {
		sizes = append(sizes, min(left, 5))
	}
	wantPages(r, sizes, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{
			MaxResults: five(), NextToken: token,
		})
		return typeNames(out), out.NextToken
	})
	if names := typeNames(doRemote(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{
		InstanceTypes: []types.InstanceType{"t3.micro", "m5.large", "t3.micro"},
	})); !slices.Equal(names, []string{"m5.large", "t3.micro"}) {
		t.Errorf("types %v", names)
	}
	wantRemoteError(r, r.DescribeInstanceTypes,
		&ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"t9.a", "t3.micro", "t9.b"}},
		"InvalidInstanceType: The following supplied instance types do not exist: [t9.a, t9.b]")
	wantRemoteError(r, r.DescribeInstanceTypes,
		&ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"t3.micro"}, MaxResults: five()},
		"InvalidParameterCombination:")
	wantRemoteError(r, r.DescribeInstanceTypes,
		&ec2.DescribeInstanceTypesInput{Filters: []types.Filter{filter("tag:Name", "web")}},
		"InvalidParameterValue: The filter 'tag:Name' is invalid")
	wantRemoteError(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{DryRun: aws.Bool(true)}, dryRun)
}
