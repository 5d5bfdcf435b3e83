package terraform

import (
	"cmp"
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/zclconf/go-cty/cty"

	"aloft.dev/aloft/internal/stack"
)

const scalingFile = "scaling.tf"

// scaling writes the launch template, the Auto Scaling group, its policy and its schedules.
func (c *code) scaling(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindLaunchTemplate) {
		id, _, _ := strings.Cut(f.ID, "/")
		if err := c.launchTemplate(ctx, id, f.Address, f.Name); err != nil {
			return err
		}
	}
	for _, f := range c.source.kind(stack.KindScalingGroup) {
		if err := c.scalingGroup(ctx, f.ID, f.Address); err != nil {
			return err
		}
	}
	return nil
}

// launchTemplate writes a launch template as its newest version is, which Terraform reads.
func (c *code) launchTemplate(ctx context.Context, id, address, name string) error {
	api := c.source.Client.EC2
	list, err := api.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{id}})
	if err != nil || len(list.LaunchTemplates) == 0 {
		return reading("launch template "+name, err)
	}
	versions, err := api.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: &id, Versions: []string{"$Latest"},
	})
	if err != nil || len(versions.LaunchTemplateVersions) == 0 {
		return reading("launch template "+name, err)
	}
	version := versions.LaunchTemplateVersions[0]
	d := version.LaunchTemplateData
	b := c.resource(scalingFile, "aws_launch_template", address, id).isKnownAs(id, "id").text("name", name).
		text("description", aws.ToString(version.VersionDescription)).text("image_id", aws.ToString(d.ImageId)).
		text("instance_type", string(d.InstanceType)).text("key_name", aws.ToString(d.KeyName)).
		text("user_data", aws.ToString(d.UserData))
	for _, n := range d.NetworkInterfaces {
		i := b.inside("network_interfaces").number("device_index", int64(aws.ToInt32(n.DeviceIndex))).
			list("security_groups", n.Groups)
		if n.AssociatePublicIpAddress != nil {
			i.flag("associate_public_ip_address", *n.AssociatePublicIpAddress)
		}
		if n.DeleteOnTermination != nil {
			i.flag("delete_on_termination", *n.DeleteOnTermination)
		}
	}
	if d.Monitoring != nil {
		b.inside("monitoring").flag("enabled", aws.ToBool(d.Monitoring.Enabled))
	}
	if m := d.MetadataOptions; m != nil {
		b.inside("metadata_options").text("http_tokens", string(m.HttpTokens)).
			text("http_endpoint", string(m.HttpEndpoint))
	}
	if p := d.IamInstanceProfile; p != nil {
		b.inside("iam_instance_profile").text("name", aws.ToString(p.Name))
	}
	for _, s := range d.TagSpecifications {
		b.inside("tag_specifications").text("resource_type", string(s.ResourceType)).tags(ec2Tags(s.Tags))
	}
	b.tags(ec2Tags(list.LaunchTemplates[0].Tags))
	return nil
}

func (c *code) scalingGroup(ctx context.Context, name, address string) error {
	list, err := c.source.Client.ASG.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{name},
	})
	if err != nil || len(list.AutoScalingGroups) == 0 {
		return reading("Auto Scaling group "+name, err)
	}
	g := list.AutoScalingGroups[0]
	b := c.resource(scalingFile, "aws_autoscaling_group", address, name).text("name", name).isKnownAs(name, "name").
		number("min_size", int64(aws.ToInt32(g.MinSize))).number("max_size", int64(aws.ToInt32(g.MaxSize))).
		number("desired_capacity", int64(aws.ToInt32(g.DesiredCapacity))).
		list("vpc_zone_identifier", c.sortedSubnets(strings.Split(aws.ToString(g.VPCZoneIdentifier), ","))).
		list("target_group_arns", g.TargetGroupARNs).text("health_check_type", aws.ToString(g.HealthCheckType)).
		number("health_check_grace_period", int64(aws.ToInt32(g.HealthCheckGracePeriod))).
		number("default_instance_warmup", int64(aws.ToInt32(g.DefaultInstanceWarmup)))
	if g.LaunchTemplate != nil {
		b.inside("launch_template").text("id", aws.ToString(g.LaunchTemplate.LaunchTemplateId)).
			text("version", aws.ToString(g.LaunchTemplate.Version))
	}
	b.mixedInstances(g.MixedInstancesPolicy)
	if p := g.InstanceMaintenancePolicy; p != nil {
		b.inside("instance_maintenance_policy").
			number("min_healthy_percentage", int64(aws.ToInt32(p.MinHealthyPercentage))).
			number("max_healthy_percentage", int64(aws.ToInt32(p.MaxHealthyPercentage)))
	}
	if d := g.AvailabilityZoneDistribution; d != nil {
		b.inside("availability_zone_distribution").
			text("capacity_distribution_strategy", string(d.CapacityDistributionStrategy))
	}
	for _, t := range g.Tags {
		b.inside("tag").text("key", aws.ToString(t.Key)).literal("value", aws.ToString(t.Value)).
			flag("propagate_at_launch", aws.ToBool(t.PropagateAtLaunch))
	}
	b.ignores("desired_capacity", "force_delete", "force_delete_warm_pool", "ignore_failed_scaling_activities",
		"wait_for_capacity_timeout")
	if err := c.policies(ctx, name); err != nil {
		return err
	}
	return c.schedules(ctx, name)
}

// mixedInstances writes the instance types of a group that has several.
func (b block) mixedInstances(p *types.MixedInstancesPolicy) {
	if p == nil || p.LaunchTemplate == nil {
		return
	}
	policy := b.inside("mixed_instances_policy")
	if d := p.InstancesDistribution; d != nil {
		policy.inside("instances_distribution").
			text("on_demand_allocation_strategy", aws.ToString(d.OnDemandAllocationStrategy)).
			number("on_demand_base_capacity", int64(aws.ToInt32(d.OnDemandBaseCapacity))).
			number("on_demand_percentage_above_base_capacity",
				int64(aws.ToInt32(d.OnDemandPercentageAboveBaseCapacity)))
	}
	template := policy.inside("launch_template")
	if s := p.LaunchTemplate.LaunchTemplateSpecification; s != nil {
		template.inside("launch_template_specification").
			text("launch_template_id", aws.ToString(s.LaunchTemplateId)).text("version", aws.ToString(s.Version))
	}
	for _, o := range p.LaunchTemplate.Overrides {
		template.inside("override").text("instance_type", aws.ToString(o.InstanceType))
	}
}

// literal sets an attribute to a text, whatever is known by it.
func (b block) literal(name, value string) block {
	b.body.SetAttributeValue(name, cty.StringVal(value))
	return b
}

func (c *code) policies(ctx context.Context, group string) error {
	list, err := c.source.Client.ASG.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{
		AutoScalingGroupName: &group,
	})
	if err != nil {
		return reading("the policies of "+group, err)
	}
	for _, p := range list.ScalingPolicies {
		name, t := aws.ToString(p.PolicyName), p.TargetTrackingConfiguration
		if t == nil || t.PredefinedMetricSpecification == nil {
			continue // somebody else's
		}
		b := c.resource(scalingFile, "aws_autoscaling_policy", name, group+"/"+name).literal("name", name).
			text("autoscaling_group_name", group).text("policy_type", aws.ToString(p.PolicyType))
		if p.EstimatedInstanceWarmup != nil {
			b.number("estimated_instance_warmup", int64(*p.EstimatedInstanceWarmup))
		}
		tracking := b.inside("target_tracking_configuration")
		tracking.body.SetAttributeValue("target_value", cty.NumberFloatVal(aws.ToFloat64(t.TargetValue)))
		tracking.inside("predefined_metric_specification").
			text("predefined_metric_type", string(t.PredefinedMetricSpecification.PredefinedMetricType)).
			text("resource_label", aws.ToString(t.PredefinedMetricSpecification.ResourceLabel))
	}
	return nil
}

func (c *code) schedules(ctx context.Context, group string) error {
	list, err := c.source.Client.ASG.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{
		AutoScalingGroupName: &group,
	})
	if err != nil {
		return reading("the schedules of "+group, err)
	}
	for _, a := range list.ScheduledUpdateGroupActions {
		name := aws.ToString(a.ScheduledActionName)
		b := c.resource(scalingFile, "aws_autoscaling_schedule", name, group+"/"+name).
			text("scheduled_action_name", name).text("autoscaling_group_name", group).
			text("recurrence", aws.ToString(a.Recurrence)).text("time_zone", aws.ToString(a.TimeZone))
		const unchanged = -1 // a size that the schedule leaves (Terraform Registry, aws_autoscaling_schedule)
		for _, size := range []struct {
			name string
			n    *int32
		}{{"min_size", a.MinSize}, {"max_size", a.MaxSize}, {"desired_capacity", a.DesiredCapacity}} {
			b.number(size.name, int64(*cmp.Or(size.n, aws.Int32(unchanged))))
		}
	}
	return nil
}
