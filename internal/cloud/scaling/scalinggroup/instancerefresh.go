package scalinggroup

import (
	"encoding/json"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// How a refresh treats instances in standby and instances protected from scale-in.
const (
	IgnoreInstances  = "Ignore"
	WaitForInstances = "Wait"
)

// Preferences are the preferences of an instance refresh, with defaults filled in
// (Amazon EC2 Auto Scaling User Guide, Understand the default values for an instance
// refresh).
type Preferences struct {
	MinHealthyPercentage      int32
	MaxHealthyPercentage      *int32 // nil differs from 100: nothing launches before another instance is terminated
	InstanceWarmup            int32  // seconds
	CheckpointPercentages     []int32
	CheckpointDelay           int32 // seconds
	BakeTime                  int32 // seconds
	SkipMatching              bool
	AutoRollback              bool
	StandbyInstances          string // "Terminate", "Ignore", "Wait"
	ScaleInProtectedInstances string // "Refresh", "Ignore", "Wait"
	AlarmSpecification        *struct{ Alarms []string }
}

// Warmup returns how long an instance warms up during the refresh.
func (p Preferences) Warmup() time.Duration { return time.Duration(p.InstanceWarmup) * time.Second }

// PreferencesOf decodes the preferences of a refresh.
func PreferencesOf(r *store.InstanceRefresh) (Preferences, error) {
	var p Preferences
	if err := json.Unmarshal([]byte(r.Preferences), &p); err != nil {
		return p, fmt.Errorf("read the preferences of instance refresh %s: %w", r.ID, err)
	}
	return p, nil
}

// ActiveRefresh returns the refresh in progress of the group with the key. A group has
// at most one.
func ActiveRefresh(r store.Reader, key string) (*store.InstanceRefresh, bool) {
	rows := store.ActiveInstanceRefreshesByGroup.List(r, key)
	if len(rows) == 0 {
		return nil, false
	}
	return rows[0], true
}

// HasDesiredConfiguration reports whether the refresh has a desired configuration.
func HasDesiredConfiguration(r *store.InstanceRefresh) bool {
	return r.Mixed != "" || r.Template != (store.TemplateRef{})
}

// WithLaunchConfiguration returns the group with the configuration that it launches
// now. During a refresh with a desired configuration that is the desired one, also for
// growth (Amazon EC2 Auto Scaling User Guide, Instance refresh: desired
// configuration).
func WithLaunchConfiguration(r store.Reader, g *store.ScalingGroup) *store.ScalingGroup {
	refresh, ok := ActiveRefresh(r, g.Key())
	if !ok || !HasDesiredConfiguration(refresh) || !refresh.RollbackStarted.IsZero() ||
		refresh.Status == store.RefreshPending {
		return g
	}
	configured := *g
	SetConfiguration(&configured, refresh)
	return &configured
}

// SetConfiguration makes the desired configuration of a refresh the group's.
func SetConfiguration(g *store.ScalingGroup, refresh *store.InstanceRefresh) {
	g.Template, g.Mixed, g.Configuration = refresh.Template, refresh.Mixed, ""
}

// UnmarkForReplacement undoes MarkForReplacement of the instance with the id if it was
// marked for a refresh. A replacement that was launched already stays.
func UnmarkForReplacement(tx *store.Tx, id string) {
	if i, ok := store.ScalingInstances.Get(tx, id); ok && i.ReplaceCause == ReasonInstanceRefresh {
		store.ScalingInstances.Edit(
			tx, id, func(i *store.ScalingInstance) { i.ReplaceCause, i.ReplacementCause = "", "" },
		)
	}
}

// BeginRollback starts the rollback of a refresh.
func BeginRollback(r *store.InstanceRefresh, reason string, now time.Time) {
	r.Status, r.StatusReason = store.RefreshRollbackInProgress, ""
	r.RollbackReason, r.RollbackStarted = reason, now.UTC()
	r.PercentAtRollback, r.RemainingAtRollback = r.Percent, r.Remaining
	r.LastProgress, r.PausedUntil, r.Unfinished = now.UTC(), time.Time{}, 0
}
