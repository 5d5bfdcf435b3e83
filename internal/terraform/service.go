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

// targetGroups writes the target group.
func (c *code) targetGroups(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindTargetGroup) {
		list, err := c.source.Client.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{
			TargetGroupArns: []string{f.ID},
		})
		if err != nil || len(list.TargetGroups) == 0 {
			return reading("target group "+f.Name, err)
		}
		tags, err := c.elbTags(ctx, f.ID)
		if err != nil {
			return err
		}
		g := list.TargetGroups[0]
		b := c.resource(serviceFile, "aws_lb_target_group", f.Address, f.ID).isKnownAs(f.ID, "arn").
			isKnownAs(suffix(f.ID, "targetgroup/"), "arn_suffix").
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
	return nil
}

// suffix returns the part of an ARN by which metrics name a resource: "app/shop/…" of a load
// balancer, "targetgroup/shop/…" of a target group.
func suffix(arn, from string) string {
	return arn[max(strings.Index(arn, from), 0):]
}

// loadBalancers writes the load balancer.
func (c *code) loadBalancers(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindLoadBalancer) {
		list, err := c.source.Client.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{
			LoadBalancerArns: []string{f.ID},
		})
		if err != nil || len(list.LoadBalancers) == 0 {
			return reading("load balancer "+f.Name, err)
		}
		tags, err := c.elbTags(ctx, f.ID)
		if err != nil {
			return err
		}
		l := list.LoadBalancers[0]
		c.resource(serviceFile, "aws_lb", f.Address, f.ID).isKnownAs(f.ID, "arn").
			isKnownAs(suffix(f.ID, "app/"), "arn_suffix").isKnownAs(aws.ToString(l.DNSName), "dns_name").
			text("name", f.Name).
			text("load_balancer_type", "application").
			flag("internal", f.Value(stack.AttrScheme) == "internal").
			list("subnets", c.sortedSubnets(f.Values(stack.AttrSubnets))).
			list("security_groups", f.Values(stack.AttrSecurityGroups)).
			flag("enable_deletion_protection", f.Value(stack.AttrProtection) == stack.On).tags(tags)
	}
	return nil
}

// sortedSubnets sorts ids of subnets by their names.
func (c *code) sortedSubnets(all []string) []string {
	return slices.SortedFunc(slices.Values(all), func(a, b string) int { return byAddress(c.subnetNames, a, b) })
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
