package cloudwatchlogs

import (
	"cmp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/filterpattern"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// minute is the resolution of the metrics of filters.
const minute = time.Minute

// measure adds what the metric filters of a group measure in new events to their metrics.
func (a *API) measure(group *store.LogGroup, events []eventlog.Event) {
	if a.Metrics == nil {
		return
	}
	for i := range group.MetricFilters {
		f := &group.MetricFilters[i]
		pattern, err := filterpattern.Parse(f.Pattern)
		if err != nil { // PutMetricFilter has parsed it
			a.Log.Warn("read a metric filter", "group", group.Name, "filter", f.Name, "error", err)
			continue
		}
		matched, seen := map[time.Time]bool{}, map[time.Time]bool{}
		for _, e := range events {
			at := time.UnixMilli(e.Time)
			seen[at.Truncate(minute)] = true
			if !pattern.Match(e.Message) {
				continue
			}
			matched[at.Truncate(minute)] = true
			if value, dimensions, ok := valueOf(pattern, f, e.Message); ok {
				a.add(group, f, at, value, dimensions...)
			}
		}
		// A minute in which no event matches has the default value.
		for at := range seen {
			if f.Default != nil && !matched[at] {
				a.add(group, f, at, *f.Default)
			}
		}
	}
}

func (a *API) add(
	group *store.LogGroup, f *store.MetricFilter, at time.Time, value float64, dimensions ...metric.Dimension,
) {
	a.Metrics.Add(group.Region, metric.NewID(f.Namespace, f.Metric, dimensions...), at,
		cmp.Or(f.Unit, string(types.StandardUnitNone)), metric.SummaryOf(value, 1))
}

// valueOf returns what a filter measures in an event that matches. ok is false if the event lacks the value,
// or that of a dimension.
func valueOf(
	pattern filterpattern.Pattern, f *store.MetricFilter, message string,
) (value float64, dimensions []metric.Dimension, ok bool) {
	text := f.Value
	if filterpattern.IsSelector(f.Value) {
		if text, ok = pattern.Value(message, f.Value); !ok {
			return 0, nil, false
		}
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, nil, false
	}
	for name, selector := range f.Dimensions {
		text, ok := pattern.Value(message, selector)
		if !ok || text == "" {
			return 0, nil, false
		}
		dimensions = append(dimensions, metric.Dimension{Name: name, Value: text})
	}
	return value, dimensions, true
}
