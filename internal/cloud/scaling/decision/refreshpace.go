package decision

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// census counts the capacity of a group's members by their place in a refresh. Numbers are of
// units of capacity; without weights, an instance is one.
type census struct {
	total     int       // of instances that the refresh covers
	counted   int       // part of the group's capacity
	ready     int       // of these: in service, healthy and warm
	pending   *Member   // an example that is neither ready nor warming up
	warming   *Member   // an example that is healthy and warming up
	old       int       // to be replaced
	stale     []*Member // of these: not marked yet
	awaiting  []*Member // of these: blocked until a user changes something
	renewed   int       // up to date and ready
	remaining int       // instances not updated yet; those that the next launches would be, with weights
	left      int       // must still change before the refresh ends
	percent   int32
	passed    int  // checkpoints passed
	goal      int  // updated capacity at which the refresh pauses
	done      bool // all instances are updated
}

// takeCensus counts the members.
func (d *decision) takeCensus(row *store.InstanceRefresh) census {
	c := census{total: int(d.Group.Desired)}
	for i := range d.Members {
		m := &d.Members[i]
		switch {
		case d.leaving[m.InstanceID]:
		case m.State == store.LifecycleStandby || m.State == store.LifecycleEnteringStandby:
			if d.Refresh.Stale[m.InstanceID] {
				c.total += m.units() // it is in addition to the desired ones
				d.countByAge(&c, m)
			}
		case scalinggroup.CountsTowardCapacity(m.ScalingInstance):
			c.counted += m.units()
			d.countByReadiness(&c, m)
			d.countByAge(&c, m)
		}
	}
	c.total = max(c.total, 0)
	d.measureProgress(&c, row)
	return c
}

// countByAge counts a member by what the refresh must do with it.
func (d *decision) countByAge(c *census, m *Member) {
	switch {
	case d.Refresh.ignores(m.ScalingInstance):
		c.total -= m.units()
		return
	case !d.Refresh.Stale[m.InstanceID]:
		if d.ready(m) {
			c.renewed += m.units()
		}
		return
	case d.marked[m.InstanceID]:
	case d.Refresh.waitsFor(m.ScalingInstance) != "":
		c.awaiting = append(c.awaiting, m)
	default:
		c.stale = append(c.stale, m)
	}
	c.old += m.units()
}

// countByReadiness counts a member by its readiness.
func (d *decision) countByReadiness(c *census, m *Member) {
	switch {
	case d.ready(m):
		c.ready += m.units()
	case m.State == store.LifecycleInService && d.unhealthy[m.InstanceID] == "" && !d.awaitsELBHealth(m):
		c.warming = stableExample(c.warming, m)
	default:
		c.pending = stableExample(c.pending, m)
	}
}

// stableExample returns the same one of two members at every decision, so that status
// reasons do not alternate between them.
func stableExample(a, b *Member) *Member {
	if a == nil || b.InstanceID < a.InstanceID {
		return b
	}
	return a
}

// measureProgress computes how far the refresh is. An instance counts as updated when
// its replacement is healthy and warm. During a rollback the percentage falls to zero
// (Amazon EC2 Auto Scaling API Reference, InstanceRefresh).
func (d *decision) measureProgress(c *census, row *store.InstanceRefresh) {
	if row.Status == store.RefreshRollbackInProgress {
		c.left = c.old + max(int(d.Group.Desired)-c.ready, 0)
		c.remaining = max(d.launchesFor(c.total-c.old), int(row.RemainingAtRollback))
		c.percent = min(percentOf(c.old, c.total), row.PercentAtRollback)
		c.goal = c.total
		return
	}
	updated := max(min(c.total-c.old, c.renewed), 0)
	if c.old == 0 && c.counted >= int(d.Group.Desired) && d.nothingLaunched(row) {
		updated = c.total // no instance needed a replacement
	}
	c.remaining = d.launchesFor(c.total - updated)
	c.left, c.percent, c.goal = c.total-updated, percentOf(updated, c.total), c.total
	for _, checkpoint := range d.Refresh.Preferences.CheckpointPercentages {
		c.goal = share(c.total, checkpoint)
		if updated < c.goal {
			break
		}
		c.passed++
	}
	last := len(d.Refresh.Preferences.CheckpointPercentages)
	c.done = updated >= c.total || last > 0 && c.passed == last
	if c.done {
		c.passed = int(row.CheckpointsPassed) // the refresh does not pause after the last checkpoint
	}
}

// nothingLaunched reports whether the group has launched nothing since the refresh began.
func (d *decision) nothingLaunched(row *store.InstanceRefresh) bool {
	for i := range d.Members {
		if !d.Members[i].Launched.Before(row.Started) {
			return false
		}
	}
	return len(d.Launches) == 0
}

// share returns a percentage of a capacity, rounded up.
func share(n int, percent int32) int { return (n*int(percent) + 99) / 100 }

func percentOf(part, whole int) int32 {
	if whole == 0 {
		return 100
	}
	return int32(100 * part / whole)
}

// pace limits how much capacity a refresh may replace now.
type pace struct {
	budget  int  // in total, up to the next checkpoint
	surplus int  // by launching first, including what is in progress
	spare   int  // of ready instances that may be terminated before their replacements are ready
	one     bool // one ready instance may be terminated, whatever it provides
	spent   bool // instances that are not ready have used up the spare capacity
}

// pace computes how fast a refresh may proceed. It may terminate ready instances down
// to the minimum healthy percentage, and launch first what the maximum allows beyond
// the desired capacity. Without an explicit maximum it replaces at least one instance
// at a time even if the minimum allows none; with a maximum it launches that one first
// (Amazon EC2 Auto Scaling API Reference, RefreshPreferences).
func (d *decision) pace(c census) pace {
	p, desired := d.Refresh.Preferences, int(d.Group.Desired)
	keep := share(desired, p.MinHealthyPercentage)
	out := pace{
		budget: unitsOf(c.stale) + unitsOf(c.awaiting) + c.goal - c.total,
		spare:  c.ready - keep,
		spent:  c.ready >= min(keep, desired-1),
	}
	if p.MaxHealthyPercentage != nil {
		out.surplus = max(desired*int(*p.MaxHealthyPercentage)/100-desired, 0)
		if out.surplus == 0 && keep >= desired {
			out.surplus = 1
		}
	}
	out.one = out.surplus == 0 && c.ready >= desired && len(d.Launches) == 0
	return out
}

// replaceStale replaces as many instances as the pace allows. Instances that do not
// serve cost nothing. A rollback does not wait for the warm-up of instances that it
// replaces anyway.
func (d *decision) replaceStale(c census) {
	if d.suspendedProcess() != "" {
		return
	}
	p, back := d.pace(c), d.Refresh.Status == store.RefreshRollbackInProgress
	for _, m := range d.replacementOrder(c.stale) {
		switch {
		case p.budget <= 0:
			return
		case !d.serves(m):
			d.terminate(m, scalinggroup.ReasonInstanceRefresh, successorOf(m))
		case d.markedUnits < p.surplus:
			d.replace(m, scalinggroup.ReasonInstanceRefresh, scalinggroup.ReasonInstanceRefresh)
		case back && !d.ready(m) && p.spent:
			d.terminate(m, scalinggroup.ReasonInstanceRefresh, scalinggroup.ReasonInstanceRefresh)
		case d.ready(m) && (p.one || m.units() <= p.spare):
			d.terminate(m, scalinggroup.ReasonInstanceRefresh, scalinggroup.ReasonInstanceRefresh)
			p.spare, p.one = p.spare-m.units(), false
		default:
			continue
		}
		p.budget -= m.units()
	}
}

// successorOf returns the reason of the launch that replaces a terminated instance. An
// instance in standby is not part of the capacity, so nothing replaces it.
func successorOf(m *Member) string {
	if m.State == store.LifecycleStandby {
		return ""
	}
	return scalinggroup.ReasonInstanceRefresh
}

// serves reports whether a member may have traffic that would be lost with it.
func (d *decision) serves(m *Member) bool {
	return m.State == store.LifecycleInService && d.unhealthy[m.InstanceID] == "" && !d.failsELB(m)
}

// replacementOrder sorts stale members into the order of replacement: first those that
// do not serve, then always the oldest of the zone with the most left.
func (d *decision) replacementOrder(stale []*Member) []*Member {
	rank := map[string]int{} // how many members of its zone come after it
	slices.SortFunc(stale, func(a, b *Member) int {
		return cmp.Or(a.Launched.Compare(b.Launched), cmp.Compare(a.InstanceID, b.InstanceID))
	})
	after := map[string]int{}
	for _, m := range slices.Backward(stale) {
		rank[m.InstanceID] = after[m.Zone]
		after[m.Zone]++
	}
	slices.SortStableFunc(stale, func(a, b *Member) int {
		return cmp.Or(
			compareBools(d.serves(a), d.serves(b)),
			cmp.Compare(rank[b.InstanceID], rank[a.InstanceID]),
			cmp.Compare(a.Zone, b.Zone),
		)
	})
	return stale
}

// suspendedProcess returns a suspended process without which a refresh replaces
// nothing, or "".
func (d *decision) suspendedProcess() string {
	for _, process := range []string{scalinggroup.InstanceRefresh, scalinggroup.Launch, scalinggroup.Terminate} {
		if d.suspended(process) {
			return process
		}
	}
	return ""
}

// statusReason returns what a refresh waits for, in AWS's words where they are known
// (describe-instance-refreshes in the AWS CLI Command Reference, and users' reports).
func (d *decision) statusReason(c census) string {
	const remaining = "Waiting for remaining instances to be available. For example: "
	switch process := d.suspendedProcess(); {
	case process != "":
		return "Waiting for suspended processes to be resumed. For example: " + process + "."
	case c.warming != nil:
		return "Waiting for instances to warm up before continuing. For example: " + c.warming.InstanceID +
			" is warming up."
	case c.pending != nil && d.failsELB(c.pending):
		return remaining + c.pending.InstanceID + " is unhealthy according to Elastic Load Balancing."
	case c.pending != nil && c.pending.State == store.LifecycleInService && d.awaitsELBHealth(c.pending):
		return remaining + c.pending.InstanceID + " has insufficient data to evaluate its health with Elastic Load " +
			"Balancing."
	case c.pending != nil:
		return remaining + c.pending.InstanceID + " has insufficient data to evaluate its health with Amazon EC2."
	case len(c.awaiting) > 0 && len(c.stale) == 0:
		return remaining + c.awaiting[0].InstanceID + " " + d.Refresh.waitsFor(c.awaiting[0].ScalingInstance) + "."
	}
	return ""
}
