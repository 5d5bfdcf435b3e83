package terraform

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"aloft.dev/aloft/internal/blueprint"
)

const scalingFile = "scaling.tf"

// scaling writes the launch template, the Auto Scaling group, its policy and its schedules.
func (c *code) scaling() {
	for _, t := range c.LaunchTemplates {
		c.launchTemplate(t)
	}
	for _, g := range c.ScalingGroups {
		c.scalingGroup(g)
		c.policies(g)
		c.schedules(g)
	}
}

// launchTemplate writes a launch template as its newest version is, which Terraform reads.
func (c *code) launchTemplate(t blueprint.LaunchTemplate) {
	d := t.AWS.LaunchTemplateData
	b := c.resource(scalingFile, "aws_launch_template", t.Address, t.TemplateID).isKnownAs(t.TemplateID, "id").
		text("name", t.Name).text("description", aws.ToString(t.AWS.VersionDescription)).
		text("image_id", aws.ToString(d.ImageId)).text("instance_type", string(d.InstanceType)).
		text("key_name", aws.ToString(d.KeyName)).text("user_data", aws.ToString(d.UserData))
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
		b.inside("tag_specifications").text("resource_type", string(s.ResourceType)).tags(blueprint.EC2Tags(s.Tags))
	}
	b.tags(t.Tags)
}

func (c *code) scalingGroup(f blueprint.ScalingGroup) {
	g := f.AWS
	b := c.resource(scalingFile, "aws_autoscaling_group", f.Address, f.ID).text("name", f.ID).isKnownAs(f.ID, "name").
		number("min_size", int64(aws.ToInt32(g.MinSize))).number("max_size", int64(aws.ToInt32(g.MaxSize))).
		number("desired_capacity", int64(aws.ToInt32(g.DesiredCapacity))).
		list("vpc_zone_identifier", c.SortedSubnets(f.Subnets())).
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

// policies writes the policies that track a metric.
func (c *code) policies(g blueprint.ScalingGroup) {
	for _, p := range g.Policies {
		name, t := aws.ToString(p.PolicyName), p.TargetTrackingConfiguration
		b := c.resource(scalingFile, "aws_autoscaling_policy", name, g.ID+"/"+name).literal("name", name).
			text("autoscaling_group_name", g.ID).text("policy_type", aws.ToString(p.PolicyType))
		if p.EstimatedInstanceWarmup != nil {
			b.number("estimated_instance_warmup", int64(*p.EstimatedInstanceWarmup))
		}
		b.inside("target_tracking_configuration").number64("target_value", aws.ToFloat64(t.TargetValue)).
			inside("predefined_metric_specification").
			text("predefined_metric_type", string(t.PredefinedMetricSpecification.PredefinedMetricType)).
			label(aws.ToString(t.PredefinedMetricSpecification.ResourceLabel))
	}
}

// label sets what names a load balancer and its target group in a policy.
func (b block) label(text string) {
	balancer, group, found := blueprint.CutLabel(text)
	if !found {
		return
	}
	label := hclwrite.Tokens{{Type: hclsyntax.TokenOQuote, Bytes: []byte(`"`)}}
	for i, part := range []string{balancer, group} {
		if i > 0 {
			label = append(label, &hclwrite.Token{Type: hclsyntax.TokenQuotedLit, Bytes: []byte("/")})
		}
		label = append(label, &hclwrite.Token{Type: hclsyntax.TokenTemplateInterp, Bytes: []byte("${")})
		label = append(label, b.tokens(part)...)
		label = append(label, &hclwrite.Token{Type: hclsyntax.TokenTemplateSeqEnd, Bytes: []byte("}")})
	}
	b.body.SetAttributeRaw("resource_label", append(label,
		&hclwrite.Token{Type: hclsyntax.TokenCQuote, Bytes: []byte(`"`)}))
}

func (c *code) schedules(g blueprint.ScalingGroup) {
	for _, a := range g.Schedules {
		name := aws.ToString(a.ScheduledActionName)
		b := c.resource(scalingFile, "aws_autoscaling_schedule", name, g.ID+"/"+name).
			text("scheduled_action_name", name).text("autoscaling_group_name", g.ID).
			text("recurrence", aws.ToString(a.Recurrence)).text("time_zone", aws.ToString(a.TimeZone))
		const unchanged = -1 // a size that the schedule leaves (Terraform Registry, aws_autoscaling_schedule)
		for _, size := range []struct {
			name string
			n    *int32
		}{{"min_size", a.MinSize}, {"max_size", a.MaxSize}, {"desired_capacity", a.DesiredCapacity}} {
			b.number(size.name, int64(*cmp.Or(size.n, aws.Int32(unchanged))))
		}
	}
}
