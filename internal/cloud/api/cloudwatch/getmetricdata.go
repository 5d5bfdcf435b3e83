package cloudwatch

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of GetMetricData.
const (
	maxQueries = 500
	maxPoints  = 100_800
)

// queryID matches valid names of queries.
var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)

// GetMetricData computes statistics of several metrics.
func (a *API) GetMetricData(
	ctx context.Context, in *cloudwatch.GetMetricDataInput,
) (*cloudwatch.GetMetricDataOutput, error) {
	request := *in
	request.NextToken = nil
	start, err := newToken(request, 0).offset(in.NextToken)
	if err != nil {
		return nil, err
	}
	limit, err := checkQueries(in)
	if err != nil {
		return nil, err
	}
	s, err := readTimeRange(in.StartTime, in.EndTime)
	if err != nil {
		return nil, err
	}
	queries, program, err := readQueries(ctx, "MetricDataQueries", in.MetricDataQueries)
	if err != nil {
		return nil, mathError(err)
	}
	computed, err := a.runExpressions(ctx, queries, program, s)
	if err != nil {
		return nil, err
	}
	var results []types.MetricDataResult
	for _, q := range queries {
		found := computed[*q.Id]
		if q.compute != nil {
			found = []types.MetricDataResult{a.runQuery(ctx, q, s)}
		}
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		for _, result := range found {
			if in.ScanBy != types.ScanByTimestampAscending {
				slices.Reverse(result.Timestamps)
				slices.Reverse(result.Values)
			}
			results = append(results, result)
		}
	}
	out := &cloudwatch.GetMetricDataOutput{Messages: []types.MessageData{}}
	var more bool
	if out.MetricDataResults, more = pageDatapoints(results, start, limit); more {
		out.NextToken = aws.String(newToken(request, start+limit).String())
	}
	return out, nil
}

// checkQueries checks what does not concern a single query, and returns the
// largest number of data points for the response.
func checkQueries(in *cloudwatch.GetMetricDataInput) (int, error) {
	switch {
	case len(in.MetricDataQueries) == 0:
		return 0, missingParameter("MetricDataQueries")
	case len(in.MetricDataQueries) > maxQueries:
		return 0, validationError("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	case in.ScanBy != "" && !slices.Contains(in.ScanBy.Values(), in.ScanBy):
		return 0, validationError("The parameter ScanBy must be TimestampAscending or TimestampDescending.")
	}
	limit := maxPoints
	if in.MaxDatapoints != nil {
		if *in.MaxDatapoints < 1 || *in.MaxDatapoints > maxPoints {
			return 0, validationError("The parameter MaxDatapoints must be between 1 and %d.", maxPoints)
		}
		limit = int(*in.MaxDatapoints)
	}
	seen := map[string]bool{}
	for i := range in.MetricDataQueries {
		id := aws.ToString(in.MetricDataQueries[i].Id)
		switch {
		case !queryID.MatchString(id):
			return 0, validationError(
				"The value for parameter MetricDataQueries.member.%d.Id must match %s.", i+1, queryID,
			)
		case seen[id]:
			return 0, validationError("The values for parameter Id in MetricDataQueries are not unique.")
		}
		seen[id] = true
	}
	return limit, nil
}

// query is a checked query.
type query struct {
	*types.MetricDataQuery
	metric  metric.ID
	compute metric.Statistic // nil: an expression
	label   string           // with the values of its dynamic parts
}

// readQuery checks a query of a metric, or an expression but for its text. member is the query's place in the request.
func readQuery(member string, q *types.MetricDataQuery) (out query, err error) {
	out.MetricDataQuery = q
	switch {
	case q.Expression != nil && q.MetricStat != nil:
		return out, validationError(
			"The parameters MetricDataQuery Expression and MetricStat are mutually exclusive and you have specified " +
				"both.",
		)
	case q.Expression == nil && q.MetricStat == nil:
		return out, validationError("The parameter %s.MetricStat is required.\n", member)
	case q.Expression != nil:
		return out, checkExpression(q)
	case q.Period != nil:
		return out, validationError("Period must not be specified outside of MetricStat in the query %s.", *q.Id)
	}
	stat, m := q.MetricStat, q.MetricStat.Metric
	if m == nil {
		return out, missingParameter("MetricStat.Metric")
	}
	if out.metric, err = metricID(m.Namespace, m.MetricName, m.Dimensions); err != nil {
		return out, err
	}
	if err := checkPeriod(stat.Period); err != nil {
		return out, err
	}
	if err := checkUnit(stat.Unit); err != nil {
		return out, err
	}
	if out.compute = metric.ParseStatistic(aws.ToString(stat.Stat)); out.compute == nil {
		return out, validationError(
			"The value %s for parameter MetricDataQueries.member.MetricStat.Stat is not supported.",
			aws.ToString(stat.Stat),
		)
	}
	return out, nil
}

// elsewhere reports whether a query is of another account's metrics. There are none.
func (q query) elsewhere(ctx context.Context) bool {
	account := aws.ToString(q.AccountId)
	return account != "" && account != wire.AccountFrom(ctx)
}

// runQuery computes the result of a query of a metric, oldest data point first.
func (a *API) runQuery(ctx context.Context, q query, s timeRange) types.MetricDataResult {
	out, stat := newResult(q.Id, &q.label), q.MetricStat
	if q.elsewhere(ctx) {
		return out
	}
	s = s.of(*stat.Period)
	points := a.Metrics.PointsOf(s.length(), wire.RegionFrom(ctx), q.metric, s.from, s.to, string(stat.Unit))
	for _, p := range s.aggregate(points) {
		if v, ok := q.compute(&p.Summary); ok {
			out.Timestamps, out.Values = append(out.Timestamps, p.At), append(out.Values, v)
		}
	}
	return out
}

// newResult returns a result without data points.
func newResult(id, label *string) types.MetricDataResult {
	return types.MetricDataResult{
		Id: id, Label: label, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{},
	}
}

// pageDatapoints returns up to limit data points of the results, starting at the
// given one, and whether more follow.
func pageDatapoints(results []types.MetricDataResult, start, limit int) (out []types.MetricDataResult, more bool) {
	out = []types.MetricDataResult{}
	for _, r := range results {
		n := len(r.Values)
		if start > 0 && start >= n { // it was on an earlier page
			start -= n
			continue
		}
		if limit == 0 {
			return out, true
		}
		from, to := start, min(start+limit, n)
		start, limit = 0, limit-(to-from)
		if to < n {
			r.StatusCode, more = types.StatusCodePartialData, true
		}
		r.Timestamps, r.Values = r.Timestamps[from:to], r.Values[from:to]
		out = append(out, r)
	}
	return out, more
}
