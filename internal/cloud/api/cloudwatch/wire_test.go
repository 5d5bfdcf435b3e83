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

// protocols are those that CloudWatch speaks: of today's SDKs and command line
// and of older ones.
var protocols = map[string]smithyhttp.ClientProtocol{
	"cbor":  rpcv2.NewCBOR(schemas.GraniteServiceVersion20100801),
	"json":  awsjson.New10(schemas.GraniteServiceVersion20100801),
	"query": awsquery.New(schemas.GraniteServiceVersion20100801),
}

// everywhere runs a test over every protocol, with a store of its own.
func everywhere(t *testing.T, do func(t *testing.T, c *client.Client, metrics *metric.Store)) {
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
					RetryMaxAttempts: config.RetryMaxAttempts, HTTPClient: config.HTTPClient, Credentials: config.Credentials}),
				metrics,
			)
		})
	}
}

func dimension(name, value string) types.Dimension {
	return types.Dimension{Name: &name, Value: &value}
}

// minute is a whole minute, so many before now.
func minute(before int) time.Time {
	return time.Now().UTC().Truncate(time.Minute).Add(-time.Duration(before) * time.Minute)
}

func wantCode(t *testing.T, err error, code, words string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		t.Errorf("got %v, want %s with %q", err, code, words)
	}
}

func TestALoadBalancersMetricsAreRead(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client.Client, metrics *metric.Store) {
		id := metric.NewID(
			"AWS/ApplicationELB",
			"TargetResponseTime",
			metric.Dimension{Name: "LoadBalancer", Value: "app/web/1"},
		)
		for i := range 100 {
			metrics.Add("eu-west-1", id, minute(10+i%2), "Seconds", metric.Of(float64(i+1)/1000, 1))
		}
		metrics.Add("us-east-1", id, minute(10), "Seconds", metric.Of(1, 1))
		got, err := c.GetMetricStatistics(t.Context(), &client.GetMetricStatisticsInput{
			Namespace: aws.String(
				"AWS/ApplicationELB",
			), MetricName: aws.String("TargetResponseTime"), Dimensions: []types.Dimension{dimension("LoadBalancer", "app/web/1")},
			StartTime: aws.Time(minute(20)), EndTime: aws.Time(time.Now()), Period: aws.Int32(1200),
			Statistics: []types.Statistic{"Sum", "Average", "SampleCount", "Minimum", "Maximum"},
		})
		if err != nil || len(got.Datapoints) != 1 || *got.Label != "TargetResponseTime" {
			t.Fatalf("%+v %v", got, err)
		}
		p := got.Datapoints[0]
		if math.Abs(*p.Sum-5.05) > 1e-9 || math.Abs(*p.Average-0.0505) > 1e-9 || *p.SampleCount != 100 ||
			*p.Minimum != 0.001 ||
			*p.Maximum != 0.1 ||
			p.Unit != types.StandardUnitSeconds ||
			!p.Timestamp.Equal(minute(20)) {
			t.Errorf(
				"%v %v %v %v %v %v %v",
				*p.Sum,
				*p.Average,
				*p.SampleCount,
				*p.Minimum,
				*p.Maximum,
				p.Unit,
				p.Timestamp,
			)
		}
		got, err = c.GetMetricStatistics(t.Context(), &client.GetMetricStatisticsInput{
			Namespace: aws.String(
				"AWS/ApplicationELB",
			), MetricName: aws.String("TargetResponseTime"), Dimensions: []types.Dimension{dimension("LoadBalancer", "app/web/1")},
			StartTime: aws.Time(
				minute(11),
			), EndTime: aws.Time(minute(9)), Period: aws.Int32(60), ExtendedStatistics: []string{"p50", "p99.9", "tm90"},
		})
		if err != nil || len(got.Datapoints) != 2 {
			t.Fatalf("%+v %v", got, err)
		}
		first := got.Datapoints[0].ExtendedStatistics
		if math.Abs(first["p50"]-0.05) > 0.0005 || math.Abs(first["p99.9"]-0.1) > 0.0005 ||
			math.Abs(first["tm90"]-0.046) > 0.0005 ||
			got.Datapoints[0].Sum != nil {
			t.Errorf("%v", first)
		}
	})
}

func TestOwnMetricsComeBack(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		// More than 10 KB are sent compressed.
		data := make([]types.MetricDatum, 0, 300)
		for i := range 300 {
			data = append(
				data,
				types.MetricDatum{
					MetricName: aws.String("Size"),
					Value:      aws.Float64(float64(i)),
					Unit:       types.StandardUnitBytes,
					Timestamp: aws.Time(
						minute(5),
					),
					Dimensions: []types.Dimension{dimension("App", "a"), dimension("Kind", fmt.Sprint(i%2))},
				},
			)
		}
		data = append(
			data,
			types.MetricDatum{
				MetricName: aws.String("Set"),
				StatisticValues: &types.StatisticSet{
					SampleCount: aws.Float64(4),
					Sum:         aws.Float64(10),
					Minimum:     aws.Float64(-1),
					Maximum:     aws.Float64(6),
				},
			},
			types.MetricDatum{MetricName: aws.String("Many"), Values: []float64{1, 2, 3}, Counts: []float64{1, 2, 1}},
		)
		if _, err := c.PutMetricData(t.Context(), &client.PutMetricDataInput{Namespace: aws.String("Own"), MetricData: data}); err != nil {
			t.Fatal(err)
		}
		listed, err := c.ListMetrics(
			t.Context(),
			&client.ListMetricsInput{Namespace: aws.String("Own"), RecentlyActive: types.RecentlyActivePt3h},
		)
		var names []string
		for _, m := range listed.Metrics {
			names = append(names, fmt.Sprint(*m.MetricName, len(m.Dimensions)))
		}
		if err != nil || !slices.Equal(names, []string{"Many0", "Set0", "Size2", "Size2"}) {
			t.Errorf("%v %v", names, err)
		}
		listed, err = c.ListMetrics(
			t.Context(),
			&client.ListMetricsInput{
				Dimensions: []types.DimensionFilter{
					{Name: aws.String("Kind"), Value: aws.String("1")},
					{Name: aws.String("App")},
				},
			},
		)
		if err != nil || len(listed.Metrics) != 1 || *listed.Metrics[0].Dimensions[1].Value != "1" {
			t.Errorf("%+v %v", listed, err)
		}
		size := func(kind string) *types.MetricStat {
			return &types.MetricStat{Stat: aws.String("Sum"), Period: aws.Int32(60), Metric: &types.Metric{
				Namespace: aws.String(
					"Own",
				), MetricName: aws.String("Size"), Dimensions: []types.Dimension{dimension("Kind", kind), dimension("App", "a")}}}
		}
		many := &types.MetricStat{
			Stat:   aws.String("p50"),
			Period: aws.Int32(300),
			Unit:   types.StandardUnitNone,
			Metric: &types.Metric{Namespace: aws.String("Own"), MetricName: aws.String("Many")},
		}
		got, err := c.GetMetricData(
			t.Context(),
			&client.GetMetricDataInput{
				StartTime: aws.Time(minute(60)),
				EndTime:   aws.Time(time.Now().Add(time.Minute)),
				MetricDataQueries: []types.MetricDataQuery{
					{
						Id:         aws.String("even"),
						MetricStat: size("0"),
					}, {Id: aws.String("odd"), MetricStat: size("1"), Label: aws.String("odd ones")},
					{
						Id:         aws.String("hidden"),
						MetricStat: size("1"),
						ReturnData: aws.Bool(false),
					}, {Id: aws.String("many"), MetricStat: many},
				},
			},
		)
		if err != nil || len(got.MetricDataResults) != 3 || got.NextToken != nil {
			t.Fatalf("%+v %v", got, err)
		}
		for i, want := range []struct {
			id, label string
			value     float64
		}{{"even", "Size", 22350}, {"odd", "odd ones", 22500}, {"many", "Many", 2}} {
			r := got.MetricDataResults[i]
			if *r.Id != want.id || *r.Label != want.label || !slices.Equal(r.Values, []float64{want.value}) ||
				len(r.Timestamps) != 1 ||
				r.StatusCode != types.StatusCodeComplete {
				t.Errorf("%s %s %v %v", *r.Id, *r.Label, r.Values, r.Timestamps)
			}
		}
	})
}

func TestAnswersComeInPages(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client.Client, metrics *metric.Store) {
		for i := range 1100 {
			metrics.Add("eu-west-1", metric.NewID("N", fmt.Sprintf("m%04d", i)), minute(1), "Count", metric.Of(1, 1))
		}
		var names []string
		for pages := client.NewListMetricsPaginator(c, &client.ListMetricsInput{Namespace: aws.String("N")}); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Metrics {
				names = append(names, *m.MetricName)
			}
		}
		if len(names) != 1100 || !slices.IsSorted(names) || names[1099] != "m1099" {
			t.Errorf("%d names", len(names))
		}
		queries := []types.MetricDataQuery{}
		for _, name := range []string{"a", "b", "none"} {
			for i := range 5 {
				if name != "none" {
					metrics.Add("eu-west-1", metric.NewID("D", name), minute(i+1), "Count", metric.Of(float64(i), 1))
				}
			}
			queries = append(
				queries,
				types.MetricDataQuery{
					Id: aws.String(name),
					MetricStat: &types.MetricStat{
						Stat:   aws.String("Sum"),
						Period: aws.Int32(60),
						Metric: &types.Metric{Namespace: aws.String("D"), MetricName: &name},
					},
				},
			)
		}
		for _, order := range []types.ScanBy{types.ScanByTimestampAscending, types.ScanByTimestampDescending} {
			values, rounds := map[string][]float64{}, 0
			pages := client.NewGetMetricDataPaginator(
				c,
				&client.GetMetricDataInput{
					StartTime:         aws.Time(minute(10)),
					EndTime:           aws.Time(time.Now()),
					MetricDataQueries: queries,
					MaxDatapoints:     aws.Int32(3),
					ScanBy:            order,
				},
			)
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
				t.Errorf("%s: %v in %d pages", order, values, rounds)
			}
		}
	})
}

func TestWhatIsWrongIsRefusedInAWSsCodes(t *testing.T) {
	everywhere(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
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
			put("Own", types.MetricDatum{Value: aws.Float64(1), StorageResolution: aws.Int32(1)}),
			"NotImplemented",
			"StorageResolution",
		)
		if err := put("Own", types.MetricDatum{Value: aws.Float64(-1)}); err != nil {
			t.Error(err)
		}

		_, err := c.GetMetricData(
			ctx,
			&client.GetMetricDataInput{
				StartTime:         aws.Time(minute(1)),
				EndTime:           aws.Time(minute(0)),
				MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("e"), Expression: aws.String("m1/m2")}},
			},
		)
		wantCode(t, err, "NotImplemented", "metric math")
		_, err = c.ListMetrics(ctx, &client.ListMetricsInput{NextToken: aws.String("x")})
		wantCode(t, err, "InvalidNextToken", "")
		_, err = c.PutDashboard(
			ctx,
			&client.PutDashboardInput{DashboardName: aws.String("a"), DashboardBody: aws.String("{}")},
		)
		wantCode(t, err, "NotImplemented", "monitoring:PutDashboard")
		// Typed errors reach SDKs of every protocol but query's older form.
		err = stats(func(in *client.GetMetricStatisticsInput) { in.Period = aws.Int32(61) })
		if _, ok := errors.AsType[*types.InvalidParameterValueException](err); !ok {
			t.Errorf("%T", err)
		}
	})
}
