package ec2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var typeFilters = filters[instancetype.Type]{
	"instance-type":                         field(func(t instancetype.Type) string { return t.Name }),
	"hypervisor":                            field(func(t instancetype.Type) string { return t.Hypervisor }),
	"current-generation":                    booleanField(isCurrent),
	"supported-virtualization-type":         constant[instancetype.Type]("hvm"),
	"supported-root-device-type":            constant[instancetype.Type]("ebs"),
	"supported-usage-class":                 constant[instancetype.Type]("on-demand"),
	"processor-info.supported-architecture": field(func(t instancetype.Type) string { return string(t.Architecture) }),
	"bare-metal":                            constant[instancetype.Type]("false"),
	"instance-storage-supported":            constant[instancetype.Type]("false"),
	"burstable-performance-supported":       booleanField(func(t instancetype.Type) bool { return t.Burstable }),
	"free-tier-eligible":                    booleanField(func(t instancetype.Type) bool { return t.FreeTier }),
	"vcpu-info.default-vcpus":               field(func(t instancetype.Type) string { return strconv.Itoa(t.VCPUs) }),
	"memory-info.size-in-mib": field(func(t instancetype.Type) string {
		return strconv.Itoa(t.MemoryMiB)
	}),
	"network-info.ena-support": field(func(t instancetype.Type) string { return t.ENASupport }),
}

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
	offered = slices.Compact(offered)
	var found []*instancetype.Type
	for i := range offered {
		if typeFilters.match(view, offered[i], store.Tags{}, in.Filters) {
			found = append(found, &offered[i])
		}
	}
	found, next, err := paginate(pages, found, func(t *instancetype.Type) string { return t.Name })
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeInstanceTypesOutput{InstanceTypes: list(found, typeItem), NextToken: next}, nil
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
		},
		VCpuInfo: &types.VCpuInfo{
			DefaultVCpus:          aws.Int32(int32(t.VCPUs)),
			DefaultCores:          aws.Int32(int32(t.Cores)),
			DefaultThreadsPerCore: aws.Int32(int32(t.VCPUs / t.Cores)),
		},
		MemoryInfo:         &types.MemoryInfo{SizeInMiB: aws.Int64(int64(t.MemoryMiB))},
		PlacementGroupInfo: &types.PlacementGroupInfo{SupportedStrategies: placementStrategies(t)},
		EbsInfo: &types.EbsInfo{
			EbsOptimizedSupport: types.EbsOptimizedSupport(t.EBSOptimized),
			EncryptionSupport:   types.EbsEncryptionSupportUnsupported,
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
			Ipv4AddressesPerInterface: aws.Int32(int32(t.AddressesEach)),
			EnaSupport:                types.EnaSupport(t.ENASupport),
			EfaSupported:              aws.Bool(false),
			Ipv6Supported:             aws.Bool(true),
		},
	}
}
