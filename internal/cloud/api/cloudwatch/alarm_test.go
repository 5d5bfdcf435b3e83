package cloudwatch_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
)

const policyARN = "arn:aws:autoscaling:eu-west-1:000000000000:scalingPolicy:1:autoScalingGroupName/web:policyName/out"

// high returns a request for an alarm, changed by change if it is not nil.
func high(name string, change func(in *client.PutMetricAlarmInput)) *client.PutMetricAlarmInput {
	in := &client.PutMetricAlarmInput{
		AlarmName:          &name,
		Namespace:          aws.String("Own"),
		MetricName:         aws.String("load"),
		Statistic:          "Average",
		Period:             aws.Int32(60),
		EvaluationPeriods:  aws.Int32(2),
		Threshold:          aws.Float64(2),
		ComparisonOperator: "GreaterThanThreshold",
	}
	if change != nil {
		change(in)
	}
	return in
}

// onInstance gives an alarm an action, and a metric with a dimension.
func onInstance(action, name string) func(in *client.PutMetricAlarmInput) {
	return func(in *client.PutMetricAlarmInput) {
		in.AlarmActions, in.Dimensions = []string{action}, []types.Dimension{dimension(name, "i-1")}
	}
}

func TestNewAlarmHasInsufficientData(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		if _, err := c.PutMetricAlarm(t.Context(), high("busy", func(in *client.PutMetricAlarmInput) {
			in.Dimensions = []types.Dimension{dimension("InstanceId", "i-1")}
			in.OKActions = []string{"arn:aws:automate:eu-west-1:ec2:stop"}
		})); err != nil {
			t.Fatal(err)
		}
		got, err := c.DescribeAlarms(t.Context(), &client.DescribeAlarmsInput{})
		if err != nil || len(got.MetricAlarms) != 1 || got.CompositeAlarms == nil {
			t.Fatalf("%+v %v", got, err)
		}
		a := got.MetricAlarms[0]
		if a.StateValue != "INSUFFICIENT_DATA" || *a.StateReason != "Unchecked: Initial alarm creation" ||
			!*a.ActionsEnabled || a.StateReasonData != nil ||
			len(a.OKActions) != 1 || a.AlarmActions == nil || a.InsufficientDataActions == nil ||
			a.TreatMissingData != nil || a.Unit != "" || a.DatapointsToAlarm != nil ||
			*a.AlarmArn != "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:busy" ||
			*a.Period != 60 || *a.Threshold != 2 ||
			a.StateUpdatedTimestamp == nil || a.AlarmConfigurationUpdatedTimestamp == nil ||
			len(a.Dimensions) != 1 || *a.Dimensions[0].Value != "i-1" {
			t.Errorf("%+v", a)
		}
	})
}

func TestAlarmStateAndHistory(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		ctx := t.Context()
		if _, err := c.PutMetricAlarm(ctx, high("busy", nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.SetAlarmState(ctx, &client.SetAlarmStateInput{
			AlarmName: aws.String("busy"), StateValue: "ALARM", StateReason: aws.String("a test"),
			StateReasonData: aws.String(`{"v":1}`),
		}); err != nil {
			t.Fatal(err)
		}
		// A new configuration keeps the state.
		if _, err := c.PutMetricAlarm(
			ctx, high("busy", func(in *client.PutMetricAlarmInput) { in.Threshold = aws.Float64(3) }),
		); err != nil {
			t.Fatal(err)
		}
		got, err := c.DescribeAlarms(ctx, &client.DescribeAlarmsInput{StateValue: "ALARM"})
		if err != nil || len(got.MetricAlarms) != 1 || *got.MetricAlarms[0].StateReason != "a test" ||
			*got.MetricAlarms[0].Threshold != 3 ||
			*got.MetricAlarms[0].StateReasonData != `{"v":1}` {
			t.Fatalf("%+v %v", got, err)
		}
		if _, err := c.DeleteAlarms(ctx, &client.DeleteAlarmsInput{AlarmNames: []string{"busy", "never"}}); err != nil {
			t.Fatal(err)
		}
		history, err := c.DescribeAlarmHistory(
			ctx,
			&client.DescribeAlarmHistoryInput{AlarmName: aws.String("busy"), ScanBy: "TimestampAscending"},
		)
		if err != nil {
			t.Fatal(err)
		}
		var summaries []string
		for _, item := range history.AlarmHistoryItems {
			summaries = append(summaries, *item.HistorySummary)
			if !json.Valid([]byte(*item.HistoryData)) || *item.AlarmName != "busy" || item.AlarmType != "MetricAlarm" {
				t.Errorf("%+v", item)
			}
		}
		want := []string{
			`Alarm "busy" created`,
			"Alarm updated from INSUFFICIENT_DATA to ALARM",
			`Alarm "busy" updated`,
			`Alarm "busy" deleted`,
		}
		if !slices.Equal(summaries, want) {
			t.Errorf("history = %q, want %q", summaries, want)
		}
		only, err := c.DescribeAlarmHistory(ctx, &client.DescribeAlarmHistoryInput{HistoryItemType: "StateUpdate"})
		if err != nil || len(only.AlarmHistoryItems) != 1 {
			t.Fatalf("%+v %v", only, err)
		}
		_, err = c.SetAlarmState(
			ctx,
			&client.SetAlarmStateInput{AlarmName: aws.String("busy"), StateValue: "OK", StateReason: aws.String("")},
		)
		wantCode(t, err, "ResourceNotFound", "")
	})
}

func TestDescribeAlarmsSelects(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		ctx := t.Context()
		for i := range 120 {
			in := high(fmt.Sprintf("n%03d", i), func(in *client.PutMetricAlarmInput) {
				if i%2 == 0 {
					in.AlarmActions = []string{policyARN}
				}
				if i == 7 {
					in.MetricName, in.Namespace, in.Statistic, in.Period = nil, nil, "", nil
					in.Metrics = []types.MetricDataQuery{
						{
							Id: aws.String("m"),
							MetricStat: &types.MetricStat{Period: aws.Int32(300), Stat: aws.String("p90"),
								Metric: &types.Metric{Namespace: aws.String("Own"), MetricName: aws.String("time")}},
						},
					}
				}
			})
			if _, err := c.PutMetricAlarm(ctx, in); err != nil {
				t.Fatal(err)
			}
		}
		count := func(in *client.DescribeAlarmsInput) (n, pages int) {
			for p := client.NewDescribeAlarmsPaginator(c, in); p.HasMorePages(); pages++ {
				page, err := p.NextPage(ctx)
				if err != nil {
					t.Fatal(err)
				}
				n += len(page.MetricAlarms)
			}
			return n, pages
		}
		for _, tc := range []struct {
			in       *client.DescribeAlarmsInput
			n, pages int
		}{
			{&client.DescribeAlarmsInput{}, 120, 3},
			{&client.DescribeAlarmsInput{MaxRecords: aws.Int32(100)}, 120, 2},
			{&client.DescribeAlarmsInput{AlarmNamePrefix: aws.String("n00")}, 10, 1},
			{&client.DescribeAlarmsInput{AlarmNames: []string{"n001", "n119", "none"}}, 2, 1},
			{&client.DescribeAlarmsInput{ActionPrefix: aws.String("arn:aws:autoscaling")}, 60, 2},
			{&client.DescribeAlarmsInput{StateValue: "OK"}, 0, 1},
			{&client.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{"CompositeAlarm"}}, 0, 1},
		} {
			if n, pages := count(tc.in); n != tc.n || pages != tc.pages {
				t.Errorf("%+v: %d alarms on %d pages, want %d on %d", tc.in, n, pages, tc.n, tc.pages)
			}
		}
		on, err := c.DescribeAlarmsForMetric(ctx, &client.DescribeAlarmsForMetricInput{
			Namespace:         aws.String("Own"),
			MetricName:        aws.String("time"),
			ExtendedStatistic: aws.String("p90"),
		})
		if err != nil || len(on.MetricAlarms) != 1 || *on.MetricAlarms[0].AlarmName != "n007" ||
			*on.MetricAlarms[0].Metrics[0].MetricStat.Period != 300 ||
			on.MetricAlarms[0].Period != nil {
			t.Errorf("%+v %v", on, err)
		}
		if _, err := c.DisableAlarmActions(
			ctx, &client.DisableAlarmActionsInput{AlarmNames: []string{"n001"}},
		); err != nil {
			t.Fatal(err)
		}
		one, err := c.DescribeAlarms(ctx, &client.DescribeAlarmsInput{AlarmNames: []string{"n001"}})
		if err != nil || *one.MetricAlarms[0].ActionsEnabled {
			t.Errorf("%+v %v", one, err)
		}
	})
}

func TestAlarmTags(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		ctx, arn := t.Context(), aws.String("arn:aws:cloudwatch:eu-west-1:000000000000:alarm:busy")
		tag := func(key, value string) []types.Tag { return []types.Tag{{Key: &key, Value: &value}} }
		for range 2 { // the second round must change nothing
			if _, err := c.PutMetricAlarm(
				ctx, high("busy", func(in *client.PutMetricAlarmInput) { in.Tags = tag("tag1", "foo") }),
			); err != nil {
				t.Fatal(err)
			}
			if _, err := c.TagResource(ctx, &client.TagResourceInput{
				ResourceARN: arn, Tags: tag("tag2", "bar"),
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.UntagResource(ctx, &client.UntagResourceInput{
				ResourceARN: arn, TagKeys: []string{"tag1"},
			}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.ListTagsForResource(ctx, &client.ListTagsForResourceInput{ResourceARN: arn})
		if err != nil || len(got.Tags) != 1 || *got.Tags[0].Key != "tag2" || *got.Tags[0].Value != "bar" {
			t.Errorf("%+v %v", got, err)
		}
		_, err = c.ListTagsForResource(ctx, &client.ListTagsForResourceInput{ResourceARN: aws.String(*arn + "x")})
		wantCode(t, err, "ResourceNotFoundException", "")
	})
}

func TestInvalidAlarmIsRefused(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		for _, tc := range []struct {
			code, words string
			change      func(in *client.PutMetricAlarmInput)
		}{
			{
				"ValidationError", "'comparisonOperator'",
				func(in *client.PutMetricAlarmInput) { in.ComparisonOperator = "Near" },
			},
			{
				"ValidationError", "'evaluationPeriods'",
				func(in *client.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(0) },
			},
			{
				"ValidationError", "more than a day",
				func(in *client.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(2000) },
			},
			{"ValidationError", "multiple of 60", func(in *client.PutMetricAlarmInput) { in.Period = aws.Int32(61) }},
			{
				"ValidationError", "DatapointsToAlarm",
				func(in *client.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(3) },
			},
			{
				"ValidationError", "'never'",
				func(in *client.PutMetricAlarmInput) { in.TreatMissingData = aws.String("never") },
			},
			{"ValidationError", "arn syntax", func(in *client.PutMetricAlarmInput) { in.OKActions = []string{"mail"} }},
			{"MissingParameter", "Threshold", func(in *client.PutMetricAlarmInput) { in.Threshold = nil }},
			{
				"InvalidParameterCombination", "Statistic",
				func(in *client.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p90") },
			},
			{
				"ValidationError", "Period must be 10, 20, 30",
				func(in *client.PutMetricAlarmInput) { in.Period = aws.Int32(15) },
			},
			{"ValidationError", "Invalid region us-east-1 specified. Only eu-west-1 is supported.", onInstance(
				"arn:aws:automate:us-east-1:ec2:stop", "InstanceId",
			)},
			{"ValidationError", "with the dimension InstanceId", onInstance(
				"arn:aws:automate:eu-west-1:ec2:stop", "ImageId",
			)},
			{"NotImplemented", "arn:aws:lambda", func(in *client.PutMetricAlarmInput) {
				in.AlarmActions = []string{"arn:aws:lambda:eu-west-1:000000000000:function:f"}
			}},
			{
				"NotImplemented", "anomaly",
				func(in *client.PutMetricAlarmInput) { in.ThresholdMetricId = aws.String("b") },
			},
			{"NotImplemented", "EvaluationCriteria", func(in *client.PutMetricAlarmInput) {
				in.EvaluationCriteria = &types.EvaluationCriteriaMemberPromQLCriteria{
					Value: types.AlarmPromQLCriteria{Query: aws.String("up")},
				}
			}},
		} {
			_, err := c.PutMetricAlarm(t.Context(), high("a", tc.change))
			wantCode(t, err, tc.code, tc.words)
		}
		_, err := c.SetAlarmState(
			t.Context(),
			&client.SetAlarmStateInput{AlarmName: aws.String("a"), StateValue: "INVALID", StateReason: aws.String("")},
		)
		wantCode(
			t,
			err,
			"ValidationError",
			"1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member "+
				"must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
		)
	})
}
