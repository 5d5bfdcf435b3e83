package scalinggroup

import (
	"encoding/json"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// What a refresh does about instances in standby and protected from scale-in.
const (
	IgnoreInstances  = "Ignore"
	WaitForInstances = "Wait"
)

// Preferences are those of an instance refresh, as its row has them: with the
// defaults of the Amazon EC2 Auto Scaling User Guide, Understand the default
// values for an instance refresh.
type Preferences struct {
	MinHealthyPercentage      int32
	MaxHealthyPercentage      *int32 // nil is not 100: then nothing is launched before another is terminated
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

// Warmup is how long an instance warms up during the refresh.
func (p Preferences) Warmup() time.Duration { return time.Duration(p.InstanceWarmup) * time.Second }

// PreferencesOf reads the preferences of a refresh.
func PreferencesOf(r *store.InstanceRefresh) (Preferences, error) {
	var p Preferences
	if err := json.Unmarshal([]byte(r.Preferences), &p); err != nil {
		return p, fmt.Errorf("read the preferences of instance refresh %s: %w", r.ID, err)
	}
	return p, nil
}

// ActiveRefresh returns the refresh of the group with the key that has not come
// to its end. A group has one at most.
func ActiveRefresh(r store.Reader, key string) (*store.InstanceRefresh, bool) {
	rows := store.InstanceRefreshes.By(r, "active", key)
	if len(rows) == 0 {
		return nil, false
	}
	return rows[0], true
}

// HasDesiredConfiguration tells whether the refresh has a desired configuration of its own.
func HasDesiredConfiguration(r *store.InstanceRefresh) bool {
	return r.Mixed != "" || r.Template != (store.TemplateRef{})
}

// WithLaunchConfiguration returns the group with the configuration that it launches with
// now: that which a refresh is bringing, also when it grows meanwhile (Amazon
// EC2 Auto Scaling User Guide, Instance refresh: desired configuration), and
// otherwise its own.
func WithLaunchConfiguration(r store.Reader, g *store.ScalingGroup) *store.ScalingGroup {
	refresh, ok := ActiveRefresh(r, g.Key())
	if !ok || !HasDesiredConfiguration(refresh) || !refresh.RollbackStarted.IsZero() || refresh.Status == store.RefreshPending {
		return g
	}
	configured := *g
	configured.Template, configured.Mixed = refresh.Template, refresh.Mixed
	return &configured
}

// UnmarkForReplacement takes back what Replace said of the instance with the id, if it was for
// a refresh. An instance that was launched in its place stays.
func UnmarkForReplacement(tx *store.Tx, id string) {
	if i, ok := store.ScalingInstances.Get(tx, id); ok && i.Replace == ReasonInstanceRefresh {
		store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) { i.Replace, i.Successor = "", "" })
	}
}

// BeginRollback turns a refresh around.
func BeginRollback(r *store.InstanceRefresh, reason string, now time.Time) {
	r.Status, r.StatusReason = store.RefreshRollbackInProgress, ""
	r.RollbackReason, r.RollbackStarted = reason, now.UTC()
	r.PercentAtRollback, r.RemainingAtRollback = r.Percent, r.Remaining
	r.Progressed, r.PausedUntil, r.Left = now.UTC(), time.Time{}, 0
}
