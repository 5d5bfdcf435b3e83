package cloudformation

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/blueprint"
)

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

// launchTemplate writes a launch template as its newest version is.
func (c *code) launchTemplate(t blueprint.LaunchTemplate) {
	d := t.AWS.LaunchTemplateData
	data := object{
		"ImageId": c.value(aws.ToString(d.ImageId)), "InstanceType": string(d.InstanceType),
	}
	optional := func(name string, value any) {
		if value != nil && value != "" {
			data[name] = value
		}
	}
	optional("KeyName", c.value(aws.ToString(d.KeyName)))
	optional("UserData", aws.ToString(d.UserData))
	if len(d.NetworkInterfaces) > 0 {
		data["NetworkInterfaces"] = c.interfaces(d.NetworkInterfaces)
	}
	if d.Monitoring != nil {
		data["Monitoring"] = object{"Enabled": aws.ToBool(d.Monitoring.Enabled)}
	}
	if m := d.MetadataOptions; m != nil {
		data["MetadataOptions"] = object{"HttpTokens": string(m.HttpTokens), "HttpEndpoint": string(m.HttpEndpoint)}
	}
	if p := d.IamInstanceProfile; p != nil {
		data["IamInstanceProfile"] = object{"Name": c.value(aws.ToString(p.Name))}
	}
	var specifications []object
	for _, s := range d.TagSpecifications {
		if list := c.tags(blueprint.EC2Tags(s.Tags)); list != nil {
			specifications = append(specifications, object{"ResourceType": string(s.ResourceType), "Tags": list})
		}
	}
	if specifications != nil {
		data["TagSpecifications"] = specifications
	}
	properties := object{
		"LaunchTemplateName": t.Name, "VersionDescription": aws.ToString(t.AWS.VersionDescription),
		"LaunchTemplateData": data,
	}
	if list := c.tags(t.Tags); list != nil {
		properties["TagSpecifications"] = []object{{
			"ResourceType": string(ec2types.ResourceTypeLaunchTemplate), "Tags": list,
		}}
	}
	c.add(t.Address, "AWS::EC2::LaunchTemplate", map[string]string{"LaunchTemplateId": t.TemplateID}, properties).
		isKnownAs(t.TemplateID, "")
}

// interfaces returns the network interfaces of a launch template.
func (c *code) interfaces(all []ec2types.LaunchTemplateInstanceNetworkInterfaceSpecification) []object {
	var list []object
	for _, n := range all {
		i := object{"DeviceIndex": aws.ToInt32(n.DeviceIndex), "Groups": c.values(n.Groups)}
		if n.AssociatePublicIpAddress != nil {
			i["AssociatePublicIpAddress"] = *n.AssociatePublicIpAddress
		}
		if n.DeleteOnTermination != nil {
			i["DeleteOnTermination"] = *n.DeleteOnTermination
		}
		list = append(list, i)
	}
	return list
}

// scalingGroup writes a group. Its number of servers is left to its policy.
func (c *code) scalingGroup(f blueprint.ScalingGroup) {
	g := f.AWS
	properties := object{
		"AutoScalingGroupName": f.ID, "MinSize": strconv.Itoa(int(aws.ToInt32(g.MinSize))),
		"MaxSize":           strconv.Itoa(int(aws.ToInt32(g.MaxSize))),
		"VPCZoneIdentifier": c.values(c.SortedSubnets(f.Subnets())), "TargetGroupARNs": c.values(g.TargetGroupARNs),
		"HealthCheckType":        aws.ToString(g.HealthCheckType),
		"HealthCheckGracePeriod": aws.ToInt32(g.HealthCheckGracePeriod),
		"DefaultInstanceWarmup":  aws.ToInt32(g.DefaultInstanceWarmup), "Tags": groupTags(g.Tags),
	}
	if t := g.LaunchTemplate; t != nil {
		properties["LaunchTemplate"] = c.version(aws.ToString(t.LaunchTemplateId))
	}
	if m := g.MixedInstancesPolicy; m != nil && m.LaunchTemplate != nil {
		properties["MixedInstancesPolicy"] = c.mixedInstances(m)
	}
	if p := g.InstanceMaintenancePolicy; p != nil {
		properties["InstanceMaintenancePolicy"] = object{
			"MinHealthyPercentage": aws.ToInt32(p.MinHealthyPercentage),
			"MaxHealthyPercentage": aws.ToInt32(p.MaxHealthyPercentage),
		}
	}
	if d := g.AvailabilityZoneDistribution; d != nil {
		properties["AvailabilityZoneDistribution"] = object{
			"CapacityDistributionStrategy": string(d.CapacityDistributionStrategy),
		}
	}
	c.add(f.Address, "AWS::AutoScaling::AutoScalingGroup", map[string]string{"AutoScalingGroupName": f.ID}, properties).
		isKnownAs(f.ID, "")
}

// version refers to the version of a launch template that the template of the stack describes.
func (c *code) version(template string) object {
	version := any("$Latest")
	if ref, ok := c.references[template].(object); ok {
		version = object{"Fn::GetAtt": []string{ref["Ref"].(string), "LatestVersionNumber"}}
	}
	return object{"LaunchTemplateId": c.value(template), "Version": version}
}

func groupTags(all []types.TagDescription) any {
	var list []object
	for _, t := range all {
		if key := aws.ToString(t.Key); !strings.HasPrefix(key, "aws:") {
			list = append(list, object{
				"Key": key, "Value": aws.ToString(t.Value), "PropagateAtLaunch": aws.ToBool(t.PropagateAtLaunch),
			})
		}
	}
	return given(list)
}

// mixedInstances returns the instance types of a group that has several.
func (c *code) mixedInstances(p *types.MixedInstancesPolicy) object {
	template := object{}
	if s := p.LaunchTemplate.LaunchTemplateSpecification; s != nil {
		template["LaunchTemplateSpecification"] = c.version(aws.ToString(s.LaunchTemplateId))
	}
	overrides := []object{}
	for _, o := range p.LaunchTemplate.Overrides {
		overrides = append(overrides, object{"InstanceType": aws.ToString(o.InstanceType)})
	}
	template["Overrides"] = overrides
	policy := object{"LaunchTemplate": template}
	if d := p.InstancesDistribution; d != nil {
		policy["InstancesDistribution"] = object{
			"OnDemandAllocationStrategy":          aws.ToString(d.OnDemandAllocationStrategy),
			"OnDemandBaseCapacity":                aws.ToInt32(d.OnDemandBaseCapacity),
			"OnDemandPercentageAboveBaseCapacity": aws.ToInt32(d.OnDemandPercentageAboveBaseCapacity),
		}
	}
	return policy
}

// policies writes the policies that track a metric. CloudFormation names them.
func (c *code) policies(g blueprint.ScalingGroup) {
	for _, p := range g.Policies {
		t := p.TargetTrackingConfiguration
		metric := object{"PredefinedMetricType": string(t.PredefinedMetricSpecification.PredefinedMetricType)}
		if label := aws.ToString(t.PredefinedMetricSpecification.ResourceLabel); label != "" {
			metric["ResourceLabel"] = c.label(label)
		}
		properties := object{
			"AutoScalingGroupName": c.value(g.ID), "PolicyType": aws.ToString(p.PolicyType),
			"TargetTrackingConfiguration": object{
				"TargetValue": aws.ToFloat64(t.TargetValue), "PredefinedMetricSpecification": metric,
			},
		}
		if p.EstimatedInstanceWarmup != nil {
			properties["EstimatedInstanceWarmup"] = *p.EstimatedInstanceWarmup
		}
		c.add(g.Address+"-policy", "AWS::AutoScaling::ScalingPolicy",
			map[string]string{"Arn": aws.ToString(p.PolicyARN)}, properties)
	}
}

// label returns what names a load balancer and its target group in a policy.
func (c *code) label(text string) any {
	balancer, group, found := blueprint.CutLabel(text)
	if !found {
		return text
	}
	return object{"Fn::Join": []any{"/", []any{c.value(balancer), c.value(group)}}}
}

// schedules writes the schedules of a group. CloudFormation names them.
func (c *code) schedules(g blueprint.ScalingGroup) {
	for _, a := range g.Schedules {
		name := aws.ToString(a.ScheduledActionName)
		properties := object{
			"AutoScalingGroupName": c.value(g.ID), "Recurrence": aws.ToString(a.Recurrence),
			"TimeZone": aws.ToString(a.TimeZone),
		}
		for property, size := range map[string]*int32{
			"MinSize": a.MinSize, "MaxSize": a.MaxSize, "DesiredCapacity": a.DesiredCapacity,
		} {
			if size != nil {
				properties[property] = *size
			}
		}
		c.add(name, "AWS::AutoScaling::ScheduledAction",
			map[string]string{"ScheduledActionName": name, "AutoScalingGroupName": g.ID}, properties)
	}
}
