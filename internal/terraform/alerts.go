package terraform

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/blueprint"
)

const alertsFile = "alerts.tf"

// logGroups writes the log group. Its lines stay in it.
func (c *code) logGroups() {
	for _, g := range c.LogGroups {
		c.resource(alertsFile, "aws_cloudwatch_log_group", g.Address, g.ID).literal("name", g.ID).
			number("retention_in_days", int64(aws.ToInt32(g.AWS.RetentionInDays))).tags(g.Tags)
	}
}

// topics writes the topic that alarms tell, and the emails that it sends. A subscription that
// nobody has confirmed yet cannot be imported: Terraform asks for it again.
func (c *code) topics() {
	for _, t := range c.Topics {
		c.resource(alertsFile, "aws_sns_topic", t.Address, t.ID).isKnownAs(t.ID, "arn").literal("name", t.Name).
			tags(t.Tags)
		for _, s := range t.Subscriptions {
			c.resource(alertsFile, "aws_sns_topic_subscription", t.Address+"-"+s.Address, s.ARN).
				text("topic_arn", t.ID).literal("protocol", blueprint.Email).literal("endpoint", s.Address).
				ignores("confirmation_timeout_in_minutes", "endpoint_auto_confirms")
		}
	}
}

// alarms writes the alarms that tell the topic.
func (c *code) alarms() {
	for _, f := range c.Alarms {
		c.alarm(f)
	}
}

func (c *code) alarm(f blueprint.Item[types.MetricAlarm]) {
	a := f.AWS
	b := c.resource(alertsFile, "aws_cloudwatch_metric_alarm", f.Address, f.Name).literal("alarm_name", f.Name).
		text("alarm_description", aws.ToString(a.AlarmDescription)).
		text("comparison_operator", string(a.ComparisonOperator)).
		number("evaluation_periods", int64(aws.ToInt32(a.EvaluationPeriods))).
		text("treat_missing_data", aws.ToString(a.TreatMissingData)).
		flag("actions_enabled", aws.ToBool(a.ActionsEnabled)).list("alarm_actions", a.AlarmActions).
		list("ok_actions", a.OKActions).number64("threshold", aws.ToFloat64(a.Threshold)).tags(f.Tags)
	if len(a.Metrics) == 0 {
		b.text("namespace", aws.ToString(a.Namespace)).text("metric_name", aws.ToString(a.MetricName)).
			text("statistic", string(a.Statistic)).text("extended_statistic", aws.ToString(a.ExtendedStatistic)).
			number("period", int64(aws.ToInt32(a.Period))).texts("dimensions", dimensions(a.Dimensions))
	}
	for _, q := range a.Metrics {
		query := b.inside("metric_query").text("id", aws.ToString(q.Id)).
			text("expression", aws.ToString(q.Expression)).text("label", aws.ToString(q.Label)).
			flag("return_data", q.ReturnData == nil || *q.ReturnData)
		if q.MetricStat != nil {
			m := q.MetricStat.Metric
			query.inside("metric").text("namespace", aws.ToString(m.Namespace)).
				text("metric_name", aws.ToString(m.MetricName)).text("stat", aws.ToString(q.MetricStat.Stat)).
				number("period", int64(aws.ToInt32(q.MetricStat.Period))).texts("dimensions", dimensions(m.Dimensions))
		}
	}
}

func dimensions(all []types.Dimension) map[string]string {
	out := map[string]string{}
	for _, d := range all {
		out[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	return out
}
