package decision

import (
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

const (
	// stallTimeout is how long a refresh continues without progress (Amazon EC2 Auto
	// Scaling User Guide, Instance refresh: it waits up to 60 minutes for health
	// checks; RefreshPreferences: one hour for instances in standby or protected from
	// scale-in).
	stallTimeout = time.Hour
	// maxDuration is the longest time for which a refresh replaces instances (the
	// same guide, Check the status of an instance refresh).
	maxDuration = 14 * 24 * time.Hour
)

// Refresh is an instance refresh in progress.
type Refresh struct {
	*store.InstanceRefresh
	Preferences scalinggroup.Preferences
	Stale       map[string]bool // ids of members that it, or its rollback, replaces
	Alarm       string          // one of its alarms that is in ALARM
	Broken      string          // why it cannot continue
}

// collectRefresh reads everything that decides how a refresh continues.
func collectRefresh(r store.Reader, g *store.ScalingGroup, row *store.InstanceRefresh, members []Member) *Refresh {
	s := &Refresh{InstanceRefresh: row, Stale: map[string]bool{}}
	var sources []scalinggroup.Source
	var err error
	if s.Preferences, err = scalinggroup.PreferencesOf(row); err == nil {
		sources, err = scalinggroup.Resolved(r, scalinggroup.WithLaunchConfiguration(r, g))
	}
	switch {
	case err != nil:
		s.Broken = err.Error()
		return s
	case len(sources) == 0:
		s.Broken = "The launch template, or its version, does not exist any more."
		return s
	}
	if watched := s.Preferences.AlarmSpecification; watched != nil {
		for _, a := range store.Alarms.InRegion(r, row.Region) {
			if a.State == "ALARM" && slices.Contains(watched.Alarms, a.Name) {
				s.Alarm = a.Name
			}
		}
	}
	for _, m := range members {
		if scalinggroup.Leaving(m.ScalingInstance) || s.ignores(m.ScalingInstance) {
			continue
		}
		s.Stale[m.InstanceID] = s.stale(m.ScalingInstance, scalinggroup.Matches(m.ScalingInstance, sources))
	}
	return s
}

// stale reports whether an instance must be replaced. A refresh replaces the instances
// that existed when it began; with skip matching, only those that differ from what the
// group would launch now. It also replaces later instances whose configuration is not
// the desired one. A rollback replaces the instances that the refresh launched.
func (s *Refresh) stale(i *store.ScalingInstance, matches bool) bool {
	before := i.Launched.Before(s.Started)
	switch {
	case s.Started.IsZero():
		return false
	case s.Status == store.RefreshRollbackInProgress:
		return !before && (i.Launched.Before(s.RollbackStarted) || !matches)
	case scalinggroup.HasDesiredConfiguration(s.InstanceRefresh) && !matches:
		return true
	}
	return before && !(s.Preferences.SkipMatching && matches)
}

// ignores reports whether a refresh skips an instance.
func (s *Refresh) ignores(i *store.ScalingInstance) bool {
	if i.State == store.LifecycleStandby || i.State == store.LifecycleEnteringStandby {
		return s.Preferences.StandbyInstances == scalinggroup.IgnoreInstances
	}
	return i.Protected && s.Preferences.ScaleInProtectedInstances == scalinggroup.IgnoreInstances
}

// waitsFor returns what a user must change before the refresh can replace an instance,
// or "" if nothing.
func (s *Refresh) waitsFor(i *store.ScalingInstance) string {
	switch {
	case i.State == store.LifecycleEnteringStandby || i.State == store.LifecycleStandby &&
		s.Preferences.StandbyInstances == scalinggroup.WaitForInstances:
		return "is in Standby. Return it to service, or terminate it, to continue"
	case i.Protected && s.Preferences.ScaleInProtectedInstances == scalinggroup.WaitForInstances:
		return "is protected from scale in. Remove its scale-in protection to continue"
	}
	return ""
}

// refresh advances an instance refresh, and unmarks instances that a refresh no longer
// replaces.
func (d *decision) refresh() {
	d.unmarkUpdated()
	if d.Refresh == nil {
		return
	}
	row := *d.Refresh.InstanceRefresh
	d.advanceRefresh(&row)
	if row != *d.Refresh.InstanceRefresh {
		d.add(Step{Action: UpdateRefresh, Refresh: [2]*store.InstanceRefresh{d.Refresh.InstanceRefresh, &row}})
	}
}

// unmarkUpdated unmarks instances that no refresh replaces any longer. A cancelled
// refresh completes as many replacements as it has launched.
func (d *decision) unmarkUpdated() {
	complete := 0
	if d.Refresh != nil && d.Refresh.Status == store.RefreshCancelling && !d.Refresh.Abrupt {
		complete = d.surplus()
	}
	rolling := d.Refresh != nil &&
		(d.Refresh.Status == store.RefreshInProgress || d.Refresh.Status == store.RefreshRollbackInProgress)
	for _, m := range d.counted() {
		switch {
		case m.ReplaceCause != scalinggroup.ReasonInstanceRefresh || rolling && d.Refresh.Stale[m.InstanceID]:
		case complete > 0:
			complete -= m.units()
		default:
			d.add(stepFor(UnmarkForReplacement, m))
			d.mark(m, false)
		}
	}
}

// surplus returns how many units of capacity were launched beyond the desired capacity to
// replace instances that still exist.
func (d *decision) surplus() int {
	n := d.surplusLaunches()
	for _, m := range d.counted() {
		if m.Surplus {
			n += m.units()
		}
	}
	return n
}

// advanceRefresh updates the row of a refresh.
func (d *decision) advanceRefresh(row *store.InstanceRefresh) {
	switch {
	case d.Refresh.Broken != "":
		d.failRefresh(row, d.Refresh.Broken)
		return
	case row.Status == store.RefreshPending:
		row.Status, row.Started, row.LastProgress = store.RefreshInProgress, d.Now.UTC(), d.Now.UTC()
		return
	case row.Status == store.RefreshCancelling:
		d.cancelRefresh(row)
		return
	case d.Refresh.Alarm != "" && row.Status != store.RefreshRollbackInProgress:
		d.failRefresh(row, fmt.Sprintf("CloudWatch alarm %s is in ALARM state.", d.Refresh.Alarm))
		return
	}
	c := d.takeCensus(row)
	row.Percent, row.Remaining = c.percent, int32(c.remaining)
	if c.left < int(row.Unfinished) {
		row.LastProgress = d.Now.UTC()
	}
	row.Unfinished = int32(c.left)
	if d.finishRefresh(row, c) || d.pauseAtCheckpoint(row, c) {
		return
	}
	d.replaceStale(c)
	row.StatusReason = d.statusReason(c)
	d.failStalledRefresh(row, c)
}

// finishRefresh ends a refresh or rollback that has nothing left to do. A refresh with a
// bake time first waits for it. finishRefresh reports whether the refresh has ended or
// is baking.
func (d *decision) finishRefresh(row *store.InstanceRefresh, c census) bool {
	switch {
	case row.Status == store.RefreshRollbackInProgress && c.left == 0:
		d.endRefresh(row, store.RefreshRollbackSuccessful, "")
	case row.Status == store.RefreshRollbackInProgress:
		return false
	case row.Status == store.RefreshBaking && d.Now.Before(row.PausedUntil):
		d.wakeAt(row.PausedUntil)
	case row.Status == store.RefreshBaking || c.done && d.Refresh.Preferences.BakeTime == 0:
		d.endRefresh(row, store.RefreshSuccessful, "")
	case c.done:
		row.Status, row.StatusReason = store.RefreshBaking, "Waiting for the bake time to pass."
		row.PausedUntil = d.Now.UTC().Add(time.Duration(d.Refresh.Preferences.BakeTime) * time.Second)
		d.wakeAt(row.PausedUntil)
	default:
		return false
	}
	return true
}

// pauseAtCheckpoint pauses a refresh at a checkpoint for the checkpoint delay and
// reports whether it is paused. If the refresh reaches several checkpoints at once, only
// the last one counts (Amazon EC2 Auto Scaling User Guide, Add checkpoints to an
// instance refresh).
func (d *decision) pauseAtCheckpoint(row *store.InstanceRefresh, c census) bool {
	if row.Status != store.RefreshInProgress {
		return false
	}
	if !row.PausedUntil.IsZero() {
		if d.Now.Before(row.PausedUntil) {
			d.wakeAt(row.PausedUntil)
			return true
		}
		row.PausedUntil, row.LastProgress = time.Time{}, d.Now.UTC()
	}
	if c.passed <= int(row.CheckpointsPassed) {
		return false
	}
	row.CheckpointsPassed = int32(c.passed)
	reached := d.Refresh.Preferences.CheckpointPercentages[c.passed-1]
	row.StatusReason = fmt.Sprintf(
		"Waiting for the checkpoint delay to pass before continuing. The checkpoint at %d percent is reached.",
		reached,
	)
	row.PausedUntil = d.Now.UTC().Add(time.Duration(d.Refresh.Preferences.CheckpointDelay) * time.Second)
	d.wakeAt(row.PausedUntil)
	return true
}

// cancelRefresh ends a refresh that a user cancelled, once the replacements in progress
// are complete.
func (d *decision) cancelRefresh(row *store.InstanceRefresh) {
	moving := len(d.Launches)+d.surplus() > 0
	for i := range d.Members {
		m := &d.Members[i]
		moving = moving || scalinggroup.Leaving(m.ScalingInstance) ||
			scalinggroup.CountsTowardCapacity(m.ScalingInstance) && m.State != store.LifecycleInService
	}
	if row.Abrupt || !moving {
		d.endRefresh(row, store.RefreshCancelled, "Cancelled due to user request.")
	}
}

// failStalledRefresh fails a refresh that has made no progress for too long. A healthy
// instance that is warming up is progress.
func (d *decision) failStalledRefresh(row *store.InstanceRefresh, c census) {
	limit, end := row.LastProgress.Add(stallTimeout), row.Started.Add(maxDuration)
	d.wakeAt(limit)
	d.wakeAt(end)
	switch {
	case !d.Now.Before(end):
		d.failRefresh(row, "The instance refresh has reached its maximum duration of 14 days.")
	case !d.Now.Before(limit) && c.warming == nil:
		d.failRefresh(row, "The instance refresh could not replace instances for one hour. "+row.StatusReason)
	}
}

// failRefresh ends a refresh as failed, or begins its rollback.
func (d *decision) failRefresh(row *store.InstanceRefresh, reason string) {
	switch {
	case row.Status == store.RefreshRollbackInProgress:
		d.endRefresh(row, store.RefreshRollbackFailed, reason)
	case d.Refresh.Preferences.AutoRollback:
		scalinggroup.BeginRollback(row, "Automatic rollback was initiated. "+reason, d.Now)
	default:
		d.endRefresh(row, store.RefreshFailed, reason)
	}
}

func (d *decision) endRefresh(row *store.InstanceRefresh, status, reason string) {
	row.Status, row.StatusReason, row.Ended, row.PausedUntil = status, reason, d.Now.UTC(), time.Time{}
}
