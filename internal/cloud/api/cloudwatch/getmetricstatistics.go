package cloudwatch

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxDatapoints limits the data points in one response of GetMetricStatistics.
const maxDatapoints = 1440

// GetMetricStatistics computes statistics of one metric.
func (a *API) GetMetricStatistics(
	ctx context.Context, in *cloudwatch.GetMetricStatisticsInput,
) (*cloudwatch.GetMetricStatisticsOutput, error) {
	id, err := metricID(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	if err := checkPeriod(in.Period); err != nil {
		return nil, err
	}
	s, err := readTimeRange(in.StartTime, in.EndTime)
	if err != nil {
		return nil, err
	}
	s = s.of(*in.Period)
	if n := int64(s.to.Sub(s.from)/time.Second) / int64(s.period); n > maxDatapoints {
		return nil, invalidCombination("You have requested up to %d datapoints, which exceeds the limit of %d. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time "+
			"range.", n, maxDatapoints)
	}
	if err := checkUnit(in.Unit); err != nil {
		return nil, err
	}
	if err := checkStatistics(in); err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	points := a.Metrics.PointsOf(s.length(), wire.RegionFrom(ctx), id, s.from, s.to, string(in.Unit))
	for _, p := range s.aggregate(points) {
		out.Datapoints = append(out.Datapoints, datapoint(in, p))
	}
	return out, nil
}

func checkStatistics(in *cloudwatch.GetMetricStatisticsInput) error {
	if len(in.Statistics)+len(in.ExtendedStatistics) == 0 {
		return invalidCombination("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	for i, name := range in.Statistics {
		if metric.BasicStatistic(string(name)) == nil {
			return invalid(
				"The parameter Statistics.member.%s must be a value in the set [ SampleCount, Average, Sum, "+
					"Minimum, Maximum ].",
				strconv.Itoa(i+1),
			)
		}
	}
	if len(in.ExtendedStatistics) > 10 {
		return invalid("The collection ExtendedStatistics must not have a size greater than 10.")
	}
	for _, name := range in.ExtendedStatistics {
		if metric.BasicStatistic(name) != nil || metric.ParseStatistic(name) == nil {
			return invalid("The value %s for parameter ExtendedStatistics is not supported.", name)
		}
	}
	return nil
}

func datapoint(in *cloudwatch.GetMetricStatisticsInput, p metric.Point) types.Datapoint {
	out := types.Datapoint{Timestamp: &p.At, Unit: types.StandardUnit(p.Unit)}
	for _, name := range in.Statistics {
		v, _ := metric.BasicStatistic(string(name))(&p.Summary) // they are always known
		switch name {
		case types.StatisticSampleCount:
			out.SampleCount = &v
		case types.StatisticAverage:
			out.Average = &v
		case types.StatisticSum:
			out.Sum = &v
		case types.StatisticMinimum:
			out.Minimum = &v
		case types.StatisticMaximum:
			out.Maximum = &v
		}
	}
	for _, name := range in.ExtendedStatistics {
		if v, ok := metric.ParseStatistic(name)(&p.Summary); ok {
			if out.ExtendedStatistics == nil {
				out.ExtendedStatistics = map[string]float64{}
			}
			out.ExtendedStatistics[name] = v
		}
	}
	return out
}
