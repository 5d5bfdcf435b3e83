package blueprint

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// LaunchTemplate is a launch template. AWS is its newest version.
type LaunchTemplate struct {
	Item[ec2types.LaunchTemplateVersion]
	TemplateID string
}

// ScalingGroup is an Auto Scaling group. The Tags of its item are those of AWS.
type ScalingGroup struct {
	Item[types.AutoScalingGroup]
	Policies  []types.ScalingPolicy // that track a metric
	Schedules []types.ScheduledUpdateGroupAction
}

// scaling reads the launch template, the Auto Scaling group, its policy and its schedules.
func (r *reader) scaling(ctx context.Context) error {
	api := r.source.Client.EC2
	templates, err := each(r, stack.KindLaunchTemplate,
		func(f plan.Found) (ec2types.LaunchTemplateVersion, map[string]string, error) {
			id, _, _ := strings.Cut(f.ID, "/")
			t, err := only(func(o *ec2.DescribeLaunchTemplatesOutput) []ec2types.LaunchTemplate {
				return o.LaunchTemplates
			})(api.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{id}}))
			if err != nil {
				return ec2types.LaunchTemplateVersion{}, nil, err
			}
			v, err := only(func(o *ec2.DescribeLaunchTemplateVersionsOutput) []ec2types.LaunchTemplateVersion {
				return o.LaunchTemplateVersions
			})(api.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
				LaunchTemplateId: &id, Versions: []string{"$Latest"},
			}))
			return v, EC2Tags(t.Tags), err
		})
	if err != nil {
		return err
	}
	for _, t := range templates {
		id, _, _ := strings.Cut(t.ID, "/")
		r.LaunchTemplates = append(r.LaunchTemplates, LaunchTemplate{t, id})
	}
	groups, err := each(r, stack.KindScalingGroup,
		func(f plan.Found) (types.AutoScalingGroup, map[string]string, error) {
			g, err := only(func(o *autoscaling.DescribeAutoScalingGroupsOutput) []types.AutoScalingGroup {
				return o.AutoScalingGroups
			})(r.source.Client.ASG.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
				AutoScalingGroupNames: []string{f.ID},
			}))
			return g, nil, err
		})
	if err != nil {
		return err
	}
	for _, g := range groups {
		group := ScalingGroup{Item: g}
		if err := r.changes(ctx, &group); err != nil {
			return err
		}
		r.ScalingGroups = append(r.ScalingGroups, group)
	}
	return nil
}

// changes reads what changes the size of a group. A policy that is not Aloft's is left out.
func (r *reader) changes(ctx context.Context, g *ScalingGroup) error {
	policies, err := r.source.Client.ASG.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{
		AutoScalingGroupName: &g.ID,
	})
	if err != nil {
		return reading("the policies of "+g.ID, err)
	}
	for _, p := range policies.ScalingPolicies {
		if t := p.TargetTrackingConfiguration; t != nil && t.PredefinedMetricSpecification != nil {
			g.Policies = append(g.Policies, p)
		}
	}
	schedules, err := r.source.Client.ASG.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{
		AutoScalingGroupName: &g.ID,
	})
	if err != nil {
		return reading("the schedules of "+g.ID, err)
	}
	g.Schedules = schedules.ScheduledUpdateGroupActions
	return nil
}

// Subnets returns the ids of a group's subnets.
func (g ScalingGroup) Subnets() []string {
	return strings.Split(aws.ToString(g.AWS.VPCZoneIdentifier), ",")
}

// CutLabel returns the parts of a label that names a load balancer and its target group, as
// Suffix returns them.
func CutLabel(label string) (balancer, group string, found bool) {
	balancer, group, found = strings.Cut(label, "/targetgroup/")
	return balancer, "targetgroup/" + group, found
}
