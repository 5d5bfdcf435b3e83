package cloudwatch

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/metricmath"
)

// checkMetric checks an alarm's metric, or the queries in its place.
func checkMetric(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) error {
	if in.Metrics != nil {
		if in.MetricName != nil || in.Namespace != nil || in.Dimensions != nil || in.Period != nil ||
			in.Unit != "" || in.Statistic != "" || in.ExtendedStatistic != nil {
			return invalidCombination(
				"MetricName, Namespace, Dimensions, Period, Unit, Statistic and ExtendedStatistic must not be " +
					"specified together with Metrics.",
			)
		}
		return checkAlarmQueries(ctx, in)
	}
	if _, err := metricID(in.Namespace, in.MetricName, in.Dimensions); err != nil {
		return err
	}
	if err := checkUnit(in.Unit); err != nil {
		return err
	}
	if in.Period == nil {
		return missingParameter("Period")
	}
	if err := checkStatistic(in); err != nil {
		return err
	}
	return checkAlarmPeriod(*in.Period, *in.EvaluationPeriods)
}

func checkStatistic(in *cloudwatch.PutMetricAlarmInput) error {
	switch extended := aws.ToString(in.ExtendedStatistic); {
	case (in.Statistic == "") == (extended == ""):
		return invalidCombination("Exactly one of Statistic and ExtendedStatistic must be specified.")
	case in.Statistic != "" && metric.BasicStatistic(string(in.Statistic)) == nil:
		return model.OutOfSet("statistic", in.Statistic, "Maximum", "SampleCount", "Sum", "Minimum", "Average")
	case extended != "" && (metric.BasicStatistic(extended) != nil || metric.ParseStatistic(extended) == nil):
		return validationError("The value %s for parameter ExtendedStatistic is not supported.", extended)
	}
	return nil
}

// Limits of the queries of an alarm (Amazon CloudWatch API Reference, PutMetricAlarm).
const (
	maxAlarmMetrics     = 10
	maxAlarmExpressions = 10
)

// checkAlarmQueries accepts queries of metrics and expressions that an alarm can watch.
func checkAlarmQueries(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) error {
	if _, err := checkQueries(&cloudwatch.GetMetricDataInput{MetricDataQueries: in.Metrics}); err != nil {
		return err
	}
	queries, program, err := readQueries(ctx, "Metrics", in.Metrics)
	if unsupported, ok := errors.AsType[*metricmath.UnsupportedError](err); ok && unsupported.Function == "SEARCH" {
		return validationError("SEARCH is not supported on Metric Alarms.")
	}
	if err != nil {
		return mathError(err)
	}
	metrics := 0
	for _, q := range queries {
		if q.compute != nil {
			metrics++
			if err := checkAlarmPeriod(*q.MetricStat.Period, *in.EvaluationPeriods); err != nil {
				return err
			}
		}
	}
	switch {
	case metrics > maxAlarmMetrics:
		return validationError("Too many metrics in alarm, maximum is %d", maxAlarmMetrics)
	case len(queries)-metrics > maxAlarmExpressions:
		return validationError("Too many expressions in alarm, maximum is %d", maxAlarmExpressions)
	}
	return checkWatched(queries, program)
}

// checkWatched accepts queries of which exactly one returns data: a metric, or an expression
// that is one time series.
func checkWatched(queries []query, program *metricmath.Program) error {
	hidden := func(q query) bool { return q.ReturnData != nil && !*q.ReturnData }
	returning := slices.DeleteFunc(slices.Clone(queries), hidden)
	if len(returning) != 1 {
		return validationError("Exactly one element of the metrics list should return data.")
	}
	watched := returning[0]
	switch {
	case watched.compute != nil:
		return nil
	case slices.Contains(program.Arrays(), *watched.Id):
		return validationError("Metrics expression that return multi time series are only allowed for " +
			"MetricsInsights expression with an ORDER BY clause")
	case !program.Uses(*watched.Id):
		return validationError("The expression for an alarm must include at least one metric.")
	}
	return nil
}

// checkAlarmPeriod checks how far an alarm looks back.
func checkAlarmPeriod(period, evaluations int32) error {
	lookBack := int64(period) * int64(evaluations)
	switch {
	case period != 10 && period != 20 && period != 30 && (period < 60 || period%60 != 0):
		return validationError("Period must be 10, 20, 30 or a multiple of 60.")
	case lookBack > secondsPerWeek:
		return validationError(
			"Metrics cannot be checked across more than 7 days (EvaluationPeriods * Period must be <= %d).",
			secondsPerWeek,
		)
	case period < secondsPerHour && lookBack > secondsPerDay:
		return validationError(
			"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d).",
			secondsPerDay,
		)
	}
	return nil
}
