package resource

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var alarmKind = kind{
	name:   stack.KindAlarm,
	find:   findAlarms,
	create: created((*Provisioner).createAlarm),
	update: updated((*Provisioner).updateAlarm),
	remove: (*Provisioner).deleteAlarm,
}

// balancerNamespace is the namespace of a load balancer's metrics.
const balancerNamespace = "AWS/ApplicationELB"

// Dimensions of these metrics.
const (
	balancerDimension = "LoadBalancer"
	groupDimension    = "TargetGroup"
)

// findAlarms finds the alarms by their names. Alarms of those names without the
// application's tag are somebody else's.
func findAlarms(ctx context.Context, d *discovery) ([]plan.Found, error) {
	var names []string
	for _, address := range stack.AlarmAddresses() {
		names = append(names, stack.AlarmName(d.App, address))
	}
	out, err := d.CW.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
	if err != nil {
		if d.uninteresting(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("list the alarms: %w", err)
	}
	all := make([]plan.Found, len(out.MetricAlarms))
	group, ctx := errgroup.WithContext(ctx)
	for i, a := range out.MetricAlarms {
		group.Go(func() (err error) {
			all[i], err = d.describeAlarm(ctx, a)
			return err
		})
	}
	err = group.Wait()
	var own []plan.Found
	for _, f := range all {
		if f.ID != "" {
			own = append(own, f)
		}
	}
	return own, err
}

// describeAlarm returns an alarm of the application, or nothing.
func (c *Cloud) describeAlarm(ctx context.Context, a types.MetricAlarm) (plan.Found, error) {
	out, err := c.CW.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: a.AlarmArn})
	if err != nil {
		return plan.Found{}, ignoreNotFound("read the tags of alarm "+aws.ToString(a.AlarmName), err)
	}
	tags := tagsOf(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
	if tags[stack.TagApp] != c.App {
		return plan.Found{}, nil
	}
	f := plan.Found{
		Address: tags[stack.TagAddress], Kind: stack.KindAlarm, ID: aws.ToString(a.AlarmArn),
		Name: aws.ToString(a.AlarmName),
	}
	f.Status.Alarm = string(a.StateValue)
	setTags(&f, tags)
	condition, dimensions := conditionOf(a)
	f.Set(stack.AttrName, f.Name)
	f.Set(stack.AttrCondition, condition.String())
	f.Set(stack.AttrMissingData, aws.ToString(a.TreatMissingData))
	f.Set(stack.AttrAdvice, aws.ToString(a.AlarmDescription))
	f.Set(stack.AttrEnabled, yesNo(aws.ToBool(a.ActionsEnabled)))
	f.Set(stack.AttrTells, a.AlarmActions...)
	f.Set(stack.AttrTellsEnded, a.OKActions...)
	for _, d := range dimensions {
		switch value := aws.ToString(d.Value); aws.ToString(d.Name) {
		case balancerDimension:
			f.Set(stack.AttrLoadBalancer, balancingARN(f.ID, balancerPrefix+value))
		case groupDimension:
			f.Set(stack.AttrTargetGroup, balancingARN(f.ID, ":"+value))
		}
	}
	return f, nil
}

// conditionOf returns an alarm's condition, and the dimensions of what it watches.
func conditionOf(a types.MetricAlarm) (stack.Condition, []types.Dimension) {
	c := stack.Condition{
		Metric: aws.ToString(a.MetricName), Statistic: string(a.Statistic), Comparison: string(a.ComparisonOperator),
		Threshold: aws.ToFloat64(a.Threshold),
	}
	if a.ExtendedStatistic != nil {
		c.Statistic = *a.ExtendedStatistic
	}
	period, dimensions := aws.ToInt32(a.Period), a.Dimensions
	for _, q := range a.Metrics {
		switch m := q.MetricStat; {
		case m == nil:
			// An expression that is not Aloft's leads to a condition that differs.
			if _, err := fmt.Sscanf(aws.ToString(q.Expression), shareBegin, &c.Least); err != nil ||
				aws.ToString(q.Expression) != shareExpression(c.Least) {
				c.Statistic = aws.ToString(q.Expression)
			}
		case aws.ToString(q.Id) == sharePart:
			c.Metric, dimensions, period = aws.ToString(m.Metric.MetricName), m.Metric.Dimensions, aws.ToInt32(m.Period)
			if c.Statistic == "" {
				c.Statistic = aws.ToString(m.Stat)
			}
		default:
			c.Of = aws.ToString(m.Metric.MetricName)
		}
	}
	c.Minutes = int(aws.ToInt32(a.EvaluationPeriods) * period / stack.AlarmPeriod)
	return c, dimensions
}

// The queries of an alarm that watches a share, by their ids.
const (
	sharePart  = "part"
	shareWhole = "whole"
	shareOf    = "share"
)

// shareBegin is how the expression of a share begins, with the least part that counts.
const shareBegin = "IF(part >= %g"

// shareExpression is the expression of a share in percent. A load balancer that finds no server
// counts the errors but not the requests, so the whole is at least the part.
func shareExpression(least float64) string {
	return fmt.Sprintf(shareBegin+", 100 * part / MAX([whole, part]), 0)", least)
}

// shareQueries returns the queries of a share.
func shareQueries(c stack.Condition, dimensions []types.Dimension) []types.MetricDataQuery {
	sum := func(id, metric string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: aws.String(balancerNamespace), MetricName: &metric, Dimensions: dimensions,
			},
			Period: aws.Int32(stack.AlarmPeriod), Stat: &c.Statistic,
		}}
	}
	return []types.MetricDataQuery{
		{
			Id: aws.String(shareOf), Expression: aws.String(shareExpression(c.Least)),
			Label: aws.String(c.Metric + " in percent of " + c.Of), ReturnData: aws.Bool(true),
		},
		sum(sharePart, c.Metric), sum(shareWhole, c.Of),
	}
}

// balancingARN returns the ARN of a part of Elastic Load Balancing, in the partition,
// region and account of another ARN.
func balancingARN(other, end string) string {
	parts := strings.SplitN(other, ":", 6) // arn:partition:service:region:account:…
	if len(parts) < 6 {
		return ""
	}
	parts[2] = "elasticloadbalancing"
	return strings.Join(parts[:5], ":") + end
}

// createAlarm creates an alarm that is well. A new alarm has no data, and would tell the
// topic a minute later that it is well now, so it tells nothing before it is.
func (p *Provisioner) createAlarm(ctx context.Context, r stack.Resource, body stack.Alarm) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindAlarm, Name: body.AlarmName}
	if err := p.putAlarm(ctx, r, body, false); err != nil {
		return f, err
	}
	_, err := p.CW.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: &body.AlarmName, StateValue: types.StateValueOk,
		StateReason: aws.String("Aloft created the alarm when what it watches served"),
	})
	if err != nil {
		return f, fmt.Errorf("set the state of alarm %s: %w", body.AlarmName, err)
	}
	return f, p.putAlarm(ctx, r, body, true)
}

// updateAlarm changes an alarm. One that tells nothing may be half created.
func (p *Provisioner) updateAlarm(ctx context.Context, r stack.Resource, body stack.Alarm, current plan.Found) error {
	if current.Value(stack.AttrEnabled) == stack.Yes {
		return p.putAlarm(ctx, r, body, true)
	}
	_, err := p.createAlarm(ctx, r, body)
	return err
}

// putAlarm creates an alarm, or sets the one of its name.
func (p *Provisioner) putAlarm(ctx context.Context, r stack.Resource, body stack.Alarm, tells bool) error {
	topic := *p.id(body.Topic)
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: &body.AlarmName, AlarmDescription: &body.Advice, ActionsEnabled: &tells,
		Threshold: &body.Condition.Threshold, ComparisonOperator: types.ComparisonOperator(body.Condition.Comparison),
		EvaluationPeriods: aws.Int32(int32(body.Condition.Minutes)),
		TreatMissingData:  aws.String(stack.MissingIsFine),
		AlarmActions:      []string{topic}, OKActions: []string{topic},
	}
	if dimensions := p.alarmDimensions(body); body.Condition.Of != "" {
		in.Metrics = shareQueries(body.Condition, dimensions)
	} else {
		in.Namespace, in.MetricName = aws.String(balancerNamespace), &body.Condition.Metric
		in.Dimensions, in.Period = dimensions, aws.Int32(stack.AlarmPeriod)
		if strings.HasPrefix(body.Condition.Statistic, "p") {
			in.ExtendedStatistic = &body.Condition.Statistic
		} else {
			in.Statistic = types.Statistic(body.Condition.Statistic)
		}
	}
	in.Tags = alarmTags(p.tags(r))
	_, err := p.CW.PutMetricAlarm(ctx, in)
	return awsapi.Wrap("set alarm "+body.AlarmName, err)
}

// alarmDimensions returns the dimensions of what an alarm watches.
func (p *Provisioner) alarmDimensions(body stack.Alarm) []types.Dimension {
	_, balancer, _ := strings.Cut(*p.id(body.LoadBalancer), balancerPrefix)
	all := []types.Dimension{{Name: aws.String(balancerDimension), Value: &balancer}}
	if body.TargetGroup != (stack.Ref{}) {
		_, group, _ := strings.Cut(*p.id(body.TargetGroup), ":"+groupPrefix)
		all = append(all, types.Dimension{Name: aws.String(groupDimension), Value: aws.String(groupPrefix + group)})
	}
	return all
}

func alarmTags(tags []tag) []types.Tag {
	all := make([]types.Tag, len(tags))
	for i, t := range tags {
		all[i] = types.Tag{Key: aws.String(t.key), Value: aws.String(t.value)}
	}
	return all
}

func (p *Provisioner) alarmTagger(arn string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.CW.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: &arn, Tags: alarmTags(tags)})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			_, err := p.CW.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: &arn, TagKeys: keys})
			return err
		},
	}
}

func (p *Provisioner) deleteAlarm(ctx context.Context, f plan.Found) error {
	_, err := p.CW.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{f.Name}})
	return ignoreNotFound("delete alarm "+f.Name, err)
}
