package terraform

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/zclconf/go-cty/cty"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const alertsFile = "alerts.tf"

// logGroups writes the log group. Its lines stay in it.
func (c *code) logGroups(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindLogGroup) {
		list, err := c.source.Client.Logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{
			LogGroupNamePrefix: &f.ID,
		})
		if err != nil {
			return reading("log group "+f.ID, err)
		}
		for _, g := range list.LogGroups {
			if aws.ToString(g.LogGroupName) != f.ID {
				continue
			}
			tags, err := c.source.Client.Logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{
				ResourceArn: g.LogGroupArn,
			})
			if err != nil {
				return reading("the tags of log group "+f.ID, err)
			}
			c.resource(alertsFile, "aws_cloudwatch_log_group", f.Address, f.ID).literal("name", f.ID).
				number("retention_in_days", int64(aws.ToInt32(g.RetentionInDays))).tags(tags.Tags)
		}
	}
	return nil
}

// topics writes the topic that alarms tell, and the emails that it sends.
func (c *code) topics(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindTopic) {
		out, err := c.source.Client.SNS.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: &f.ID})
		if err != nil {
			return reading("the tags of topic "+f.Name, err)
		}
		tags := map[string]string{}
		for _, t := range out.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		c.resource(alertsFile, "aws_sns_topic", f.Address, f.ID).isKnownAs(f.ID, "arn").literal("name", f.Name).
			tags(tags)
		if err := c.subscriptions(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// subscriptions writes the subscriptions by email. One that nobody has confirmed yet has no
// ARN and cannot be imported: Terraform asks for it again.
func (c *code) subscriptions(ctx context.Context, topic plan.Found) error {
	arns := map[string]string{}
	pages := sns.NewListSubscriptionsByTopicPaginator(c.source.Client.SNS, &sns.ListSubscriptionsByTopicInput{
		TopicArn: &topic.ID,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return reading("the subscriptions of topic "+topic.Name, err)
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.Protocol) == email {
				arns[aws.ToString(s.Endpoint)] = aws.ToString(s.SubscriptionArn)
			}
		}
	}
	unconfirmed := map[string]bool{}
	for _, address := range topic.Status.Unconfirmed {
		unconfirmed[address] = true
	}
	for _, address := range topic.Values(stack.AttrEmails) {
		arn := arns[address]
		if unconfirmed[address] {
			arn = ""
		}
		c.resource(alertsFile, "aws_sns_topic_subscription", topic.Address+"-"+address, arn).
			text("topic_arn", topic.ID).literal("protocol", email).literal("endpoint", address).
			ignores("confirmation_timeout_in_minutes", "endpoint_auto_confirms")
	}
	return nil
}

// email is the protocol of subscriptions by email.
const email = "email"

// alarms writes the alarms that tell the topic.
func (c *code) alarms(ctx context.Context) error {
	api := c.source.Client.CW
	for _, f := range c.source.kind(stack.KindAlarm) {
		list, err := api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{f.Name}})
		if err != nil || len(list.MetricAlarms) == 0 {
			return reading("alarm "+f.Name, err)
		}
		out, err := api.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: &f.ID})
		if err != nil {
			return reading("the tags of alarm "+f.Name, err)
		}
		c.alarm(f, list.MetricAlarms[0], out.Tags)
	}
	return nil
}

func (c *code) alarm(f plan.Found, a types.MetricAlarm, tags []types.Tag) {
	all, dimensions := map[string]string{}, map[string]string{}
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	for _, d := range a.Dimensions {
		dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	b := c.resource(alertsFile, "aws_cloudwatch_metric_alarm", f.Address, f.Name).literal("alarm_name", f.Name).
		text("alarm_description", aws.ToString(a.AlarmDescription)).text("namespace", aws.ToString(a.Namespace)).
		text("metric_name", aws.ToString(a.MetricName)).text("statistic", string(a.Statistic)).
		text("extended_statistic", aws.ToString(a.ExtendedStatistic)).
		text("comparison_operator", string(a.ComparisonOperator)).
		number("evaluation_periods", int64(aws.ToInt32(a.EvaluationPeriods))).
		number("period", int64(aws.ToInt32(a.Period))).text("treat_missing_data", aws.ToString(a.TreatMissingData)).
		flag("actions_enabled", aws.ToBool(a.ActionsEnabled)).list("alarm_actions", a.AlarmActions).
		list("ok_actions", a.OKActions)
	b.body.SetAttributeValue("threshold", cty.NumberFloatVal(aws.ToFloat64(a.Threshold)))
	b.texts("dimensions", dimensions).tags(all)
}
