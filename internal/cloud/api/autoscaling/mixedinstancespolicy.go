package autoscaling

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/wire"
)

// completeMixedPolicy is a mixed instances policy with AWS's defaults filled in. There
// are no Spot instances here: how many of them are wished for is kept and told,
// and all instances are On-Demand, of the first override's type.
func (a *API) completeMixedPolicy(region string, in *types.MixedInstancesPolicy) (*types.MixedInstancesPolicy, error) {
	if in.LaunchTemplate == nil || in.LaunchTemplate.LaunchTemplateSpecification == nil {
		return nil, invalid("A mixed instances policy must contain a launch template specification")
	}
	base, err := a.resolveSpecification(region, in.LaunchTemplate.LaunchTemplateSpecification)
	if err != nil {
		return nil, err
	}
	out := &types.MixedInstancesPolicy{
		LaunchTemplate: &types.LaunchTemplate{
			LaunchTemplateSpecification: base,
			Overrides:                   []types.LaunchTemplateOverrides{},
		},
	}
	for _, o := range in.LaunchTemplate.Overrides {
		switch {
		case o.InstanceRequirements != nil:
			return nil, wire.NotImplemented("attribute-based instance type selection (InstanceRequirements)")
		case o.WeightedCapacity != nil:
			return nil, wire.NotImplemented("instance weights (WeightedCapacity)")
		case o.ImageId != nil:
			return nil, wire.NotImplemented("images of overrides (ImageId)")
		}
		kept := types.LaunchTemplateOverrides{InstanceType: o.InstanceType}
		if o.LaunchTemplateSpecification != nil {
			if kept.LaunchTemplateSpecification, err = a.resolveSpecification(
				region, o.LaunchTemplateSpecification,
			); err != nil {
				return nil, err
			}
		}
		out.LaunchTemplate.Overrides = append(out.LaunchTemplate.Overrides, kept)
	}
	out.InstancesDistribution, err = completeDistribution(in.InstancesDistribution)
	return out, err
}

// completeDistribution fills in the defaults of an instances distribution.
func completeDistribution(in *types.InstancesDistribution) (*types.InstancesDistribution, error) {
	out := types.InstancesDistribution{}
	if in != nil {
		out = *in
	}
	if len(out.DistributionSegments) > 0 {
		return nil, wire.NotImplemented("distribution segments (DistributionSegments)")
	}
	out.OnDemandAllocationStrategy = new(constraint.Default(out.OnDemandAllocationStrategy, "prioritized"))
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
	return &out, cmp.Or(
		model.Between(
			"mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity",
			out.OnDemandPercentageAboveBaseCapacity,
			0,
			100,
		),
		model.Between(
			"mixedInstancesPolicy.instancesDistribution.onDemandBaseCapacity", out.OnDemandBaseCapacity, 0, maxCapacity,
		),
		model.Between("mixedInstancesPolicy.instancesDistribution.spotInstancePools", out.SpotInstancePools, 1, 20),
	)
}
