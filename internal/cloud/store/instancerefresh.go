package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids. The indexes find a ScalingGroup.Key.
var (
	InstanceRefreshes = newTable(
		"instance_refreshes",
		func(r *InstanceRefresh) string { return r.ID },
		(*InstanceRefresh).region,
	)
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

// InstanceRefresh replaces the instances of an Auto Scaling group, some at a time.
// API handlers write Status when a user starts, cancels or rolls back the refresh.
// The scaling loop makes all other transitions.
type InstanceRefresh struct {
	ID, Group   string
	Region      identity.Region
	Strategy    string      // "Rolling"
	Preferences string      // JSON, with the defaults at its start filled in
	Template    TemplateRef // of the desired configuration; zero: the Auto Scaling group's configuration
	Mixed       string      // mixed instances policy of the desired configuration in JSON, instead of Template
	Abrupt      bool        // cancelled without waiting for launches and terminations in progress
	Created     time.Time

	// Observed.
	Status            string
	StatusReason      string
	Started, Ended    time.Time
	Percent           int32
	Remaining         int32     // number of instances still to be updated
	Unfinished        int32     // number of instances whose update or rollback is not complete
	LastProgress      time.Time // last time Unfinished decreased or a pause ended
	PausedUntil       time.Time // end of a checkpoint's delay or of the bake time
	CheckpointsPassed int32

	// Set when a rollback starts.
	RollbackReason      string
	RollbackStarted     time.Time
	PercentAtRollback   int32
	RemainingAtRollback int32
}

// GroupKey returns the key of its Auto Scaling group.
func (r *InstanceRefresh) GroupKey() string { return r.Region.Key(r.Group) }

// Active reports whether the refresh has not ended.
func (r *InstanceRefresh) Active() bool {
	switch r.Status {
	case RefreshPending, RefreshInProgress, RefreshBaking, RefreshCancelling, RefreshRollbackInProgress:
		return true
	}
	return false
}

// activeKey returns the key of its Auto Scaling group, or "" if the refresh has
// ended.
func (r *InstanceRefresh) activeKey() string {
	if !r.Active() {
		return ""
	}
	return r.GroupKey()
}

func (r *InstanceRefresh) region() identity.Region { return r.Region }
