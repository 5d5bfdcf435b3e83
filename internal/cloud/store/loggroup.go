package store

import "time"

// LogGroups has "region/name" as key.
var LogGroups = newTable("log_groups", func(r *LogGroup) string { return LogGroupKey(r.Region, r.Name) },
	(*LogGroup).region)

// LogGroupKey returns the key of a log group.
func LogGroupKey(region, name string) string { return regional(region, name) }

// LogGroup is a log group of CloudWatch Logs.
type LogGroup struct {
	Region, Name  string
	RetentionDays int32 // 0: events never expire
	Created       time.Time
	Tags          Tags
}

func (r *LogGroup) region() string { return r.Region }

// LogStreams has "region/group:name" as key.
var LogStreams = newTable("log_streams", func(r *LogStream) string {
	return LogStreamKey(r.Region, r.Group, r.Name)
}, func(r *LogStream) string { return r.Region })

// LogStreamsByGroup finds the streams of a group by the group's key.
var LogStreamsByGroup = LogStreams.indexBy("group", func(r *LogStream) string {
	return LogGroupKey(r.Region, r.Group)
})

// LogStreamKey returns the key of a log stream. Names of groups have no colon.
func LogStreamKey(region, group, name string) string { return LogGroupKey(region, group) + ":" + name }

// LogStream is a log stream. Its events are in files, not in the store.
type LogStream struct {
	Region, Group, Name string
	ID                  string // of its events; no other stream has had it
	Created             time.Time
}
