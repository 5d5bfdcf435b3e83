package store

import "time"

// Tables of this file.
var (
	InstanceRefreshes              = newTable("instance_refreshes", func(r *InstanceRefresh) string { return r.ID }, (*InstanceRefresh).region)
	InstanceRefreshesByGroup       = InstanceRefreshes.indexBy("group", (*InstanceRefresh).GroupKey)
	ActiveInstanceRefreshesByGroup = InstanceRefreshes.indexBy("active", (*InstanceRefresh).activeKey)
)

// Statuses of an instance refresh (Amazon EC2 Auto Scaling API Reference,
// InstanceRefresh).
const (
	RefreshPending            = "Pending"
	RefreshInProgress         = "InProgress"
	RefreshBaking             = "Baking"
	RefreshCancelling         = "Cancelling"
	RefreshCancelled          = "Cancelled"
	RefreshSuccessful         = "Successful"
	RefreshFailed             = "Failed"
	RefreshRollbackInProgress = "RollbackInProgress"
	RefreshRollbackSuccessful = "RollbackSuccessful"
	RefreshRollbackFailed     = "RollbackFailed"
)

// InstanceRefresh replaces the instances of a group, some at a time. API
// handlers write Status when they make it and when a user cancels it or rolls it
// back; the scaling loop moves it on.
type InstanceRefresh struct {
	ID, Region, Group string
	Strategy          string      // "Rolling"
	Preferences       string      // JSON, with the defaults that hold when it begins
	Template          TemplateRef // of the desired configuration; zero: the group's own configuration
	Mixed             string      // the desired configuration's mixed instances policy, as JSON, in place of Template
	Abrupt            bool        // cancelled without waiting for launches and terminations under way
	Created           time.Time

	// Observed.
	Status            string
	StatusReason      string
	Started, Ended    time.Time
	Percent           int32
	Remaining         int32     // instances that it has yet to update
	Unfinished        int32     // instances that it, or its rollback, has yet to be done with
	LastProgress      time.Time // when Left became less, or a pause ended
	PausedUntil       time.Time // end of a checkpoint's delay or of the bake time
	CheckpointsPassed int32

	// Of its rollback, when it began.
	RollbackReason      string
	RollbackStarted     time.Time
	PercentAtRollback   int32
	RemainingAtRollback int32
}

// GroupKey is the key of the row of the refresh's group.
func (r *InstanceRefresh) GroupKey() string { return r.Region + "/" + r.Group }

// Active tells whether it has not come to its end.
func (r *InstanceRefresh) Active() bool {
	switch r.Status {
	case RefreshPending, RefreshInProgress, RefreshBaking, RefreshCancelling, RefreshRollbackInProgress:
		return true
	}
	return false
}

// activeKey returns the key of the row's Auto Scaling group, or "" if the row has ended.
func (r *InstanceRefresh) activeKey() string {
	if !r.Active() {
		return ""
	}
	return r.GroupKey()
}

func (r *InstanceRefresh) region() string { return r.Region }
