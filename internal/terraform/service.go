package terraform

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	serviceFile = "service.tf"
	serversFile = "servers.tf"
)

// elbTags returns the tags of a resource of Elastic Load Balancing.
func (c *code) elbTags(ctx context.Context, arn string) (map[string]string, error) {
	out, err := c.source.Client.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{arn}})
	if err != nil {
		return nil, reading("the tags of "+arn, err)
	}
	all := map[string]string{}
	for _, d := range out.TagDescriptions {
		for _, t := range d.Tags {
			all[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return all, nil
}

// balancing writes the target group, the load balancer and its listener.
func (c *code) balancing(ctx context.Context) error {
	api := c.source.Client.ELB
	for _, f := range c.source.kind(stack.KindTargetGroup) {
		list, err := api.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{f.ID}})
		if err != nil || len(list.TargetGroups) == 0 {
			return reading("target group "+f.Name, err)
		}
		tags, err := c.elbTags(ctx, f.ID)
		if err != nil {
			return err
		}
		g := list.TargetGroups[0]
		b := c.resource(serviceFile, "aws_lb_target_group", f.Address, f.ID).isKnownAs(f.ID, "arn").
			text("name", f.Name).text("vpc_id", aws.ToString(g.VpcId)).text("protocol", string(g.Protocol)).
			number("port", int64(aws.ToInt32(g.Port)))
		b.text("deregistration_delay", strings.TrimSuffix(f.Value(stack.AttrDeregistrationDelay), "s"))
		check := b.inside("health_check").text("path", aws.ToString(g.HealthCheckPath)).
			text("protocol", string(g.HealthCheckProtocol)).text("port", aws.ToString(g.HealthCheckPort)).
			number("interval", int64(aws.ToInt32(g.HealthCheckIntervalSeconds))).
			number("timeout", int64(aws.ToInt32(g.HealthCheckTimeoutSeconds))).
			number("healthy_threshold", int64(aws.ToInt32(g.HealthyThresholdCount))).
			number("unhealthy_threshold", int64(aws.ToInt32(g.UnhealthyThresholdCount)))
		if g.Matcher != nil {
			check.text("matcher", aws.ToString(g.Matcher.HttpCode))
		}
		b.tags(tags)
	}
	for _, f := range c.source.kind(stack.KindLoadBalancer) {
		tags, err := c.elbTags(ctx, f.ID)
		if err != nil {
			return err
		}
		c.resource(serviceFile, "aws_lb", f.Address, f.ID).isKnownAs(f.ID, "arn").text("name", f.Name).
			text("load_balancer_type", "application").
			flag("internal", f.Value(stack.AttrScheme) == "internal").
			list("subnets", c.sorted(stack.KindSubnet, f.Values(stack.AttrSubnets))).
			list("security_groups", f.Values(stack.AttrSecurityGroups)).
			flag("enable_deletion_protection", f.Value(stack.AttrProtection) == stack.On).tags(tags)
	}
	for _, f := range c.source.kind(stack.KindListener) {
		list, err := api.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{f.ID}})
		if err != nil || len(list.Listeners) == 0 {
			return reading("listener "+f.Name, err)
		}
		tags, err := c.elbTags(ctx, f.ID)
		if err != nil {
			return err
		}
		l := list.Listeners[0]
		b := c.resource(serviceFile, "aws_lb_listener", f.Address, f.ID).
			text("load_balancer_arn", aws.ToString(l.LoadBalancerArn)).number("port", int64(aws.ToInt32(l.Port))).
			text("protocol", string(l.Protocol))
		for _, group := range f.Values(stack.AttrForwardsTo) {
			b.inside("default_action").text("type", "forward").text("target_group_arn", group)
		}
		// AWS describes the action a second time, as one that forwards to several groups.
		b.tags(tags).ignores("default_action[0].forward")
	}
	return nil
}

// sorted sorts ids by the addresses of what has them.
func (c *code) sorted(kind stack.Kind, all []string) []string {
	named := addresses(c.source.kind(kind))
	return slices.SortedFunc(slices.Values(all), func(a, b string) int { return byAddress(named, a, b) })
}

// servers writes the fixed servers and their registrations with the target group.
func (c *code) servers(ctx context.Context) error {
	var found []plan.Found
	for _, f := range c.source.kind(stack.KindServer) {
		if !stack.Transient(f.Address) {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return nil
	}
	list, err := c.source.Client.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids(found)})
	if err != nil {
		return reading("the servers", err)
	}
	instances := map[string]types.Instance{}
	for _, r := range list.Reservations {
		for _, i := range r.Instances {
			instances[aws.ToString(i.InstanceId)] = i
		}
	}
	for _, f := range found {
		c.server(f, instances[f.ID])
	}
	for _, f := range c.source.kind(stack.KindTarget) {
		group := f.Value(stack.AttrTargetGroup)
		port, err := strconv.ParseInt(f.Value(stack.AttrPort), 10, 32)
		if err != nil {
			return reading("the port of "+f.Address, err)
		}
		c.resource(serversFile, "aws_lb_target_group_attachment", f.Address, "").text("target_group_arn", group).
			text("target_id", f.Value(stack.AttrServer)).number("port", port)
	}
	return nil
}

func (c *code) server(f plan.Found, i types.Instance) {
	b := c.resource(serversFile, "aws_instance", f.Address, f.ID).isKnownAs(f.ID, "id").
		text("ami", aws.ToString(i.ImageId)).text("instance_type", string(i.InstanceType)).
		text("subnet_id", aws.ToString(i.SubnetId)).text("key_name", aws.ToString(i.KeyName)).
		list("vpc_security_group_ids", f.Values(stack.AttrSecurityGroups)).
		text("iam_instance_profile", f.Value(stack.AttrProfile)).
		flag("associate_public_ip_address", f.Status.PublicIP != "")
	if m := i.MetadataOptions; m != nil {
		b.inside("metadata_options").text("http_tokens", string(m.HttpTokens)).
			text("http_endpoint", string(m.HttpEndpoint))
	}
	b.tags(ec2Tags(i.Tags)).ignores("user_data", "user_data_base64", "user_data_replace_on_change")
}
