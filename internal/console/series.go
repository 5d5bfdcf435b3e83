package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Series are values of minutes, the oldest first. Missing ones are negative.
type Series []float64

// Latest returns the last known value in words, or "–".
func (s Series) Latest() string {
	for _, v := range slices.Backward(s) {
		if v >= 0 {
			return number(v)
		}
	}
	return "–"
}

// number formats a value with about three digits.
func number(v float64) string {
	if v == 0 || v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// Highest returns the highest value in words.
func (s Series) Highest() string {
	if len(s) == 0 {
		return "0"
	}
	return number(max(slices.Max(s), 0))
}

// Counts returns the path of a line of 120 × 24 units, in which what is missing is none.
func (s Series) Counts() string {
	counts := slices.Clone(s)
	for i := range counts {
		counts[i] = max(counts[i], 0)
	}
	return counts.Levels()
}

// Levels returns the path of a line of 120 × 24 units, which is interrupted where values are
// missing.
func (s Series) Levels() string {
	if len(s) < 2 {
		return ""
	}
	top := max(slices.Max(s), 1e-9)
	var path strings.Builder
	next := "M"
	for i, v := range s {
		if v < 0 {
			next = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", next, 120*float64(i)/float64(len(s)-1), 23-22*v/top)
		if next == "M" {
			path.WriteString("h0") // a value between missing ones is a dot
		}
		next = "L"
	}
	return path.String()
}

// spread makes values that are known every few minutes last until the next one, and returns for
// how many minutes each is. That is 0 if fewer than two are known.
func (s Series) spread() (minutes int) {
	last := -1
	for i, v := range s {
		if v < 0 {
			continue
		}
		if gap := i - last; last >= 0 && (minutes == 0 || gap < minutes) {
			minutes = gap
		}
		last = i
	}
	for i := len(s) - 1; i >= 0; i-- {
		for n := 1; s[i] >= 0 && n < minutes && i+n < len(s) && s[i+n] < 0; n++ {
			s[i+n] = s[i]
		}
	}
	return minutes
}

// statistic is a statistic of a metric that is read into a series.
type statistic struct {
	namespace, metric, name string
	dimensions              []types.Dimension
	scale                   float64 // of the values
	into                    *Series // to which it is added
}

// maxQueries is how many metrics one call reads (Amazon CloudWatch API Reference,
// GetMetricData).
const maxQueries = 500

// readStatistics reads the values of the minutes of a time until end.
func (c *Console) readStatistics(r *http.Request, all []statistic, end time.Time, span time.Duration) error {
	if len(all) == 0 {
		return nil
	}
	queries := make([]types.MetricDataQuery, len(all))
	for i, s := range all {
		queries[i] = types.MetricDataQuery{Id: aws.String(fmt.Sprintf("m%d", i)), MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: aws.String(s.namespace), MetricName: aws.String(s.metric), Dimensions: s.dimensions,
			},
			Period: aws.Int32(int32(trafficPeriod.Seconds())), Stat: aws.String(s.name),
		}}
		if *s.into == nil {
			*s.into = slices.Repeat(Series{-1}, int(span/trafficPeriod))
		}
	}
	pages := cloudwatch.NewGetMetricDataPaginator(c.clients(r.PathValue("region")).cw, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(end.Add(-span)), EndTime: &end, MetricDataQueries: queries,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.Context())
		if err != nil {
			return fmt.Errorf("read metrics: %w", err)
		}
		for _, result := range page.MetricDataResults {
			var n int
			if _, err := fmt.Sscanf(aws.ToString(result.Id), "m%d", &n); err == nil && n < len(all) {
				all[n].add(result, end)
			}
		}
	}
	return nil
}

// add adds values to the series, whose last minute is before end.
func (s statistic) add(result types.MetricDataResult, end time.Time) {
	to := *s.into
	for i, at := range result.Timestamps {
		if n := len(to) - int(end.Sub(at)/trafficPeriod); n >= 0 && n < len(to) && i < len(result.Values) {
			to[n] = max(to[n], 0) + result.Values[i]*s.scale
		}
	}
}
