package ec2

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// typeFilters are the filters of DescribeInstanceTypes. Each is by the member of the description
// that has its name.
var typeFilters = func() filters[types.InstanceTypeInfo] {
	f := filters[types.InstanceTypeInfo]{}
	for _, name := range strings.Fields(`
		auto-recovery-supported bare-metal burstable-performance-supported current-generation
		dedicated-hosts-supported ebs-info.attachment-limit-type
		ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps ebs-info.ebs-optimized-info.baseline-iops
		ebs-info.ebs-optimized-info.baseline-throughput-in-mbps
		ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps ebs-info.ebs-optimized-info.maximum-iops
		ebs-info.ebs-optimized-info.maximum-throughput-in-mbps ebs-info.ebs-optimized-support
		ebs-info.encryption-support ebs-info.maximum-ebs-attachments ebs-info.nvme-support
		free-tier-eligible hibernation-supported hypervisor instance-storage-info.disk.count
		instance-storage-info.disk.size-in-gb instance-storage-info.disk.type
		instance-storage-info.encryption-support instance-storage-info.nvme-support
		instance-storage-info.total-size-in-gb instance-storage-supported instance-type
		memory-info.size-in-mib network-info.bandwidth-weightings
		network-info.efa-info.maximum-efa-interfaces network-info.efa-supported network-info.ena-support
		network-info.encryption-in-transit-supported network-info.flexible-ena-queues-support
		network-info.ipv4-addresses-per-interface network-info.ipv6-addresses-per-interface
		network-info.ipv6-supported network-info.maximum-network-cards
		network-info.maximum-network-interfaces network-info.network-performance
		nitro-enclaves-support nitro-tpm-info.supported-versions nitro-tpm-support
		processor-info.supported-architecture processor-info.supported-features
		processor-info.sustained-clock-speed-in-ghz reboot-migration-support supported-boot-mode
		supported-root-device-type supported-usage-class supported-virtualization-type
		vcpu-info.default-cores vcpu-info.default-threads-per-core vcpu-info.default-vcpus
		vcpu-info.valid-cores vcpu-info.valid-threads-per-core`) {
		f[name] = member[types.InstanceTypeInfo](name)
	}
	return f
}()

func isCurrent(t instancetype.Type) bool { return !t.PreviousGeneration }

// DescribeInstanceTypes lists the instance types of the local cloud's catalogue.
func (a *API) DescribeInstanceTypes(
	ctx context.Context, in *ec2.DescribeInstanceTypesInput,
) (*ec2.DescribeInstanceTypesOutput, error) {
	view, _, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("instanceTypes", len(in.InstanceTypes) > 0); err != nil {
		return nil, err
	}
	if err := typeFilters.check(in.Filters); err != nil {
		return nil, err
	}
	offered := instancetype.All()
	if len(in.InstanceTypes) > 0 {
		if offered, err = typesNamed(in.InstanceTypes); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(offered, func(x, y instancetype.Type) int { return strings.Compare(x.Name, y.Name) })
	found := []types.InstanceTypeInfo{}
	sameName := func(x, y instancetype.Type) bool { return x.Name == y.Name }
	for _, t := range slices.CompactFunc(offered, sameName) {
		if item := typeItem(&t); typeFilters.match(view, item, store.Tags{}, in.Filters) {
			found = append(found, item)
		}
	}
	found, next, err := paginate(pages, found, func(t types.InstanceTypeInfo) string { return string(t.InstanceType) })
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeInstanceTypesOutput{InstanceTypes: found, NextToken: next}, nil
}

// typesNamed returns the instance types with the names.
func typesNamed(names []types.InstanceType) ([]instancetype.Type, error) {
	var named []instancetype.Type
	var unknown []string
	for _, name := range names {
		if t, ok := instancetype.ByName(string(name)); ok {
			named = append(named, t)
		} else {
			unknown = append(unknown, string(name))
		}
	}
	if len(unknown) > 0 {
		return nil, wire.Errorf(
			"InvalidInstanceType",
			"The following supplied instance types do not exist: [%s]", strings.Join(unknown, ", "),
		)
	}
	return named, nil
}

// placementStrategies returns how placement groups may arrange a type's instances on AWS.
func placementStrategies(t *instancetype.Type) []types.PlacementGroupStrategy {
	strategies := []types.PlacementGroupStrategy{
		types.PlacementGroupStrategyPartition, types.PlacementGroupStrategySpread,
	}
	if t.ClusterPlacement {
		strategies = append(strategies, types.PlacementGroupStrategyCluster)
	}
	return strategies
}

// typeItem describes a type. What the local cloud cannot do is not supported, whatever AWS can.
func typeItem(t *instancetype.Type) types.InstanceTypeInfo {
	return types.InstanceTypeInfo{
		InstanceType:                  types.InstanceType(t.Name),
		CurrentGeneration:             aws.Bool(isCurrent(*t)),
		FreeTierEligible:              aws.Bool(t.FreeTier),
		BareMetal:                     aws.Bool(false),
		Hypervisor:                    types.InstanceTypeHypervisor(t.Hypervisor),
		BurstablePerformanceSupported: aws.Bool(t.Burstable),
		InstanceStorageSupported:      aws.Bool(false),
		SupportedUsageClasses:         []types.UsageClassType{types.UsageClassTypeOnDemand},
		SupportedRootDeviceTypes:      []types.RootDeviceType{types.RootDeviceTypeEbs},
		SupportedVirtualizationTypes:  []types.VirtualizationType{types.VirtualizationTypeHvm},
		ProcessorInfo: &types.ProcessorInfo{
			SupportedArchitectures: []types.ArchitectureType{types.ArchitectureType(t.Architecture)},
			Manufacturer:           aws.String(t.Manufacturer),

			SustainedClockSpeedInGhz: optionalNumber(t.ClockGHz),
		},
		VCpuInfo: &types.VCpuInfo{
			DefaultVCpus:          aws.Int32(int32(t.VCPUs)),
			DefaultCores:          aws.Int32(int32(t.Cores)),
			DefaultThreadsPerCore: aws.Int32(int32(t.VCPUs / t.Cores)),
			ValidCores:            list(t.ValidCores, func(n int) int32 { return int32(n) }),
			ValidThreadsPerCore:   list(t.ValidThreads, func(n int) int32 { return int32(n) }),
		},
		MemoryInfo:         &types.MemoryInfo{SizeInMiB: aws.Int64(int64(t.MemoryMiB))},
		PlacementGroupInfo: &types.PlacementGroupInfo{SupportedStrategies: placementStrategies(t)},
		EbsInfo: &types.EbsInfo{
			EbsOptimizedSupport: types.EbsOptimizedSupport(t.EBSOptimized),
			EbsOptimizedInfo:    ebsOptimizedInfo(t.EBS),
			EncryptionSupport:   types.EbsEncryptionSupportSupported,
			NvmeSupport:         types.EbsNvmeSupportUnsupported,
		},
		AutoRecoverySupported:   aws.Bool(false),
		DedicatedHostsSupported: aws.Bool(false),
		HibernationSupported:    aws.Bool(false),
		NitroEnclavesSupport:    types.NitroEnclavesSupportUnsupported,
		NitroTpmSupport:         types.NitroTpmSupportUnsupported,
		SupportedBootModes:      []types.BootModeType{types.BootModeTypeLegacyBios},
		NetworkInfo: &types.NetworkInfo{
			NetworkPerformance:       aws.String(t.Network),
			MaximumNetworkInterfaces: aws.Int32(int32(t.Interfaces)),
			MaximumNetworkCards:      aws.Int32(1),
			DefaultNetworkCardIndex:  aws.Int32(0),
			NetworkCards: []types.NetworkCardInfo{{
				NetworkCardIndex:         aws.Int32(0),
				NetworkPerformance:       aws.String(t.Network),
				MaximumNetworkInterfaces: aws.Int32(int32(t.Interfaces)),
				BaselineBandwidthInGbps:  aws.Float64(float64(t.BaselineMbps) / 1000),
				PeakBandwidthInGbps:      aws.Float64(float64(t.PeakMbps) / 1000),
			}},
			Ipv4AddressesPerInterface:    aws.Int32(int32(t.AddressesEach)),
			EnaSupport:                   types.EnaSupport(t.ENASupport),
			Ipv6AddressesPerInterface:    aws.Int32(int32(t.AddressesEach)),
			EfaSupported:                 aws.Bool(false),
			EncryptionInTransitSupported: aws.Bool(false),
			Ipv6Supported:                aws.Bool(true),
		},
	}
}

func ebsOptimizedInfo(rate instancetype.EBSRate) *types.EbsOptimizedInfo {
	if rate.PeakMbps == 0 {
		return nil
	}
	return &types.EbsOptimizedInfo{
		BaselineBandwidthInMbps:  aws.Int32(int32(rate.BaselineMbps)),
		BaselineIops:             aws.Int32(int32(rate.BaselineIOPS)),
		BaselineThroughputInMBps: aws.Float64(float64(rate.BaselineMbps) / 8),
		MaximumBandwidthInMbps:   aws.Int32(int32(rate.PeakMbps)),
		MaximumIops:              aws.Int32(int32(rate.PeakIOPS)),
		MaximumThroughputInMBps:  aws.Float64(float64(rate.PeakMbps) / 8),
	}
}
