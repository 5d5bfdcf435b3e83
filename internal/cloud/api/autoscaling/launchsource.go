package autoscaling

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// setLaunchSource sets what the group launches its instances from: a launch
// template or a mixed instances policy, and never both. Without either, a group
// keeps the source that it has.
func (a *API) setLaunchSource(
	g *store.ScalingGroup, template *types.LaunchTemplateSpecification, mixed *types.MixedInstancesPolicy,
) error {
	switch {
	case template != nil && mixed != nil, template == nil && mixed == nil && g.Template == store.TemplateRef{}:
		return invalid("Valid requests must contain either launchTemplate, LaunchConfigurationName, InstanceId or " +
			"MixedInstancesPolicy parameter.")
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
			return fmt.Errorf("encode the mixed instances policy: %w", err)
		}
		base := policy.LaunchTemplate.LaunchTemplateSpecification
		g.Mixed = string(text)
		g.Template = store.TemplateRef{
			ID: *base.LaunchTemplateId, Name: *base.LaunchTemplateName, Version: aws.ToString(base.Version),
		}
	}
	return nil
}

// checkLaunch checks that the group can launch an instance from each of its sources.
func (a *API) checkLaunch(ctx context.Context, g *store.ScalingGroup) error {
	sources, err := scalinggroup.SourcesOf(g)
	if err != nil {
		return err
	}
	for _, source := range sources {
		if err := a.Templates.CheckLaunch(ctx, g.Region, ec2.Launch{
			Template: source.Template, Type: source.InstanceType, SubnetID: g.SubnetIDs[0], Count: 1,
		}); err != nil {
			return launchTemplateError(err)
		}
	}
	return nil
}
