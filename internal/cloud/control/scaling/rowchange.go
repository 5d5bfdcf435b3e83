//go:build linux

package scaling

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/announcement"
	"aloft.dev/aloft/internal/cloud/scaling/decision"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// change carries out a step that changes rows alone, in a transaction.
type change struct {
	tx    *store.Tx
	ids   *identity.Source
	group *store.ScalingGroup // as the decision saw it
	step  decision.Step
	now   time.Time
	// launchAt returns when the instance of an activity that begins now launches.
	launchAt func(activityID string) time.Time
	// mayPublish reports whether a role lets Auto Scaling publish to a topic.
	mayPublish func(r store.Reader, roleARN, topicARN string) bool
}

// rowChanges are the steps that change rows alone.
var rowChanges = map[decision.Action]func(change){
	decision.PlanLaunch:           change.planLaunch,
	decision.WaitForHooks:         change.waitForHooks,
	decision.ProceedAfterHooks:    change.proceedAfterHooks,
	decision.AbandonLaunch:        change.abandonLaunch,
	decision.MarkUnhealthy:        change.markUnhealthy,
	decision.BeginTermination:     change.beginTermination,
	decision.MarkForReplacement:   change.markForReplacement,
	decision.UnmarkForReplacement: change.unmarkForReplacement,
	decision.UpdateRefresh:        change.updateRefresh,
	decision.CountTowardCapacity:  change.countTowardCapacity,
	decision.WaitForDraining:      change.waitForDraining,
	decision.EnterStandby:         change.enterStandby,
	decision.Detach:               change.forgetInstance,
	decision.ForgetTerminated:     change.forgetInstance,
	decision.ForgetTargetGroup:    change.forgetTargetGroup,
	decision.CancelScaleIn:        change.cancelScaleIn,
	decision.ClearCauses:          change.clearCauses,
	decision.DeleteGroup:          change.deleteGroup,
	decision.TakeFromPool:         change.takeFromPool,
	decision.EnterPool:            change.enterPool,
	decision.ReturnToPool:         change.returnToPool,
	decision.DeletePool:           change.deletePool,
}

// Progress of an activity, in percent, as AWS's activities show it.
const (
	progressLaunched = 30
	progressDraining = 60
	progressMidHook  = 65
	progressHookDone = 70
)

func (c change) editInstance(edit func(*store.ScalingInstance)) {
	store.ScalingInstances.Edit(c.tx, c.step.InstanceID, edit)
}

// instance returns the step's instance, which exists: the step is current.
func (c change) instance() *store.ScalingInstance {
	i, _ := store.ScalingInstances.Get(c.tx, c.step.InstanceID)
	return i
}

// planLaunch begins an activity without an instance. A later step launches it.
func (c change) planLaunch() {
	id := c.ids.UUID()
	a := &store.ScalingActivity{
		ID: id, LaunchAt: c.launchAt(id), Region: c.group.Region, Group: c.group.Name, GroupARN: c.group.ARN,
		Zone: c.step.Zone, SubnetID: c.step.Subnet, Surplus: c.step.Surplus, Cause: c.step.Cause,
		Description: scalinggroup.DescribeLaunch("", c.step.Warm), Status: scalinggroup.PreInService,
		Details: scalinggroup.ActivityDetails(c.step.Subnet, c.step.Zone), Started: c.now.UTC(),
	}
	if c.step.Warm {
		a.Origin, a.Destination = announcement.Compute, announcement.WarmPool
	}
	store.ScalingActivities.Put(c.tx, a)
	c.replacePredecessor()
}

// replacePredecessor records that the launch is planned that replaces an instance.
func (c change) replacePredecessor() {
	if c.step.PredecessorID != "" {
		store.ScalingInstances.Edit(
			c.tx, c.step.PredecessorID, func(i *store.ScalingInstance) { i.ReplacementCause = "" },
		)
	}
}

func (c change) takeFromPool() {
	scalinggroup.TakeFromWarmPool(c.tx, c.ids, c.step.InstanceID, c.step.Cause, c.step.Surplus, c.now)
	c.replacePredecessor()
}

func (c change) enterPool() { scalinggroup.StayInWarmPool(c.tx, c.ids, c.step.InstanceID, c.now) }

func (c change) returnToPool() {
	if pool, ok := store.WarmPools.Get(c.tx, c.group.Key()); ok {
		scalinggroup.ReturnToWarmPool(c.tx, c.ids, c.step.InstanceID, pool, c.now)
	}
}

func (c change) deletePool() { store.WarmPools.Delete(c.tx, c.group.Key()) }

// waitForHooks makes an instance wait for all hooks of its transition at once.
func (c change) waitForHooks() {
	transition := scalinggroup.Launching
	if strings.HasSuffix(c.step.LifecycleState, store.LifecycleTerminating) {
		transition = scalinggroup.Terminating
	}
	activity, _ := store.ScalingActivities.Get(c.tx, c.instance().ActivityID)
	var waits []store.HookWait
	for _, h := range store.LifecycleHooksByGroup.List(c.tx, c.group.Key()) {
		if h.Transition != transition {
			continue
		}
		token := c.ids.UUID()
		waits = append(waits, store.HookWait{
			Hook: h.Name, Token: token, Default: h.DefaultResult,
			Deadline: scalinggroup.HookDeadline(h, c.now.UTC()),
			Limit:    c.now.UTC().Add(scalinggroup.HookTimeoutLimit(h)),
		})
		if h.NotificationTargetARN != "" && c.mayPublish(c.tx, h.RoleARN, h.NotificationTargetARN) {
			announcement.LifecycleAction(c.tx, c.ids, h, c.step.InstanceID, token, activity, c.now)
		}
	}
	c.editInstance(func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, c.step.LifecycleState+waitSuffix, c.now)
		i.Waits = waits
		scalinggroup.UpdateActivity(c.tx, i.ActivityID, scalinggroup.MidHook, progressMidHook)
	})
}

// Endings of lifecycle states of instances that wait for hooks, and that have waited.
const (
	waitSuffix    = ":Wait"
	proceedSuffix = ":Proceed"
)

func (c change) proceedAfterHooks() {
	next := strings.TrimSuffix(c.step.LifecycleState, waitSuffix) + proceedSuffix
	c.editInstance(func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, next, c.now)
		i.Waits = nil
		scalinggroup.UpdateActivity(c.tx, i.ActivityID, scalinggroup.InProgress, progressHookDone)
	})
}

// abandonLaunch cancels the launch of an instance that did not enter service, and
// terminates the instance.
func (c change) abandonLaunch() {
	i := c.instance()
	scalinggroup.EndActivity(c.tx, c.ids, i.ActivityID, scalinggroup.Cancelled, c.step.Message, c.now)
	cause := scalinggroup.CauseLaunchCancelled(c.now)
	scalinggroup.BeginTermination(c.tx, c.ids, c.step.InstanceID, cause, "", c.now)
	recordLaunchFailure(c.tx, c.group.Key(), i.Zone, c.now)
}

func (c change) markUnhealthy() {
	c.editInstance(func(i *store.ScalingInstance) { i.Health = scalinggroup.Unhealthy })
}

func (c change) beginTermination() {
	if s := c.step; s.Reason != "" {
		scalinggroup.TakeOutOfService(c.tx, c.ids, s.InstanceID, s.Reason, s.SuccessorReason, c.now)
		return
	}
	a := scalinggroup.BeginTermination(c.tx, c.ids, c.step.InstanceID, c.step.Cause, "", c.now)
	if pool, ok := store.WarmPools.Get(c.tx, c.group.Key()); ok && c.step.ToPool {
		c.editInstance(func(i *store.ScalingInstance) { i.ToPool, i.PoolState = true, pool.State })
		store.ScalingActivities.Edit(c.tx, a.ID, func(a *store.ScalingActivity) {
			a.Origin, a.Destination = announcement.Group, announcement.WarmPool
		})
	}
	if !scalinggroup.InWarmPool(c.instance()) {
		c.clearCauses()
	}
}

func (c change) markForReplacement() {
	scalinggroup.MarkForReplacement(c.tx, c.step.InstanceID, c.step.Reason, c.step.SuccessorReason)
}

func (c change) unmarkForReplacement() { scalinggroup.UnmarkForReplacement(c.tx, c.step.InstanceID) }

// updateRefresh stores a refresh as the decision changed it, unless a user has
// changed it since. A successful refresh makes its desired configuration the group's.
func (c change) updateRefresh() {
	seen, next := c.step.Refresh[0], c.step.Refresh[1]
	if row, ok := store.InstanceRefreshes.Get(c.tx, seen.ID); !ok || row != seen {
		return
	}
	store.InstanceRefreshes.Put(c.tx, next)
	if next.Status == store.RefreshSuccessful && scalinggroup.HasDesiredConfiguration(next) {
		store.ScalingGroups.Edit(c.tx, c.group.Key(), func(g *store.ScalingGroup) {
			scalinggroup.SetConfiguration(g, next)
		})
		if g, ok := store.ScalingGroups.Get(c.tx, c.group.Key()); ok {
			scalinggroup.Weigh(c.tx, g)
		}
	}
}

func (c change) countTowardCapacity() {
	c.editInstance(func(i *store.ScalingInstance) { i.Surplus = false })
}

func (c change) waitForDraining() {
	scalinggroup.UpdateActivity(c.tx, c.instance().ActivityID, scalinggroup.Draining, progressDraining)
}

func (c change) enterStandby() {
	c.editInstance(func(i *store.ScalingInstance) {
		scalinggroup.EndActivity(c.tx, c.ids, i.ActivityID, scalinggroup.Successful, "", c.now)
		scalinggroup.SetLifecycleState(i, store.LifecycleStandby, c.now)
		i.ActivityID, i.Registered = "", nil
	})
}

// forgetInstance removes an instance from the group and ends its activity. The instance has
// been terminated or detached.
func (c change) forgetInstance() {
	scalinggroup.EndActivity(c.tx, c.ids, c.instance().ActivityID, scalinggroup.Successful, "", c.now)
	store.ScalingInstances.Delete(c.tx, c.step.InstanceID)
}

func (c change) forgetTargetGroup() {
	gone := func(arn string) bool { return slices.Contains(c.step.TargetGroups, arn) }
	store.ScalingGroups.Edit(c.tx, c.group.Key(), func(g *store.ScalingGroup) {
		g.DetachedTargetGroups = slices.DeleteFunc(slices.Clone(g.DetachedTargetGroups), gone)
	})
}

// cancelScaleIn records that protection keeps the group from shrinking.
func (c change) cancelScaleIn() {
	group := &store.ScalingInstance{Region: c.group.Region, Group: c.group.Name}
	a := scalinggroup.BeginActivity(c.tx, c.ids, group, scalinggroup.DescribeProtected, c.step.Cause, c.now)
	scalinggroup.EndActivity(c.tx, c.ids, a.ID, scalinggroup.Cancelled, "", c.now)
	c.clearCauses()
}

// clearCauses drops the causes that the decision saw. Later ones stay.
func (c change) clearCauses() {
	used := func(cause string) bool { return slices.Contains(c.group.CapacityCauses, cause) }
	store.ScalingGroups.Edit(c.tx, c.group.Key(), func(g *store.ScalingGroup) {
		g.CapacityCauses = slices.DeleteFunc(slices.Clone(g.CapacityCauses), used)
	})
}

func (c change) deleteGroup() { scalinggroup.Delete(c.tx, c.group.Key(), c.now) }
