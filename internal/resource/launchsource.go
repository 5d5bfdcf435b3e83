package resource

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/stack"
)

// launchSource is what an Auto Scaling group launches, or what a refresh brings its
// instances to: a version of a launch template, with the template's instance type or
// with several in order of preference.
type launchSource struct {
	version string   // "lt-…/3"
	types   []string // of a mixed instances policy; empty: the template's
	other   string   // what else a mixed instances policy asks for that Aloft never does; "" if nothing
}

// onDemand is the allocation strategy that launches types in their order.
const onDemand = "prioritized"

// newLaunchSource returns the source that a stack describes.
func (p *Provisioner) newLaunchSource(body stack.ScalingGroup) launchSource {
	s := launchSource{version: *p.id(body.Template)}
	if len(body.Types) > 1 {
		s.types = body.Types
	}
	return s
}

// launchSourceOf returns the source in an API's answer. One of the two is nil.
func launchSourceOf(template *types.LaunchTemplateSpecification, mixed *types.MixedInstancesPolicy) launchSource {
	if mixed == nil || mixed.LaunchTemplate == nil {
		if template == nil {
			return launchSource{}
		}
		return launchSource{version: specificationID(template)}
	}
	var s launchSource
	if base := mixed.LaunchTemplate.LaunchTemplateSpecification; base != nil {
		s.version = specificationID(base)
	}
	for _, o := range mixed.LaunchTemplate.Overrides {
		s.types = append(s.types, aws.ToString(o.InstanceType))
		if o.LaunchTemplateSpecification != nil || o.WeightedCapacity != nil || o.InstanceRequirements != nil {
			s.other = "with other overrides"
		}
	}
	if d := mixed.InstancesDistribution; d != nil {
		share, strategy := d.OnDemandPercentageAboveBaseCapacity, aws.ToString(d.OnDemandAllocationStrategy)
		switch {
		case share != nil && *share < 100:
			s.other = fmt.Sprintf("with %d %% Spot Instances", 100-*share)
		case strategy != "" && strategy != onDemand:
			s.other = "by " + strategy
		}
	}
	return s
}

func (s launchSource) equal(other launchSource) bool {
	return s.version == other.version && slices.Equal(s.types, other.types) && s.other == other.other
}

// description describes the types for plans.
func (s launchSource) description() string {
	text := stack.TypesOfGroup(s.types)
	if s.other != "" {
		text += ", " + s.other
	}
	return text
}

// template returns the launch template of a group without a mixed instances policy, and
// otherwise nil.
func (s launchSource) template() *types.LaunchTemplateSpecification {
	if len(s.types) > 0 {
		return nil
	}
	return launchTemplateSpecification(s.version)
}

// mixed returns the mixed instances policy, or nil if the template's type is the only
// one. All instances are on demand, of the first type that has capacity (Amazon EC2 Auto
// Scaling User Guide, "Allocation strategies for multiple instance types").
func (s launchSource) mixed() *types.MixedInstancesPolicy {
	if len(s.types) == 0 {
		return nil
	}
	var overrides []types.LaunchTemplateOverrides
	for _, t := range s.types {
		overrides = append(overrides, types.LaunchTemplateOverrides{InstanceType: aws.String(t)})
	}
	return &types.MixedInstancesPolicy{
		LaunchTemplate: &types.LaunchTemplate{
			LaunchTemplateSpecification: launchTemplateSpecification(s.version), Overrides: overrides,
		},
		InstancesDistribution: &types.InstancesDistribution{
			OnDemandAllocationStrategy:          aws.String(onDemand),
			OnDemandBaseCapacity:                aws.Int32(0),
			OnDemandPercentageAboveBaseCapacity: aws.Int32(100),
		},
	}
}
