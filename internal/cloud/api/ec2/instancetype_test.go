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
		"auto-recovery-supported": "false", "bare-metal": "false", "burstable-performance-supported": "true",
		"current-generation": "true", "dedicated-hosts-supported": "false",
		"ebs-info.attachment-limit-type":                          "",
		"ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps":  "87",
		"ebs-info.ebs-optimized-info.baseline-iops":               "500",
		"ebs-info.ebs-optimized-info.baseline-throughput-in-mbps": "10.875",
		"ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps":   "2085",
		"ebs-info.ebs-optimized-info.maximum-iops":                "11800",
		"ebs-info.ebs-optimized-info.maximum-throughput-in-mbps":  "260.625",
		"ebs-info.ebs-optimized-support":                          "default",
		"ebs-info.encryption-support":                             "supported",
		"ebs-info.maximum-ebs-attachments":                        "",
		"ebs-info.nvme-support":                                   "unsupported",
		"free-tier-eligible":                                      "true",
		"hibernation-supported":                                   "false",
		"hypervisor":                                              "nitro",
		"instance-storage-info.disk.count":                        "",
		"instance-storage-info.disk.size-in-gb":                   "",
		"instance-storage-info.disk.type":                         "",
		"instance-storage-info.encryption-support":                "",
		"instance-storage-info.nvme-support":                      "",
		"instance-storage-info.total-size-in-gb":                  "",
		"instance-storage-supported":                              "false",
		"instance-type":                                           "t3.micro",
		"memory-info.size-in-mib":                                 "1024",
		"network-info.bandwidth-weightings":                       "",
		"network-info.efa-info.maximum-efa-interfaces":            "",
		"network-info.efa-supported":                              "false",
		"network-info.ena-support":                                "required",
		"network-info.encryption-in-transit-supported":            "false",
		"network-info.flexible-ena-queues-support":                "",
		"network-info.ipv4-addresses-per-interface":               "2",
		"network-info.ipv6-addresses-per-interface":               "2",
		"network-info.ipv6-supported":                             "true",
		"network-info.maximum-network-cards":                      "1",
		"network-info.maximum-network-interfaces":                 "2",
		"network-info.network-performance":                        "Up to 5 Gigabit",
		"nitro-enclaves-support":                                  "unsupported",
		"nitro-tpm-info.supported-versions":                       "",
		"nitro-tpm-support":                                       "unsupported",
		"processor-info.supported-architecture":                   "x86_64",
		"processor-info.supported-features":                       "",
		"processor-info.sustained-clock-speed-in-ghz":             "2.5",
		"reboot-migration-support":                                "",
		"supported-boot-mode":                                     "legacy-bios",
		"supported-root-device-type":                              "ebs",
		"supported-usage-class":                                   "on-demand",
		"supported-virtualization-type":                           "hvm",
		"vcpu-info.default-cores":                                 "1",
		"vcpu-info.default-threads-per-core":                      "2",
		"vcpu-info.default-vcpus":                                 "2",
		"vcpu-info.valid-cores":                                   "1",
		"vcpu-info.valid-threads-per-core":                        "2",
	}, "t3.micro", func(f types.Filter) []string {
		return typeNames(doRemote(r, r.DescribeInstanceTypes,
			&ec2.DescribeInstanceTypesInput{
				Filters: []types.Filter{f}, InstanceTypes: []types.InstanceType{"t3.micro", "m1.small", "m6g.large"},
			}))
	})
	var sizes []int
	for left := len(instancetype.All()); left > 0; left -= 100 {
		sizes = append(sizes, min(left, 100))
	}
	wantPages(r, sizes, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{
			MaxResults: aws.Int32(100), NextToken: token,
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
