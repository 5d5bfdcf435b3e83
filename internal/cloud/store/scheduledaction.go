package store

import "time"

// Tables of this file.
var (
	ScheduledActions        = newTable("scheduled_actions", func(r *ScheduledAction) string { return r.ARN }, (*ScheduledAction).region)
	ScheduledActionsByGroup = ScheduledActions.indexBy("group", func(r *ScheduledAction) string { return regional(r.Region, r.Group) })
)

// ScheduledAction sets a group's sizes at a time, once or again and again.
type ScheduledAction struct {
	ARN, Region, Group, Name string
	Start, End               time.Time
	Recurrence               string // cron, in TimeZone
	TimeZone                 string
	Min, Max, Desired        *int32
	Next                     time.Time // observed: when it is due
}

func (r *ScheduledAction) region() string { return r.Region }
