package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// LogGroups has "region/name" as key.
var LogGroups = newTable("log_groups", func(r *LogGroup) string { return LogGroupKey(r.Region, r.Name) },
	(*LogGroup).region)

// LogGroupKey returns the key of a log group.
func LogGroupKey(region identity.Region, name string) string { return region.Key(name) }

// LogGroup is a log group of CloudWatch Logs.
type LogGroup struct {
	Name          string
	Region        identity.Region
	RetentionDays int32 // 0: events never expire
	Created       time.Time
	Tags          Tags
	MetricFilters []MetricFilter // in the order of their names
}

// MetricFilter makes a metric of the events of a group.
type MetricFilter struct {
	Name, Pattern           string
	Namespace, Metric, Unit string
	Value                   string            // a number, or the selector of a value in events
	Default                 *float64          // measured when no event matches; nil: nothing
	Dimensions              map[string]string // selectors by name
	Created                 time.Time
}

func (r *LogGroup) region() identity.Region { return r.Region }

// LogStreams has "region/group:name" as key.
var LogStreams = newTable("log_streams", func(r *LogStream) string {
	return LogStreamKey(r.Region, r.Group, r.Name)
}, func(r *LogStream) identity.Region { return r.Region })

// LogStreamsByGroup finds the streams of a group by the group's key.
var LogStreamsByGroup = LogStreams.indexBy("group", func(r *LogStream) string {
	return LogGroupKey(r.Region, r.Group)
})

// LogStreamKey returns the key of a log stream. Names of groups have no colon.
func LogStreamKey(region identity.Region, group, name string) string {
	return LogGroupKey(region, group) + ":" + name
}

// LogStream is a log stream. Its events are in files, not in the store.
type LogStream struct {
	Group, Name string
	Region      identity.Region
	ID          string // of its events; no other stream has had it
	Created     time.Time
}
