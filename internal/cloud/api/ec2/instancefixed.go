package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// addFixed adds to the description of an instance what is the same for all of them, or for all of a
// type, because a launch that asks for anything else is refused.
func addFixed(item *types.Instance, row vm) {
	item.CurrentInstanceBootMode = bootModeOf(row.Traits)
	item.EnclaveOptions = &types.EnclaveOptions{Enabled: aws.Bool(false)}
	item.HibernationOptions = &types.HibernationOptions{Configured: aws.Bool(false)}
	item.NetworkPerformanceOptions = &types.InstanceNetworkPerformanceOptions{
		BandwidthWeighting: types.InstanceBandwidthWeightingDefault,
	}
	item.PlatformDetails = aws.String(platformDetails)
	item.UsageOperation = aws.String(usageOperation)
	item.UsageOperationUpdateTime = aws.Time(row.LaunchTime)
}

// The platform and the billing of all images (Amazon EC2 User Guide, "AMI billing information
// fields").
const (
	platformDetails = "Linux/UNIX"
	usageOperation  = "RunInstances"
)

// fixedFilters are the filters of DescribeInstances by what addFixed adds, and by what no instance
// has.
var fixedFilters = filters[vm]{
	"boot-mode":                  optionalField(func(row vm) string { return row.Traits.BootMode }),
	"capacity-reservation-id":    noValue[vm],
	"current-instance-boot-mode": field(func(row vm) string { return string(bootModeOf(row.Traits)) }),
	"capacity-reservation-specification.capacity-reservation-preference": field(
		func(row vm) string { return string(reservationPreference(row)) },
	),
	"enclave-options.enabled":        constant[vm]("false"),
	"hibernation-options.configured": constant[vm]("false"),
	"host-id":                        noValue[vm],
	"kernel-id":                      noValue[vm],
	"metadata-options.http-protocol-ipv4": constant[vm](
		string(types.InstanceMetadataProtocolStateEnabled),
	),
	"metadata-options.state": constant[vm](string(types.InstanceMetadataOptionsStateApplied)),
	"network-performance-options.bandwidth-weighting": constant[vm](
		string(types.InstanceBandwidthWeightingDefault),
	),
	"operator.managed":            constant[vm]("false"),
	"outpost-arn":                 noValue[vm],
	"platform-details":            constant[vm](platformDetails),
	"product-code":                noValue[vm],
	"product-code.type":           noValue[vm],
	"ramdisk-id":                  noValue[vm],
	"spot-instance-request-id":    optionalField(func(row vm) string { return row.SpotRequestID }),
	"tpm-support":                 noValue[vm],
	"usage-operation":             constant[vm](usageOperation),
	"usage-operation-update-time": field(func(row vm) string { return filterTime(row.LaunchTime) }),
}
