package autoscaling

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// setLaunchSource writes into the row what the group launches its instances from:
// exactly one of a launch template and a mixed instances policy.
func (a *API) setLaunchSource(
	g *store.ScalingGroup,
	template *types.LaunchTemplateSpecification,
	mixed *types.MixedInstancesPolicy,
) error {
	switch {
	case template != nil && mixed != nil:
		return invalid(
			"Valid requests must contain either launchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.",
		)
	case template != nil:
		ref, err := a.resolveTemplate(g.Region, template)
		if err != nil {
			return err
		}
		g.Template, g.Mixed = ref, ""
	case mixed != nil:
		policy, err := a.completeMixedPolicy(g.Region, mixed)
		if err != nil {
			return err
		}
		text, err := json.Marshal(policy)
		if err != nil {
			return fmt.Errorf("keep the mixed instances policy: %w", err)
		}
		g.Mixed = string(text)
		base := policy.LaunchTemplate.LaunchTemplateSpecification
		g.Template = store.TemplateRef{
			ID:      *base.LaunchTemplateId,
			Name:    *base.LaunchTemplateName,
			Version: aws.ToString(base.Version),
		}
	case g.Template == store.TemplateRef{}:
		return invalid(
			"Valid requests must contain either launchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.",
		)
	}
	return nil
}

// resolveTemplate finds the launch template of a specification and gives it both its
// id and its name. The version stays as it was sent.
func (a *API) resolveTemplate(region string, s *types.LaunchTemplateSpecification) (store.TemplateRef, error) {
	id, name := aws.ToString(s.LaunchTemplateId), aws.ToString(s.LaunchTemplateName)
	if (id == "") == (name == "") {
		return store.TemplateRef{}, invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
	}
	ref := store.TemplateRef{ID: id, Name: name, Version: aws.ToString(s.Version)}
	found, err := a.Templates.ResolveTemplate(region, ref)
	if err != nil {
		return ref, launchTemplateError(err)
	}
	ref.ID, ref.Name = found.ID, found.Name
	return ref, nil
}

// launchTemplateError tells what Amazon EC2 says of a launch template.
func launchTemplateError(err error) error {
	aws, ok := errors.AsType[*wire.Error](err)
	switch {
	case !ok:
		return err
	case strings.Contains(aws.Message, "belong to different networks"):
		return invalid(
			"One or more security groups in the launch template are not linked to the VPCs configured in the Auto Scaling group",
		)
	}
	return invalid("You must use a valid fully-formed launch template. %s", aws.Message)
}

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

func (a *API) resolveSpecification(
	region string,
	s *types.LaunchTemplateSpecification,
) (*types.LaunchTemplateSpecification, error) {
	ref, err := a.resolveTemplate(region, s)
	if err != nil {
		return nil, err
	}
	return describeTemplateRef(ref), nil
}

// describeTemplateRef tells a reference: its version only where one was given.
func describeTemplateRef(ref store.TemplateRef) *types.LaunchTemplateSpecification {
	s := &types.LaunchTemplateSpecification{
		LaunchTemplateId:   aws.String(ref.ID),
		LaunchTemplateName: aws.String(ref.Name),
	}
	if ref.Version != "" {
		s.Version = aws.String(ref.Version)
	}
	return s
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
			"mixedInstancesPolicy.instancesDistribution.onDemandBaseCapacity", out.OnDemandBaseCapacity, 0, 1<<30,
		),
		model.Between("mixedInstancesPolicy.instancesDistribution.spotInstancePools", out.SpotInstancePools, 1, 20),
	)
}

// checkLaunch refuses a group that could launch no instance.
func (a *API) checkLaunch(g *store.ScalingGroup) error {
	source, err := scalinggroup.SourceOf(g)
	if err != nil {
		return err
	}
	if err := a.Templates.CheckLaunch(g.Region, ec2.Launch{
		Template: source.Template, Type: source.InstanceType, SubnetID: g.SubnetIDs[0], Count: 1,
	}); err != nil {
		return launchTemplateError(err)
	}
	return nil
}
