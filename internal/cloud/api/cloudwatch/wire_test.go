package cloudwatch_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"

	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// protocols are those that CloudWatch speaks, with today's SDKs and command line
// and with older ones.
var protocols = map[string]smithyhttp.ClientProtocol{
	"cbor":  rpcv2.NewCBOR(schemas.GraniteServiceVersion20100801),
	"json":  awsjson.New10(schemas.GraniteServiceVersion20100801),
	"query": awsquery.New(schemas.GraniteServiceVersion20100801),
}

// overEveryProtocol runs a test over every protocol, each time with an empty
// store.
func overEveryProtocol(t *testing.T, do func(t *testing.T, c *client.Client, metrics *metric.Store)) {
	for name, protocol := range protocols {
		t.Run(name, func(t *testing.T) {
			metrics := &metric.Store{}
			rows, err := store.Open("")
			if err != nil {
				t.Fatal(err)
			}
			config := wiretest.Serve(
				t,
				"eu-west-1",
				wire.Service{Name: "monitoring", API: cloudwatch.New(cloudwatch.Config{Metrics: metrics, Store: rows})},
			)
			do(
				t,
				client.New(client.Options{Protocol: protocol, Region: config.Region, BaseEndpoint: config.BaseEndpoint,
					RetryMaxAttempts: config.RetryMaxAttempts, HTTPClient: config.HTTPClient,
					Credentials: config.Credentials}),
				metrics,
			)
		})
	}
}

func dimension(name, value string) types.Dimension {
	return types.Dimension{Name: &name, Value: &value}
}

// minute returns the start of a minute in the past.
func minute(ago int) time.Time {
	return time.Now().UTC().Truncate(time.Minute).Add(-time.Duration(ago) * time.Minute)
}

func wantCode(t *testing.T, err error, code, words string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		t.Errorf("got %v, want %s with %q", err, code, words)
	}
}

func TestResponsesArePaged(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, metrics *metric.Store) {
		for i := range 1100 {
			metrics.Add(
				"eu-west-1", metric.NewID("N", fmt.Sprintf("m%04d", i)), minute(1), "Count", metric.SummaryOf(1, 1),
			)
		}
		var names []string
		for pages := client.NewListMetricsPaginator(
			c, &client.ListMetricsInput{Namespace: aws.String("N")},
		); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Metrics {
				names = append(names, *m.MetricName)
			}
		}
		if len(names) != 1100 || !slices.IsSorted(names) || names[1099] != "m1099" {
			t.Errorf("listed %d names, want 1100 in order", len(names))
		}
		queries := []types.MetricDataQuery{}
		for _, name := range []string{"a", "b", "none"} {
			for i := range 5 {
				if name != "none" {
					metrics.Add(
						"eu-west-1", metric.NewID("D", name), minute(i+1), "Count", metric.SummaryOf(float64(i), 1),
					)
				}
			}
			queries = append(queries, types.MetricDataQuery{
				Id: aws.String(name),
				MetricStat: &types.MetricStat{
					Stat:   aws.String("Sum"),
					Period: aws.Int32(60),
					Metric: &types.Metric{Namespace: aws.String("D"), MetricName: &name},
				},
			})
		}
		for _, order := range []types.ScanBy{types.ScanByTimestampAscending, types.ScanByTimestampDescending} {
			values, rounds := map[string][]float64{}, 0
			pages := client.NewGetMetricDataPaginator(c, &client.GetMetricDataInput{
				StartTime:         aws.Time(minute(10)),
				EndTime:           aws.Time(time.Now()),
				MetricDataQueries: queries,
				MaxDatapoints:     aws.Int32(3),
				ScanBy:            order,
			})
			for ; pages.HasMorePages(); rounds++ {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.MetricDataResults {
					values[*r.Id] = append(values[*r.Id], r.Values...)
				}
			}
			want := []float64{4, 3, 2, 1, 0}
			if order == types.ScanByTimestampDescending {
				want = []float64{0, 1, 2, 3, 4}
			}
			if _, listed := values["none"]; rounds != 4 || !slices.Equal(values["a"], want) ||
				!slices.Equal(values["b"], want) ||
				!listed {
				t.Errorf("%s: values %v in %d pages", order, values, rounds)
			}
		}
	})
}

func TestInvalidRequestsAreRefused(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		ctx := t.Context()
		stats := func(change func(in *client.GetMetricStatisticsInput)) error {
			in := &client.GetMetricStatisticsInput{
				Namespace:  aws.String("N"),
				MetricName: aws.String("m"),
				Period:     aws.Int32(60),
				StartTime:  aws.Time(minute(10)),
				EndTime:    aws.Time(minute(0)),
				Statistics: []types.Statistic{"Sum"},
			}
			change(in)
			_, err := c.GetMetricStatistics(ctx, in)
			return err
		}
		wantCode(
			t,
			stats(func(in *client.GetMetricStatisticsInput) { in.StartTime = aws.Time(minute(3000)) }),
			"InvalidParameterCombination",
			"3000 datapoints, which exceeds the limit of 1440",
		)
		wantCode(
			t,
			stats(func(in *client.GetMetricStatisticsInput) { in.Statistics = nil }),
			"InvalidParameterCombination",
			"At least one",
		)
		wantCode(
			t,
			stats(func(in *client.GetMetricStatisticsInput) { in.Period = aws.Int32(61) }),
			"InvalidParameterValue",
			"Period",
		)
		wantCode(
			t,
			stats(func(in *client.GetMetricStatisticsInput) { in.EndTime = in.StartTime }),
			"InvalidParameterValue",
			"StartTime must be less",
		)
		wantCode(
			t,
			stats(func(in *client.GetMetricStatisticsInput) { in.ExtendedStatistics = []string{"p101"} }),
			"InvalidParameterValue",
			"p101",
		)
		wantCode(
			t,
			stats(func(in *client.GetMetricStatisticsInput) { in.Namespace = aws.String("") }),
			"MissingParameter",
			"Namespace",
		)

		put := func(namespace string, d types.MetricDatum) error {
			d.MetricName = aws.String("m")
			_, err := c.PutMetricData(
				ctx,
				&client.PutMetricDataInput{Namespace: &namespace, MetricData: []types.MetricDatum{d}},
			)
			return err
		}
		wantCode(t, put("AWS/EC2", types.MetricDatum{Value: aws.Float64(1)}), "InvalidParameterValue", "Namespace")
		wantCode(t, put("Own", types.MetricDatum{}), "MissingParameter", "Value")
		wantCode(
			t,
			put("Own", types.MetricDatum{Value: aws.Float64(1), Values: []float64{1}}),
			"InvalidParameterCombination",
			"mutually exclusive",
		)
		wantCode(t, put("Own", types.MetricDatum{Value: aws.Float64(math.Inf(1))}), "InvalidParameterValue", "2^360")
		wantCode(
			t,
			put("Own", types.MetricDatum{Value: aws.Float64(1), Timestamp: aws.Time(minute(60 * 24 * 15))}),
			"InvalidParameterValue",
			"two weeks",
		)
		wantCode(
			t,
			put("Own", types.MetricDatum{Value: aws.Float64(1), StorageResolution: aws.Int32(2)}),
			"InvalidParameterValue",
			"StorageResolution must be 1 or 60",
		)
		if err := put("Own", types.MetricDatum{Value: aws.Float64(-1)}); err != nil {
			t.Error(err)
		}

		_, err := c.ListMetrics(ctx, &client.ListMetricsInput{NextToken: aws.String("x")})
		wantCode(t, err, "InvalidParameterValue", "Request parameter NextToken is invalid")
		_, err = c.PutAnomalyDetector(ctx, &client.PutAnomalyDetectorInput{})
		wantCode(t, err, "NotImplemented", "monitoring:PutAnomalyDetector")
		// SDKs get typed errors over each of these protocols.
		err = stats(func(in *client.GetMetricStatisticsInput) { in.Period = aws.Int32(61) })
		if _, ok := errors.AsType[*types.InvalidParameterValueException](err); !ok {
			t.Errorf("%T", err)
		}
	})
}
