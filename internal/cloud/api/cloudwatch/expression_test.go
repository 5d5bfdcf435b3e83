package cloudwatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
)

// sumOf returns a query of a metric that returns no data.
func sumOf(id string, period int32) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
		Stat: aws.String("Sum"), Period: &period,
		Metric: &types.Metric{Namespace: aws.String("Own"), MetricName: aws.String(id)},
	}}
}

func expression(id, text string) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, Expression: &text}
}

func TestGetMetricDataComputesExpressions(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, metrics *metric.Store) {
		for i, requests := range []float64{100, 200, 0, 50} {
			if requests > 0 {
				id := metric.NewID("Own", "requests")
				metrics.Add("eu-west-1", id, minute(10-i), "Count", metric.SummaryOf(requests, 1))
			}
		}
		metrics.Add("eu-west-1", metric.NewID("Own", "errors"), minute(9), "Count", metric.SummaryOf(20, 1))
		rate := expression("rate", "100 * errors / requests")
		rate.Label = aws.String("Errors in percent")
		filled := expression("filled", "FILL(requests, 0)")
		got, err := c.GetMetricData(t.Context(), &client.GetMetricDataInput{
			StartTime: aws.Time(minute(10)), EndTime: aws.Time(time.Now().Add(time.Hour)),
			ScanBy: types.ScanByTimestampAscending,
			MetricDataQueries: []types.MetricDataQuery{
				rate, sumOf("errors", 60), sumOf("requests", 60), filled, expression("all", "METRICS()"),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		var results []string
		for _, r := range got.MetricDataResults {
			first := r.Timestamps[0].Sub(minute(10)).Minutes()
			values := r.Values[:min(4, len(r.Values))]
			results = append(results, fmt.Sprintf("%s %s from %g: %v", *r.Id, *r.Label, first, values))
		}
		want := []string{
			"rate Errors in percent from 0: [0 10 0]", "filled filled from 0: [100 200 0 50]",
			"all errors from 1: [20]", "all requests from 0: [100 200 50]",
		}
		if !slices.Equal(results, want) {
			t.Errorf("got  %q\nwant %q", results, want)
		}
		// Nothing is computed for the future.
		if n := len(got.MetricDataResults[1].Values); n < 10 || n > 12 {
			t.Errorf("%d minutes are filled", n)
		}
	})
}

func TestMistakesInExpressionsAreRefused(t *testing.T) {
	both := sumOf("e", 60)
	both.Expression = aws.String("m + m")
	tooLong := expression("e", "m"+strings.Repeat(" + m", 600))
	for name, tc := range map[string]struct {
		queries     []types.MetricDataQuery
		code, words string
	}{
		"two ways": {[]types.MetricDataQuery{both}, "ValidationError", "mutually exclusive"},
		"none": {
			[]types.MetricDataQuery{{Id: aws.String("e")}}, "ValidationError",
			"The parameter MetricDataQueries.member.1.MetricStat is required.\n",
		},
		"too long":   {[]types.MetricDataQuery{tooLong, sumOf("m", 60)}, "ValidationError", "2048"},
		"another id": {[]types.MetricDataQuery{expression("e", "m1 / m"), sumOf("m", 60)}, "ValidationError", "m1"},
		"no metric":  {[]types.MetricDataQuery{expression("e", "TIME_SERIES(1)")}, "ValidationError", "Period"},
		"other periods": {
			[]types.MetricDataQuery{expression("e", "m + n"), sumOf("m", 60), sumOf("n", 300)},
			"NotImplemented", "different periods",
		},
		"a search": {
			[]types.MetricDataQuery{expression("e", "SUM(SEARCH('x', 'Sum'))"), sumOf("m", 60)},
			"NotImplemented", "SEARCH",
		},
		"a typo": {
			[]types.MetricDataQuery{expression("e", "TOTAL(m)"), sumOf("m", 60)}, "ValidationError",
			"Error in expression 'e': Function 'TOTAL' not found",
		},
	} {
		t.Run(name, func(t *testing.T) {
			overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
				_, err := c.GetMetricData(t.Context(), &client.GetMetricDataInput{
					StartTime: aws.Time(minute(1)), EndTime: aws.Time(minute(0)), MetricDataQueries: tc.queries,
				})
				wantCode(t, err, tc.code, tc.words)
			})
		})
	}
}

func TestAlarmsOfExpressions(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		put := func(queries ...types.MetricDataQuery) error {
			_, err := c.PutMetricAlarm(t.Context(), high("rate", func(in *client.PutMetricAlarmInput) {
				in.MetricName, in.Namespace, in.Statistic, in.Period, in.Metrics = nil, nil, "", nil, queries
			}))
			return err
		}
		hidden := expression("h", "m + m")
		hidden.ReturnData = aws.Bool(false)
		if err := put(expression("e", "h / n"), hidden, sumOf("m", 60), sumOf("n", 60)); err != nil {
			t.Fatal(err)
		}
		got, err := c.DescribeAlarms(t.Context(), &client.DescribeAlarmsInput{})
		if err != nil || len(got.MetricAlarms) != 1 || *got.MetricAlarms[0].Metrics[0].Expression != "h / n" ||
			got.MetricAlarms[0].Period != nil {
			t.Errorf("%+v, %v", got, err)
		}
		// Alarms on expressions are not those of a metric.
		of, err := c.DescribeAlarmsForMetric(t.Context(), &client.DescribeAlarmsForMetricInput{
			Namespace: aws.String("Own"), MetricName: aws.String("m"),
		})
		if err != nil || len(of.MetricAlarms) != 0 {
			t.Errorf("%+v, %v", of, err)
		}
		wantCode(t, put(expression("e", "SEARCH('x', 'Sum')"), sumOf("m", 60)), "ValidationError",
			"SEARCH is not supported on Metric Alarms.")
		wantCode(t, put(expression("e", "METRICS()"), sumOf("m", 60)), "ValidationError", "multi time series")
		wantCode(t, put(expression("e", "TIME_SERIES(1)"), sumOf("m", 60)), "ValidationError", "at least one metric")
		wantCode(t, put(expression("e", "m"), expression("f", "m"), sumOf("m", 60)), "ValidationError", "Exactly one")
		wantCode(t, put(expression("e", "m"), sumOf("m", 5)), "ValidationError", "Period must be 10")
		many := []types.MetricDataQuery{expression("e", "SUM(METRICS())")}
		for i := range 11 {
			many = append(many, sumOf(fmt.Sprintf("m%d", i), 60))
		}
		wantCode(t, put(many...), "ValidationError", "Too many metrics in alarm, maximum is 10")
	})
}
