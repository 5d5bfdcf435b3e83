package ec2

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/wire"
)

// requirementMembers are the members of InstanceRequirements that the local cloud supports. Those
// about the prices of Spot Instances decide nothing, since it has none.
var requirementMembers = []string{
	"VCpuCount", "MemoryMiB", "MemoryGiBPerVCpu", "NetworkInterfaceCount", "NetworkBandwidthGbps",
	"BaselineEbsBandwidthMbps", "AcceleratorCount", "AcceleratorTotalMemoryMiB", "AcceleratorTypes",
	"AcceleratorNames", "AcceleratorManufacturers", "TotalLocalStorageGB", "LocalStorage", "LocalStorageTypes",
	"CpuManufacturers", "InstanceGenerations", "AllowedInstanceTypes", "ExcludedInstanceTypes", "BareMetal",
	"BurstablePerformance", "RequireHibernateSupport", "RequireEncryptionInTransit",
	"SpotMaxPricePercentageOverLowestPrice", "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice",
}

// noPriceProtection is the value of OnDemandMaxPricePercentageOverLowestPrice that turns the
// protection off (Amazon EC2 API Reference, InstanceRequirementsRequest).
const noPriceProtection = 999999

// parseRequirements returns the requirements of a request. It refuses limits of prices, which the
// local cloud does not know.
func parseRequirements(in *types.InstanceRequirementsRequest) (instancetype.Requirements, error) {
	checked := *in
	if aws.ToInt32(in.OnDemandMaxPricePercentageOverLowestPrice) >= noPriceProtection {
		checked.OnDemandMaxPricePercentageOverLowestPrice = nil
	}
	if err := supportOnly(&checked, requirementMembers...); err != nil {
		return instancetype.Requirements{}, err
	}
	q, err := instancetype.ParseRequirements(in)
	if err != nil {
		return q, wire.Errorf("InvalidParameterValue", "%s%s.", strings.ToUpper(err.Error()[:1]), err.Error()[1:])
	}
	return q, nil
}

// checkTypesQuestion refuses a request for instance types that is incomplete or that the local cloud
// cannot answer.
func checkTypesQuestion(in *ec2.GetInstanceTypesFromInstanceRequirementsInput) error {
	switch {
	case len(in.ArchitectureTypes) == 0:
		return missingParameter("ArchitectureTypes")
	case len(in.VirtualizationTypes) == 0:
		return missingParameter("VirtualizationTypes")
	case in.InstanceRequirements == nil:
		return missingParameter("InstanceRequirements")
	}
	if err := unsupported(map[string]bool{"context": in.Context != nil}); err != nil {
		return err
	}
	for _, architecture := range in.ArchitectureTypes {
		if err := checkEnum("architectureType", architecture); err != nil {
			return err
		}
	}
	for _, kind := range in.VirtualizationTypes {
		if err := checkEnum("virtualizationType", kind); err != nil {
			return err
		}
	}
	return nil
}

// GetInstanceTypesFromInstanceRequirements lists the instance types with the attributes that a
// request requires.
func (a *API) GetInstanceTypesFromInstanceRequirements(
	ctx context.Context, in *ec2.GetInstanceTypesFromInstanceRequirementsInput,
) (*ec2.GetInstanceTypesFromInstanceRequirementsOutput, error) {
	if err := checkTypesQuestion(in); err != nil {
		return nil, err
	}
	q, err := parseRequirements(in.InstanceRequirements)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("", false); err != nil {
		return nil, err
	}
	if _, _, err := a.read(ctx, in.DryRun); err != nil {
		return nil, err
	}
	var names []string
	for _, architecture := range in.ArchitectureTypes {
		if slices.Contains(in.VirtualizationTypes, types.VirtualizationTypeHvm) {
			for _, t := range q.Matching(instancetype.Architecture(architecture)) {
				names = append(names, t.Name)
			}
		}
	}
	slices.Sort(names)
	names, next, err := paginate(pages, slices.Compact(names), func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	return &ec2.GetInstanceTypesFromInstanceRequirementsOutput{
		NextToken: next,
		InstanceTypes: list(names, func(name string) types.InstanceTypeInfoFromInstanceRequirements {
			return types.InstanceTypeInfoFromInstanceRequirements{InstanceType: &name}
		}),
	}, nil
}

// checkChoice refuses requirements that no type can meet or that the local cloud does not support,
// and those of a request that names a type as well.
func checkChoice(named types.InstanceType, required *types.InstanceRequirementsRequest) error {
	switch {
	case required == nil:
		return nil
	case named != "":
		return wire.Errorf("InvalidParameterCombination",
			"The parameter InstanceRequirements cannot be used with the parameter InstanceType")
	}
	_, err := parseRequirements(required)
	return err
}

// requirementsItem describes the requirements of a request.
func requirementsItem(in *types.InstanceRequirementsRequest) *types.InstanceRequirements {
	if in == nil {
		return nil
	}
	item := &types.InstanceRequirements{}
	text, err := json.Marshal(in) // the two types have the same members
	if err != nil || json.Unmarshal(text, item) != nil {
		return nil
	}
	return item
}

// checkNamesType refuses the launch of a template that leaves the choice of the type to its
// requirements, unless the request names a type: fleets and Auto Scaling groups choose (Amazon EC2
// API Reference, RequestLaunchTemplateData).
func checkNamesType(data *types.RequestLaunchTemplateData, in *ec2.RunInstancesInput) error {
	if data.InstanceRequirements == nil || in.InstanceType != "" {
		return nil
	}
	return wire.Errorf("InvalidParameterCombination",
		"A launch template with InstanceRequirements cannot be used to run instances without an InstanceType")
}
