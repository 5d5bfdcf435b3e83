package autoscaling

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// launchSource is what a request names to launch instances from.
type launchSource struct {
	template      *types.LaunchTemplateSpecification
	mixed         *types.MixedInstancesPolicy
	configuration *string // name of a launch configuration
	instance      *string // id of an instance, for a launch configuration with the group's name
}

// count returns how many of the sources are given.
func (s launchSource) count() (n int) {
	for _, given := range []bool{s.template != nil, s.mixed != nil, s.configuration != nil, s.instance != nil} {
		if given {
			n++
		}
	}
	return n
}

// setLaunchSource sets what the group launches its instances from: a launch
// template, a launch configuration or a mixed instances policy, and never several. Without
// any, a group keeps the source that it has.
func (a *API) setLaunchSource(r store.Reader, g *store.ScalingGroup, s launchSource) error {
	switch n := s.count(); {
	case n > 1, n == 0 && g.Template == store.TemplateRef{} && g.Configuration == "":
		return invalid("Valid requests must contain either launchTemplate, LaunchConfigurationName, InstanceId or " +
			"MixedInstancesPolicy parameter.")
	case s.instance != nil:
		g.Template, g.Mixed, g.Configuration = store.TemplateRef{}, "", g.Name
	case s.configuration != nil:
		row, ok := store.LaunchConfigurations.Get(r, g.Region.Key(*s.configuration))
		if !ok {
			return configurationNotFound(*s.configuration)
		}
		g.Template, g.Mixed, g.Configuration = store.TemplateRef{}, "", row.Name
	case s.template != nil:
		ref, err := a.resolveTemplate(g.Region, s.template)
		if err != nil {
			return err
		}
		g.Template, g.Mixed, g.Configuration = ref, "", ""
	case s.mixed != nil:
		policy, err := a.completeMixedPolicy(g.Region, s.mixed)
		if err != nil {
			return err
		}
		if err := checkMarket(r, g, policy); err != nil {
			return err
		}
		text, err := json.Marshal(policy)
		if err != nil {
			return fmt.Errorf("encode the mixed instances policy: %w", err)
		}
		base := policy.LaunchTemplate.LaunchTemplateSpecification
		g.Mixed, g.Configuration = string(text), ""
		g.Template = store.TemplateRef{
			ID: *base.LaunchTemplateId, Name: *base.LaunchTemplateName, Version: aws.ToString(base.Version),
		}
	}
	return nil
}

// setCapacityType sets what the group's desired capacity counts. Other units than instances need
// a policy with instance requirements (Amazon EC2 Auto Scaling API Reference,
// CreateAutoScalingGroup: DesiredCapacityType).
func setCapacityType(r store.Reader, g *store.ScalingGroup, unit *string) error {
	setIfGiven(&g.DesiredType, unit)
	switch g.DesiredType {
	case "", "units":
		return nil
	case "vcpu", "memory-mib":
	default:
		return invalid("Invalid DesiredCapacityType: %s. Valid values are units, vcpu and memory-mib", g.DesiredType)
	}
	sources, err := scalinggroup.SourcesOf(r, g)
	if err != nil {
		return nil // checkLaunch says why
	}
	if slices.ContainsFunc(sources, func(s scalinggroup.Source) bool { return !s.Chosen }) {
		return invalid("The DesiredCapacityType %s can only be specified for a group with instance requirements",
			g.DesiredType)
	}
	return nil
}

// checkMarket refuses a mixed instances policy with a launch template that requests Spot Instances.
func checkMarket(r store.Reader, g *store.ScalingGroup, policy *types.MixedInstancesPolicy) error {
	specs := []*types.LaunchTemplateSpecification{policy.LaunchTemplate.LaunchTemplateSpecification}
	for _, o := range policy.LaunchTemplate.Overrides {
		if o.LaunchTemplateSpecification != nil {
			specs = append(specs, o.LaunchTemplateSpecification)
		}
	}
	for _, s := range specs {
		ref := store.TemplateRef{
			ID: aws.ToString(s.LaunchTemplateId), Name: aws.ToString(s.LaunchTemplateName),
			Version: aws.ToString(s.Version),
		}
		if scalinggroup.RequestsSpot(r, g, ref) {
			return invalid("Incompatible launch template: You cannot use a launch template that is set to request " +
				"Spot Instances (InstanceMarketOptions) when you configure an Auto Scaling group with a mixed " +
				"instances policy. Add a different launch template to the group and try again.")
		}
	}
	return nil
}

// checkLaunch checks that the group can launch an instance from each of its sources. created is the
// launch configuration that is created with the group; nil: none is.
func (a *API) checkLaunch(ctx context.Context, g *store.ScalingGroup, created *store.LaunchConfiguration) error {
	sources, err := scalinggroup.SourcesOf(a.Store.View(), g)
	if err != nil {
		return invalid("%s", err)
	}
	sources = scalinggroup.PurchasesOf(g).Variants(sources)
	for i, source := range sources {
		if source.Chosen && i > 0 && sources[i-1].Chosen && sources[i-1].Template == source.Template &&
			sources[i-1].Spot == source.Spot {
			continue // it differs in its type alone, which meets the requirements
		}
		launch, err := launchFrom(a.Store.View(), g, source, created)
		if err != nil {
			return err
		}
		launch.SubnetID, launch.Count = g.SubnetIDs[0], 1
		switch err := a.Templates.CheckLaunch(ctx, g.Region, launch); {
		case err != nil && source.Configuration != "":
			return configurationError(err)
		case err != nil:
			return launchTemplateError(err)
		}
	}
	return nil
}

// launchFrom returns a launch from a source of the group. created is the source's launch
// configuration if it is not in the store yet.
func launchFrom(
	r store.Reader, g *store.ScalingGroup, source scalinggroup.Source, created *store.LaunchConfiguration,
) (ec2.Launch, error) {
	launch := ec2.Launch{
		Template: source.Template, Type: source.InstanceType, PlacementGroup: g.PlacementGroup,
		Spot: source.Spot, MaxPrice: source.MaxPrice,
	}
	if source.Configuration == "" {
		return launch, nil
	}
	row := created
	if row == nil {
		var ok bool
		if row, ok = store.LaunchConfigurations.Get(r, g.Region.Key(source.Configuration)); !ok {
			return ec2.Launch{}, configurationNotFound(source.Configuration)
		}
	}
	described, err := describeConfiguration(row)
	if err != nil {
		return ec2.Launch{}, err
	}
	launch.Base = configuredLaunch(described)
	return launch, nil
}
