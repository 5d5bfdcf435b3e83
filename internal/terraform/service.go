package terraform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/zclconf/go-cty/cty"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/policy"
	"aloft.dev/aloft/internal/stack"
)

const (
	serviceFile = "service.tf"
	serversFile = "servers.tf"
)

// targetGroups writes the target group.
func (c *code) targetGroups() {
	for _, t := range c.TargetGroups {
		g := t.AWS
		b := c.resource(serviceFile, "aws_lb_target_group", t.Address, t.ID).isKnownAs(t.ID, "arn").
			isKnownAs(blueprint.Suffix(t.ID), "arn_suffix").
			text("name", t.Name).text("vpc_id", aws.ToString(g.VpcId)).text("protocol", string(g.Protocol)).
			number("port", int64(aws.ToInt32(g.Port)))
		b.text("deregistration_delay", strings.TrimSuffix(t.Value(stack.AttrDeregistrationDelay), "s"))
		check := b.inside("health_check").text("path", aws.ToString(g.HealthCheckPath)).
			text("protocol", string(g.HealthCheckProtocol)).text("port", aws.ToString(g.HealthCheckPort)).
			number("interval", int64(aws.ToInt32(g.HealthCheckIntervalSeconds))).
			number("timeout", int64(aws.ToInt32(g.HealthCheckTimeoutSeconds))).
			number("healthy_threshold", int64(aws.ToInt32(g.HealthyThresholdCount))).
			number("unhealthy_threshold", int64(aws.ToInt32(g.UnhealthyThresholdCount)))
		if g.Matcher != nil {
			check.text("matcher", aws.ToString(g.Matcher.HttpCode))
		}
		b.tags(t.Tags)
	}
}

// loadBalancers writes the load balancer.
func (c *code) loadBalancers() {
	for _, l := range c.LoadBalancers {
		b := c.resource(serviceFile, "aws_lb", l.Address, l.ID).isKnownAs(l.ID, "arn").
			isKnownAs(blueprint.Suffix(l.ID), "arn_suffix").isKnownAs(aws.ToString(l.AWS.DNSName), "dns_name").
			text("name", l.Name).text("load_balancer_type", string(elbtypes.LoadBalancerTypeEnumApplication)).
			flag("internal", l.Value(stack.AttrScheme) == "internal").
			list("subnets", c.SortedSubnets(l.Values(stack.AttrSubnets))).
			list("security_groups", l.Values(stack.AttrSecurityGroups)).
			flag("enable_deletion_protection", l.Value(stack.AttrProtection) == stack.On)
		if bucket := l.Value(stack.AttrAccessLogs); bucket != "" {
			b.inside("access_logs").text("bucket", bucket).flag("enabled", true)
			b.after(c.delivery...)
		}
		b.tags(l.Tags)
	}
}

// buckets writes the bucket of access logs. Names are unique among all accounts, so that the
// account and the region are parts of its name.
func (c *code) buckets() {
	for _, f := range c.Buckets {
		account := c.account()
		b := c.resource(bucketFile, "aws_s3_bucket", f.Address, f.ID)
		b.body.SetAttributeRaw("bucket", expression(fmt.Sprintf(
			`"%s${%s}-${var.region}"`, stack.BucketPrefix(c.App), account)))
		b.tags(f.Tags).isKnownAs(f.ID, "id")
		if f.Value(stack.AttrPublicAccess) == stack.Blocked {
			c.resource(bucketFile, "aws_s3_bucket_public_access_block", f.Address, f.ID).text("bucket", f.ID).
				flag("block_public_acls", true).flag("block_public_policy", true).flag("ignore_public_acls", true).
				flag("restrict_public_buckets", true)
		}
		if f.Days > 0 {
			rule := c.resource(bucketFile, "aws_s3_bucket_lifecycle_configuration", f.Address, f.ID).
				text("bucket", f.ID).inside("rule").text("id", stack.ExpiryRule).text("status", "Enabled")
			rule.inside("filter").literal("prefix", "")
			rule.inside("expiration").number("days", int64(f.Days))
		}
		if f.Value(stack.AttrDelivery) == stack.On {
			bucket := "${aws_s3_bucket." + notInName.ReplaceAllString(f.Address, "_") + ".id}"
			text := stack.DeliveryPolicy(policy.Partition(c.Region), bucket, "${"+account+"}")
			b := c.resource(bucketFile, "aws_s3_bucket_policy", f.Address, f.ID).text("bucket", f.ID)
			b.body.SetAttributeRaw("policy", expression(strconv.Quote(text)))
			c.delivery = append(c.delivery, b.of)
		}
	}
}

const bucketFile = "logs.tf"

// account returns what refers to the account in which the configuration is applied.
func (c *code) account() string {
	const name = "current"
	if !c.hasAccount {
		c.append("main.tf", "data", "aws_caller_identity", name)
		c.hasAccount = true
	}
	return "data.aws_caller_identity." + name + ".account_id"
}

// servers writes the fixed servers and their registrations with the target group.
func (c *code) servers() {
	for _, s := range c.Servers {
		c.server(s)
	}
	for _, t := range c.Targets {
		c.resource(serversFile, "aws_lb_target_group_attachment", t.Address, "").text("target_group_arn", t.Group).
			text("target_id", t.Server).number("port", t.Port)
	}
}

func (c *code) server(s blueprint.Item[types.Instance]) {
	i := s.AWS
	b := c.resource(serversFile, "aws_instance", s.Address, s.ID).isKnownAs(s.ID, "id").
		text("ami", aws.ToString(i.ImageId)).text("instance_type", string(i.InstanceType)).
		text("subnet_id", aws.ToString(i.SubnetId)).text("key_name", aws.ToString(i.KeyName)).
		list("vpc_security_group_ids", s.Values(stack.AttrSecurityGroups)).
		text("iam_instance_profile", s.Value(stack.AttrProfile)).
		flag("associate_public_ip_address", s.Status.PublicIP != "")
	if m := i.MetadataOptions; m != nil {
		b.inside("metadata_options").text("http_tokens", string(m.HttpTokens)).
			text("http_endpoint", string(m.HttpEndpoint))
	}
	b.tags(s.Tags).ignores("user_data", "user_data_base64", "user_data_replace_on_change")
}

// number64 sets an attribute to a number with a fraction.
func (b block) number64(name string, n float64) block {
	b.body.SetAttributeValue(name, cty.NumberFloatVal(n))
	return b
}
