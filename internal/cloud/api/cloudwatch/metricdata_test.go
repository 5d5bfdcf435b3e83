package cloudwatch_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
)

func TestGetMetricStatistics(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, metrics *metric.Store) {
		id := metric.NewID(
			"AWS/ApplicationELB", "TargetResponseTime", metric.Dimension{Name: "LoadBalancer", Value: "app/web/1"},
		)
		for i := range 100 {
			metrics.Add("eu-west-1", id, minute(10+i%2), "Seconds", metric.SummaryOf(float64(i+1)/1000, 1))
		}
		metrics.Add("us-east-1", id, minute(10), "Seconds", metric.SummaryOf(1, 1))
		got, err := c.GetMetricStatistics(t.Context(), &client.GetMetricStatisticsInput{
			Namespace:  aws.String("AWS/ApplicationELB"),
			MetricName: aws.String("TargetResponseTime"),
			Dimensions: []types.Dimension{dimension("LoadBalancer", "app/web/1")},
			StartTime:  aws.Time(minute(20)), EndTime: aws.Time(time.Now()), Period: aws.Int32(1200),
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
				"%v %v %v %v %v %v %v", *p.Sum, *p.Average, *p.SampleCount, *p.Minimum, *p.Maximum, p.Unit, p.Timestamp,
			)
		}
		got, err = c.GetMetricStatistics(t.Context(), &client.GetMetricStatisticsInput{
			Namespace:  aws.String("AWS/ApplicationELB"),
			MetricName: aws.String("TargetResponseTime"),
			Dimensions: []types.Dimension{dimension("LoadBalancer", "app/web/1")},
			StartTime:  aws.Time(minute(11)),
			EndTime:    aws.Time(minute(9)),
			Period:     aws.Int32(60),

			ExtendedStatistics: []string{"p50", "p99.9", "tm90"},
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

func TestPutMetricData(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		// The SDK compresses more than 10 KB.
		data := make([]types.MetricDatum, 0, 300)
		for i := range 300 {
			data = append(data, types.MetricDatum{
				MetricName: aws.String("Size"),
				Value:      aws.Float64(float64(i)),
				Unit:       types.StandardUnitBytes,
				Timestamp:  aws.Time(minute(5)),
				Dimensions: []types.Dimension{dimension("App", "a"), dimension("Kind", fmt.Sprint(i%2))},
			})
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
		if _, err := c.PutMetricData(t.Context(), &client.PutMetricDataInput{
			Namespace: aws.String("Own"), MetricData: data,
		}); err != nil {
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
		listed, err = c.ListMetrics(t.Context(), &client.ListMetricsInput{
			Dimensions: []types.DimensionFilter{
				{Name: aws.String("Kind"), Value: aws.String("1")},
				{Name: aws.String("App")},
			},
		})
		if err != nil || len(listed.Metrics) != 1 || *listed.Metrics[0].Dimensions[1].Value != "1" {
			t.Errorf("%+v %v", listed, err)
		}
		size := func(kind string) *types.MetricStat {
			return &types.MetricStat{Stat: aws.String("Sum"), Period: aws.Int32(60), Metric: &types.Metric{
				Namespace:  aws.String("Own"),
				MetricName: aws.String("Size"),
				Dimensions: []types.Dimension{dimension("Kind", kind), dimension("App", "a")},
			}}
		}
		many := &types.MetricStat{
			Stat:   aws.String("p50"),
			Period: aws.Int32(300),
			Unit:   types.StandardUnitNone,
			Metric: &types.Metric{Namespace: aws.String("Own"), MetricName: aws.String("Many")},
		}
		got, err := c.GetMetricData(t.Context(), &client.GetMetricDataInput{
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
		})
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

func TestLabelsHavePropertiesOfMetrics(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		get := func(label string, change func(*types.MetricDataQuery)) (string, error) {
			q := types.MetricDataQuery{Id: aws.String("m"), Label: &label, MetricStat: &types.MetricStat{
				Stat: aws.String("Sum"), Period: aws.Int32(300), Metric: &types.Metric{
					Namespace: aws.String("Own"), MetricName: aws.String("requests"),
					Dimensions: []types.Dimension{{Name: aws.String("Host"), Value: aws.String("web-1")}},
				},
			}}
			change(&q)
			out, err := c.GetMetricData(t.Context(), &client.GetMetricDataInput{
				StartTime: aws.Time(minute(1)), EndTime: aws.Time(minute(0)),
				MetricDataQueries: []types.MetricDataQuery{q},
			})
			if err != nil {
				return "", err
			}
			return *out.MetricDataResults[0].Label, nil
		}
		const label = "a ${LABEL} of ${PROP('Dim.Host')}: ${PROP(\"Namespace\")}/${PROP('MetricName')} " +
			"${PROP('Stat')} ${PROP('Period')} ${PROP('Region')} ${PROP('AccountId')} $1"
		got, err := get(label, func(*types.MetricDataQuery) {})
		if want := "a requests of web-1: Own/requests Sum 300 eu-west-1 000000000000 $1"; err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
		for _, unknown := range []string{"${AVG}", "${PROP('Dim.Zone')}", "${PROP('AccountLabel')}", "${}"} {
			_, err := get("x "+unknown, func(*types.MetricDataQuery) {})
			wantCode(t, err, "NotImplemented", unknown)
		}
		got, err = get("${LABEL}!", func(q *types.MetricDataQuery) {
			q.MetricStat, q.Expression, q.Period = nil, aws.String("TIME_SERIES(1)"), aws.Int32(60)
		})
		if err != nil || got != "m!" {
			t.Errorf("%s, %v", got, err)
		}
	})
}

func TestMetricsOfHighResolutionHaveShortPeriods(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		start := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
		var data []types.MetricDatum
		for i := range 30 {
			data = append(data, types.MetricDatum{
				MetricName: aws.String("Load"), Value: aws.Float64(float64(i)), StorageResolution: aws.Int32(1),
				Timestamp: aws.Time(start.Add(time.Duration(i) * time.Second)),
			})
		}
		in := &client.PutMetricDataInput{Namespace: aws.String("Own"), MetricData: data}
		if _, err := c.PutMetricData(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		stat := func(period int32) *types.MetricStat {
			return &types.MetricStat{
				Stat: aws.String("Maximum"), Period: &period,
				Metric: &types.Metric{Namespace: aws.String("Own"), MetricName: aws.String("Load")},
			}
		}
		for period, want := range map[int32][]float64{
			1: {12, 13, 14, 15, 16, 17, 18, 19, 20}, 5: {14, 19, 20}, 10: {19, 20}, 30: {20}, 60: {29},
		} {
			got, err := c.GetMetricData(t.Context(), &client.GetMetricDataInput{
				StartTime: aws.Time(start.Add(12 * time.Second)), EndTime: aws.Time(start.Add(21 * time.Second)),
				ScanBy:            types.ScanByTimestampAscending,
				MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: stat(period)}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if values := got.MetricDataResults[0].Values; !slices.Equal(values, want) {
				t.Errorf("period %d: got %v, want %v", period, values, want)
			}
		}
		got, err := c.GetMetricData(t.Context(), &client.GetMetricDataInput{
			StartTime: aws.Time(start), EndTime: aws.Time(start.Add(30 * time.Second)),
			ScanBy: types.ScanByTimestampAscending,
			MetricDataQueries: []types.MetricDataQuery{
				{Id: aws.String("m"), MetricStat: stat(10), ReturnData: aws.Bool(false)},
				{Id: aws.String("e"), Expression: aws.String("m*2")},
			},
		})
		if err != nil || !slices.Equal(got.MetricDataResults[0].Values, []float64{18, 38, 58}) {
			t.Errorf("an expression: %+v, %v", got, err)
		}
		points, err := c.GetMetricStatistics(t.Context(), &client.GetMetricStatisticsInput{
			Namespace: aws.String("Own"), MetricName: aws.String("Load"), Period: aws.Int32(10),
			StartTime: aws.Time(start), EndTime: aws.Time(start.Add(30 * time.Second)),
			Statistics: []types.Statistic{types.StatisticSampleCount},
		})
		if err != nil || len(points.Datapoints) != 3 || *points.Datapoints[0].SampleCount != 10 {
			t.Errorf("statistics: %+v, %v", points, err)
		}
	})
}
