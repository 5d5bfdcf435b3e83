package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ARNs. ScheduledActionsByGroup finds a ScalingGroup.Key.
var (
	ScheduledActions = newTable(
		"scheduled_actions",
		func(r *ScheduledAction) string { return r.ARN },
		(*ScheduledAction).region,
	)
	ScheduledActionsByGroup = ScheduledActions.indexBy(
		"group",
		func(r *ScheduledAction) string { return r.Region.Key(r.Group) },
	)
)

// ScheduledAction sets an Auto Scaling group's sizes at a time, once or repeatedly.
type ScheduledAction struct {
	ARN, Group, Name  string
	Region            identity.Region
	Start, End        time.Time
	Recurrence        string // cron, in TimeZone
	TimeZone          string
	Min, Max, Desired *int32
	Next              time.Time // observed: next time to run
}

func (r *ScheduledAction) region() identity.Region { return r.Region }
