package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/metricmath"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxExpression is the length of the longest expression (Amazon CloudWatch API Reference,
// MetricDataQuery).
const maxExpression = 2048

// checkExpression checks what does not concern the text of an expression.
func checkExpression(q *types.MetricDataQuery) error {
	if n := len(*q.Expression); n == 0 || n > maxExpression {
		return validationError(
			"The expression of the query %s must have a length between 1 and %d.", *q.Id, maxExpression,
		)
	}
	if q.Period != nil {
		return checkPeriod(q.Period)
	}
	return nil
}

// readQueries checks queries, whose ids differ, and returns the program of those with
// expressions; nil: there are none. member is the parameter that holds them. mathError makes its error a response.
func readQueries(
	ctx context.Context, member string, all []types.MetricDataQuery,
) (queries []query, program *metricmath.Program, err error) {
	var sources []metricmath.Source
	expressions := false
	for i := range all {
		q, err := readQuery(fmt.Sprintf("%s.member.%d", member, i+1), &all[i])
		if err != nil {
			return nil, nil, err
		}
		if q.label, err = labelOf(ctx, q); err != nil {
			return nil, nil, err
		}
		source := metricmath.Source{ID: *q.Id, Label: q.label, Expression: aws.ToString(q.Expression)}
		if q.compute == nil && q.Label == nil {
			source.Label = "" // the package has its own for arrays
		}
		expressions = expressions || q.compute == nil
		queries, sources = append(queries, q), append(sources, source)
	}
	if !expressions {
		return queries, nil, nil
	}
	if _, err := commonPeriod(queries); err != nil {
		return nil, nil, err
	}
	program, err = metricmath.Compile(sources)
	return queries, program, err
}

// commonPeriod returns the period of all metrics and expressions in seconds.
func commonPeriod(queries []query) (int32, error) {
	var common int32
	for _, q := range queries {
		period := q.Period
		if q.compute != nil {
			period = q.MetricStat.Period
		}
		switch {
		case period == nil:
		case common != 0 && *period != common:
			return 0, wire.NotImplemented("metric math with different periods: %d and %d seconds", common, *period)
		default:
			common = *period
		}
	}
	if common == 0 {
		return 0, validationError("Period must not be null")
	}
	return common, nil
}

// mathError returns the response for an error in expressions, and other errors as they are.
func mathError(err error) error {
	if unsupported, ok := errors.AsType[*metricmath.UnsupportedError](err); ok {
		return wire.NotImplemented("metric math: the function %s", unsupported.Function)
	}
	if _, ok := errors.AsType[*metricmath.Error](err); ok || errors.Is(err, metricmath.ErrTooLong) {
		return validationError("%s", err)
	}
	return err
}

// runExpressions returns the results of the expressions by id, oldest data point first.
func (a *API) runExpressions(
	ctx context.Context, queries []query, program *metricmath.Program, s timeRange,
) (map[string][]types.MetricDataResult, error) {
	if program == nil {
		return nil, nil
	}
	grid, err := a.grid(queries, s)
	if err != nil {
		return nil, err
	}
	end := grid.At(grid.N)
	metrics := map[string][]float64{}
	for _, q := range queries {
		if q.compute == nil || q.elsewhere(ctx) {
			continue
		}
		points := a.Metrics.PointsOf(
			grid.Period, wire.RegionFrom(ctx), q.metric, grid.Start, end, string(q.MetricStat.Unit),
		)
		metrics[*q.Id] = metric.Spread(points, grid.Start, grid.Period, grid.N, q.compute)
	}
	computed, err := program.Run(grid, metrics)
	if err != nil {
		return nil, mathError(err)
	}
	out := map[string][]types.MetricDataResult{}
	for _, q := range queries {
		if q.compute != nil {
			continue
		}
		for _, series := range computed[*q.Id] {
			result := newResult(q.Id, &series.Label)
			for i, v := range series.Values {
				if !math.IsNaN(v) {
					result.Timestamps, result.Values = append(result.Timestamps, grid.At(i)), append(result.Values, v)
				}
			}
			out[*q.Id] = append(out[*q.Id], result)
		}
	}
	return out, nil
}

// grid returns the periods of a range, up to now, or up to the last that can be read.
func (a *API) grid(queries []query, s timeRange) (metricmath.Grid, error) {
	period, err := commonPeriod(queries)
	if err != nil {
		return metricmath.Grid{}, err
	}
	end := s.to
	if now := a.Now(); now.Before(end) {
		end = now
	}
	s = s.of(period)
	g := metricmath.Grid{Start: s.from, Period: s.length()}
	if length := a.Metrics.Readable(end).Sub(s.from); length > 0 {
		g.N = int((length + g.Period - 1) / g.Period)
	}
	if g.N > maxPoints {
		return g, validationError(
			"You have requested up to %d datapoints, which exceeds the limit of %d.", g.N, maxPoints,
		)
	}
	return g, nil
}
