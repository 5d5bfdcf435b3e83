package apply

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/stack"
)

// Values of ScalingPolicy.Metric.
const (
	metricCPU      = "cpu"
	metricRequests = "requests_per_target"
)

// defaultPeriod is the period of an alarm that does not have one.
const defaultPeriod = 60 // seconds

// readAlarms adds the alarms of a group's policy with the values that they evaluate.
func (d *Deployment) readAlarms(ctx context.Context, s *Scaling) error {
	alarms, err := d.cloud.Alarms(ctx, stack.ScalingName(d.cfg.App))
	if err != nil {
		return err
	}
	for _, a := range alarms {
		values, err := d.alarmValues(ctx, a)
		if err != nil {
			return err
		}
		alarm := alarmOf(a, values)
		if len(values) > 0 && (alarm.High || s.Policy.Value == nil) {
			s.Policy.Value = &values[0]
		}
		s.Policy.Alarms = append(s.Policy.Alarms, alarm)
	}
	return nil
}

// alarmOf describes an alarm. values are the latest values of its metric, the newest
// first.
func alarmOf(a types.MetricAlarm, values []float64) ScalingAlarm {
	alarm := ScalingAlarm{
		Name:      aws.ToString(a.AlarmName),
		State:     string(a.StateValue),
		Threshold: aws.ToFloat64(a.Threshold),
		High: a.ComparisonOperator == types.ComparisonOperatorGreaterThanThreshold ||
			a.ComparisonOperator == types.ComparisonOperatorGreaterThanOrEqualToThreshold,
		Needed: int(cmp.Or(aws.ToInt32(a.DatapointsToAlarm), aws.ToInt32(a.EvaluationPeriods))),
	}
	for _, v := range values {
		beyond := alarm.High && v > alarm.Threshold || !alarm.High && v < alarm.Threshold
		if !beyond || alarm.Beyond == alarm.Needed {
			break
		}
		alarm.Beyond++
	}
	return alarm
}

// alarmValues returns the latest values of an alarm's metric, the newest first. The
// current period is not included, because its value is not complete.
func (d *Deployment) alarmValues(ctx context.Context, a types.MetricAlarm) ([]float64, error) {
	seconds := cmp.Or(aws.ToInt32(a.Period), defaultPeriod)
	queries := a.Metrics
	if len(queries) == 0 {
		queries = []types.MetricDataQuery{{
			Id:         aws.String("m"),
			ReturnData: aws.Bool(true),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions},
				Period: &seconds,
				Stat:   aws.String(string(a.Statistic)),
			},
		}}
	}
	period := time.Duration(seconds) * time.Second
	end := time.Now().Truncate(period)
	start := end.Add(-time.Duration(aws.ToInt32(a.EvaluationPeriods)+2) * period)
	list, err := d.cloud.CW.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: &start, EndTime: &end, ScanBy: types.ScanByTimestampDescending,
	})
	if err != nil {
		return nil, fmt.Errorf("read the metric of alarm %s: %w", aws.ToString(a.AlarmName), err)
	}
	if len(list.MetricDataResults) == 0 {
		return nil, nil
	}
	return list.MetricDataResults[0].Values, nil
}

// forecast describes what the policy will do next: "CPU 71 % against 60 %: 2 of 3
// minutes above; next: + 1 machine".
func (s *Scaling) forecast() string {
	p := s.Policy
	if p.Value == nil {
		return fmt.Sprintf("%s: nothing measured yet, against %s; no change", p.metricName(), p.format(p.Target))
	}
	text := fmt.Sprintf("%s %s against %s", p.metricName(), p.format(*p.Value), p.format(p.Target))
	wanted := int(math.Ceil(float64(s.Desired) * *p.Value / p.Target))
	for _, a := range p.Alarms {
		if a.Beyond == 0 && a.State != "ALARM" {
			continue
		}
		next := "there are as few machines as may be"
		switch {
		case a.High && s.Desired >= s.Max:
			next = "there are as many machines as may be"
		case a.High:
			next = "next: " + formatChange(min(max(wanted, s.Desired+1), s.Max)-s.Desired)
		case s.Desired > s.Min:
			next = "next: " + formatChange(max(min(wanted, s.Desired-1), s.Min)-s.Desired)
		}
		return fmt.Sprintf("%s: %s; %s", text, a.minutes(), next)
	}
	return text + ": no change"
}

// minutes describes how close the alarm is: "2 of 3 minutes above 60".
func (a ScalingAlarm) minutes() string {
	side := "below"
	if a.High {
		side = "above"
	}
	threshold := strconv.FormatFloat(a.Threshold, 'f', -1, 64)
	return fmt.Sprintf("%d of %d minutes %s %s", a.Beyond, a.Needed, side, threshold)
}

// formatChange formats a change of the number of instances: "+ 2 machines".
func formatChange(change int) string {
	sign, n := "+", change
	if change < 0 {
		sign, n = "-", -change
	}
	if n == 1 {
		return sign + " 1 machine"
	}
	return fmt.Sprintf("%s %d machines", sign, n)
}

func (p *ScalingPolicy) metricName() string {
	if p.Metric == metricCPU {
		return "CPU"
	}
	return "requests a minute for each machine"
}

func (p *ScalingPolicy) format(v float64) string {
	text := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	if p.Metric == metricCPU {
		return text + " %"
	}
	return text
}
