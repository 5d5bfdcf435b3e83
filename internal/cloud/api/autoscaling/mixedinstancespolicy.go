package autoscaling

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxOverrides is the largest number of overrides (Amazon EC2 Auto Scaling User Guide,
// "Setup overview for creating a mixed instances group": up to 40 instance types).
const maxOverrides = 40

// completeMixedPolicy returns a mixed instances policy with AWS's defaults. The local
// cloud has no prices, so all instances are of the first override that has capacity.
func (a *API) completeMixedPolicy(
	region identity.Region, in *types.MixedInstancesPolicy,
) (*types.MixedInstancesPolicy, error) {
	if in.LaunchTemplate == nil || in.LaunchTemplate.LaunchTemplateSpecification == nil {
		return nil, invalid("A mixed instances policy must contain a launch template specification")
	}
	if n := len(in.LaunchTemplate.Overrides); n > maxOverrides {
		return nil, invalid("The number of overrides in a mixed instances policy is limited to %d, but %d were given",
			maxOverrides, n)
	}
	base, err := a.resolveSpecification(region, in.LaunchTemplate.LaunchTemplateSpecification)
	if err != nil {
		return nil, err
	}
	if err := checkWeights(in.LaunchTemplate.Overrides); err != nil {
		return nil, err
	}
	overrides := []types.LaunchTemplateOverrides{}
	for _, o := range in.LaunchTemplate.Overrides {
		override, err := a.completeOverride(region, o)
		if err != nil {
			return nil, err
		}
		overrides = append(overrides, override)
	}
	byRequirements := slices.ContainsFunc(overrides, func(o types.LaunchTemplateOverrides) bool {
		return o.InstanceRequirements != nil
	})
	distribution, err := completeDistribution(in.InstancesDistribution, byRequirements)
	if err == nil && *distribution.OnDemandAllocationStrategy == "lowest-price" && len(overrides) > 1 &&
		!byRequirements {
		err = wire.NotImplemented("the choice of instance types by price (OnDemandAllocationStrategy lowest-price)")
	}
	return &types.MixedInstancesPolicy{
		LaunchTemplate:        &types.LaunchTemplate{LaunchTemplateSpecification: base, Overrides: overrides},
		InstancesDistribution: distribution,
	}, err
}

// maxWeight is the largest weight (Amazon EC2 Auto Scaling API Reference,
// LaunchTemplateOverrides).
const maxWeight = 999

// checkWeights refuses weights that instances cannot have, and overrides some of which have
// weights. An instance has the weight of its type.
func checkWeights(overrides []types.LaunchTemplateOverrides) error {
	weights := map[string]int{}
	for _, o := range overrides {
		if (o.WeightedCapacity == nil) != (overrides[0].WeightedCapacity == nil) {
			return invalid("WeightedCapacity must be specified for all of the overrides or for none of them")
		}
		if o.WeightedCapacity == nil {
			continue
		}
		n, err := strconv.Atoi(*o.WeightedCapacity)
		if err != nil || n < 1 || n > maxWeight {
			return invalid("Invalid WeightedCapacity: %s. The value must be between 1 and %d",
				*o.WeightedCapacity, maxWeight)
		}
		switch other := weights[aws.ToString(o.InstanceType)]; {
		case o.InstanceType == nil:
			return invalid("WeightedCapacity can only be specified for an override with an InstanceType")
		case other != 0 && other != n:
			return invalid("The instance type %s has more than one WeightedCapacity", *o.InstanceType)
		}
		weights[*o.InstanceType] = n
	}
	return nil
}

func (a *API) completeOverride(
	region identity.Region, o types.LaunchTemplateOverrides,
) (types.LaunchTemplateOverrides, error) {
	out := types.LaunchTemplateOverrides{
		InstanceType: o.InstanceType, WeightedCapacity: o.WeightedCapacity,
		InstanceRequirements: o.InstanceRequirements,
	}
	if err := checkRequirements(o); err != nil {
		return out, err
	}
	switch {
	case o.ImageId != nil:
		return out, wire.NotImplemented("images of overrides (ImageId)")
	case o.LaunchTemplateSpecification == nil:
		return out, nil
	}
	var err error
	out.LaunchTemplateSpecification, err = a.resolveSpecification(region, o.LaunchTemplateSpecification)
	return out, err
}

// noPriceProtection is the value of OnDemandMaxPricePercentageOverLowestPrice that turns the
// protection off (Amazon EC2 Auto Scaling API Reference, InstanceRequirements).
const noPriceProtection = 999999

// checkRequirements refuses requirements that no type can meet, or that limit prices, which the
// local cloud does not know.
func checkRequirements(o types.LaunchTemplateOverrides) error {
	q := o.InstanceRequirements
	switch {
	case q == nil:
		return nil
	case o.InstanceType != nil:
		return invalid("An override cannot specify both InstanceType and InstanceRequirements")
	case q.OnDemandMaxPricePercentageOverLowestPrice != nil &&
		*q.OnDemandMaxPricePercentageOverLowestPrice < noPriceProtection:
		return wire.NotImplemented("a limit of prices (OnDemandMaxPricePercentageOverLowestPrice)")
	case q.BaselinePerformanceFactors != nil:
		return wire.NotImplemented("baseline performance factors (BaselinePerformanceFactors)")
	}
	if _, err := instancetype.ParseRequirements(q); err != nil {
		return invalid("%s", err)
	}
	return nil
}

// completeDistribution returns an instances distribution with AWS's defaults
// (Amazon EC2 Auto Scaling API Reference, InstancesDistribution). With requirements, types come by
// price, which the local cloud does not know: the smallest first.
func completeDistribution(
	in *types.InstancesDistribution, byRequirements bool,
) (*types.InstancesDistribution, error) {
	out := types.InstancesDistribution{}
	if in != nil {
		out = *in
	}
	if len(out.DistributionSegments) > 0 {
		return nil, wire.NotImplemented("distribution segments (DistributionSegments)")
	}
	usual := "prioritized"
	if byRequirements {
		usual = "lowest-price"
	}
	out.OnDemandAllocationStrategy = new(constraint.Default(out.OnDemandAllocationStrategy, usual))
	if byRequirements && *out.OnDemandAllocationStrategy != usual {
		return nil, invalid("The OnDemandAllocationStrategy %s cannot be used with InstanceRequirements",
			*out.OnDemandAllocationStrategy)
	}
	out.OnDemandBaseCapacity = new(aws.ToInt32(out.OnDemandBaseCapacity))
	out.OnDemandPercentageAboveBaseCapacity = new(constraint.Default(out.OnDemandPercentageAboveBaseCapacity, 100))
	out.SpotAllocationStrategy = new(constraint.Default(out.SpotAllocationStrategy, "lowest-price"))
	if *out.SpotAllocationStrategy == "lowest-price" {
		out.SpotInstancePools = new(constraint.Default(out.SpotInstancePools, 2))
	}
	switch {
	case !slices.Contains([]string{"prioritized", "lowest-price"}, *out.OnDemandAllocationStrategy):
		return nil, invalid("Invalid OnDemandAllocationStrategy: %s", *out.OnDemandAllocationStrategy)
	case !slices.Contains([]string{
		"lowest-price", "capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized",
	}, *out.SpotAllocationStrategy):
		return nil, invalid("Invalid SpotAllocationStrategy: %s", *out.SpotAllocationStrategy)
	}
	const member = "mixedInstancesPolicy.instancesDistribution."
	if err := cmp.Or(
		model.Between(member+"onDemandPercentageAboveBaseCapacity", out.OnDemandPercentageAboveBaseCapacity, 0, 100),
		model.Between(member+"onDemandBaseCapacity", out.OnDemandBaseCapacity, 0, maxCapacity),
		model.Between(member+"spotInstancePools", out.SpotInstancePools, 1, 20),
	); err != nil {
		return nil, err
	}
	return &out, nil
}
