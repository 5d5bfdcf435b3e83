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

// alarms reads the alarms of a group's policy and the minutes that they look at.
func (d *Deployment) alarms(ctx context.Context, s *Scaling) error {
	alarms, err := d.cloud.Alarms(ctx, stack.ScalingName(d.cfg.App))
	if err != nil {
		return err
	}
	for _, a := range alarms {
		values, err := d.minutes(ctx, a)
		if err != nil {
			return err
		}
		alarm := ScalingAlarm{
			Name: aws.ToString(a.AlarmName), State: string(a.StateValue), Threshold: aws.ToFloat64(a.Threshold),
			High: a.ComparisonOperator == types.ComparisonOperatorGreaterThanThreshold ||
				a.ComparisonOperator == types.ComparisonOperatorGreaterThanOrEqualToThreshold,
			Needed: int(cmp.Or(aws.ToInt32(a.DatapointsToAlarm), aws.ToInt32(a.EvaluationPeriods))),
		}
		for _, v := range values {
			if beyond := alarm.High && v > alarm.Threshold || !alarm.High && v < alarm.Threshold; !beyond {
				break
			}
			alarm.Beyond++
		}
		alarm.Beyond = min(alarm.Beyond, alarm.Needed)
		if len(values) > 0 && (alarm.High || s.Policy.Value == nil) {
			s.Policy.Value = &values[0]
		}
		s.Policy.Alarms = append(s.Policy.Alarms, alarm)
	}
	return nil
}

// minutes are an alarm's last values, the youngest first. The minute under way is
// none yet.
func (d *Deployment) minutes(ctx context.Context, a types.MetricAlarm) ([]float64, error) {
	period := time.Duration(cmp.Or(aws.ToInt32(a.Period), 60)) * time.Second
	queries := a.Metrics
	if len(queries) == 0 {
		queries = []types.MetricDataQuery{
			{Id: aws.String("m"), ReturnData: aws.Bool(true), MetricStat: &types.MetricStat{
				Metric: &types.Metric{
					Namespace:  a.Namespace,
					MetricName: a.MetricName,
					Dimensions: a.Dimensions,
				}, Period: aws.Int32(int32(period / time.Second)), Stat: aws.String(string(a.Statistic)),
			}},
		}
	}
	end := time.Now().Truncate(period)
	list, err := d.cloud.CW.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: aws.Time(end.Add(-time.Duration(aws.ToInt32(a.EvaluationPeriods)+2) * period)), EndTime: &end, ScanBy: types.ScanByTimestampDescending,
	})
	if err != nil {
		return nil, fmt.Errorf("read the metric of alarm %s: %w", aws.ToString(a.AlarmName), err)
	}
	for _, r := range list.MetricDataResults {
		return r.Values, nil
	}
	return nil, nil
}

// outlook tells what a policy will do next: "CPU 71 % against 60 %: 2 of 3 minutes
// above; next: + 1 machine".
func (s *Scaling) outlook() string {
	p := s.Policy
	if p.Value == nil {
		return fmt.Sprintf("%s: nothing measured yet, against %s; no change", p.measure(), p.amount(p.Target))
	}
	text := fmt.Sprintf("%s %s against %s", p.measure(), p.amount(*p.Value), p.amount(p.Target))
	wanted := int(math.Ceil(float64(s.Desired) * *p.Value / p.Target))
	for _, a := range p.Alarms {
		switch {
		case a.Beyond == 0 && a.State != "ALARM":
			continue
		case a.High && s.Desired >= s.Max:
			return fmt.Sprintf("%s: %s; there are as many machines as may be", text, a.minutes())
		case a.High:
			return fmt.Sprintf(
				"%s: %s; next: %s",
				text,
				a.minutes(),
				machines(min(max(wanted, s.Desired+1), s.Max)-s.Desired),
			)
		case s.Desired <= s.Min:
			return fmt.Sprintf("%s: %s; there are as few machines as may be", text, a.minutes())
		default:
			return fmt.Sprintf(
				"%s: %s; next: %s",
				text,
				a.minutes(),
				machines(max(min(wanted, s.Desired-1), s.Min)-s.Desired),
			)
		}
	}
	return text + ": no change"
}

func (a ScalingAlarm) minutes() string {
	side := "below"
	if a.High {
		side = "above"
	}
	return fmt.Sprintf(
		"%d of %d minutes %s %s",
		a.Beyond,
		a.Needed,
		side,
		strconv.FormatFloat(a.Threshold, 'f', -1, 64),
	)
}

// machines tells a change of their number: "+ 2 machines".
func machines(change int) string {
	sign, n := "+", change
	if change < 0 {
		sign, n = "-", -change
	}
	if n == 1 {
		return sign + " 1 machine"
	}
	return fmt.Sprintf("%s %d machines", sign, n)
}

func (p *ScalingPolicy) measure() string {
	if p.Metric == "cpu" {
		return "CPU"
	}
	return "requests a minute for each machine"
}

func (p *ScalingPolicy) amount(v float64) string {
	text := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	if p.Metric == "cpu" {
		return text + " %"
	}
	return text
}
