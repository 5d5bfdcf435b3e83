package scaling

import (
	"maps"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/decision"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// rowChange changes the rows for a step.
type rowChange func(tx *store.Tx, g *store.ScalingGroup, s decision.Step, now time.Time)

// rowChanges are the steps that change rows alone.
var rowChanges = map[decision.Action]rowChange{
	decision.PlanLaunch:       planLaunch,
	decision.WaitForHooks:     waitForHooks,
	decision.AbandonLaunch:    abandonLaunch,
	decision.BeginTermination: beginTermination,
	decision.Detach:           detach,
	decision.ForgetTerminated: forgetTerminated,
	decision.ProceedAfterHooks: func(tx *store.Tx, g *store.ScalingGroup, s decision.Step, now time.Time) {
		next := store.LifecyclePendingProceed
		if s.LifecycleState == store.LifecycleTerminatingWait {
			next = store.LifecycleTerminatingProceed
		}
		store.ScalingInstances.Edit(tx, s.InstanceID, func(i *store.ScalingInstance) {
			scalinggroup.SetLifecycleState(i, next, now)
			i.Waits = nil
			scalinggroup.UpdateActivity(tx, i.ActivityID, scalinggroup.InProgress, 70)
		})
	},
	decision.MarkUnhealthy: func(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, _ time.Time) {
		store.ScalingInstances.Edit(tx, s.InstanceID, func(i *store.ScalingInstance) { i.Health = scalinggroup.Unhealthy })
	},
	decision.MarkForReplacement: func(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, _ time.Time) {
		scalinggroup.MarkForReplacement(tx, s.InstanceID, s.Reason, s.SuccessorReason)
	},
	decision.UnmarkForReplacement: func(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, _ time.Time) {
		scalinggroup.UnmarkForReplacement(tx, s.InstanceID)
	},
	decision.UpdateRefresh: updateRefresh,
	decision.CountTowardCapacity: func(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, _ time.Time) {
		store.ScalingInstances.Edit(tx, s.InstanceID, func(i *store.ScalingInstance) { i.Surplus = false })
	},
	decision.WaitForDraining: func(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, _ time.Time) {
		i, _ := store.ScalingInstances.Get(tx, s.InstanceID)
		scalinggroup.UpdateActivity(tx, i.ActivityID, scalinggroup.Draining, 60)
	},
	decision.EnterStandby: func(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, now time.Time) {
		store.ScalingInstances.Edit(tx, s.InstanceID, func(i *store.ScalingInstance) {
			scalinggroup.EndActivity(tx, i.ActivityID, scalinggroup.Successful, "", now)
			scalinggroup.SetLifecycleState(i, store.LifecycleStandby, now)
			i.ActivityID, i.Registered = "", nil
		})
	},
	decision.ForgetTargetGroup: func(tx *store.Tx, g *store.ScalingGroup, s decision.Step, _ time.Time) {
		store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
			g.LeavingTargetGroups = slices.DeleteFunc(
				slices.Clone(g.LeavingTargetGroups),
				func(arn string) bool { return slices.Contains(s.TargetGroups, arn) },
			)
		})
	},
	decision.CancelScaleIn: func(tx *store.Tx, g *store.ScalingGroup, s decision.Step, now time.Time) {
		a := scalinggroup.BeginActivity(
			tx,
			&store.ScalingInstance{Region: g.Region, Group: g.Name},
			"Could not scale to desired capacity because all remaining instances are protected from scale in.",
			s.Cause,
			now,
		)
		scalinggroup.EndActivity(tx, a.ID, scalinggroup.Cancelled, "", now)
		clearCauses(tx, g)
	},
	decision.ClearCauses: func(tx *store.Tx, g *store.ScalingGroup, _ decision.Step, _ time.Time) { clearCauses(tx, g) },
	decision.DeleteGroup: func(tx *store.Tx, g *store.ScalingGroup, _ decision.Step, _ time.Time) {
		scalinggroup.Delete(tx, g.Key())
	},
}

func clearCauses(tx *store.Tx, g *store.ScalingGroup) {
	store.ScalingGroups.Edit(tx, g.Key(), func(row *store.ScalingGroup) {
		// What has come since the decision stays.
		row.Causes = slices.DeleteFunc(
			slices.Clone(row.Causes),
			func(cause string) bool { return slices.Contains(g.Causes, cause) },
		)
	})
}

func planLaunch(tx *store.Tx, g *store.ScalingGroup, s decision.Step, now time.Time) {
	a := &store.ScalingActivity{
		ID: scalinggroup.UUID(), Region: g.Region, Group: g.Name, GroupARN: g.ARN, Zone: s.Zone, SubnetID: s.Subnet, Surplus: s.Surplus, Cause: s.Cause,
		Description: "Launching a new EC2 instance", Details: scalinggroup.ActivityDetails(s.Subnet, s.Zone), Status: scalinggroup.PreInService, Progress: 0, Started: now.UTC(),
	}
	store.ScalingActivities.Put(tx, a)
	if s.PredecessorID != "" {
		store.ScalingInstances.Edit(tx, s.PredecessorID, func(i *store.ScalingInstance) { i.Successor = "" })
	}
}

// waitForHooks makes an instance wait for all hooks of its transition, side by side.
func waitForHooks(tx *store.Tx, g *store.ScalingGroup, s decision.Step, now time.Time) {
	transition, next := scalinggroup.Launching, store.LifecyclePendingWait
	if s.LifecycleState == store.LifecycleTerminating {
		transition, next = scalinggroup.Terminating, store.LifecycleTerminatingWait
	}
	var waits []store.HookWait
	for _, h := range store.LifecycleHooks.By(tx, "group", g.Key()) {
		if h.Transition != transition {
			continue
		}
		end := decision.HookDeadline(h, now.UTC())
		waits = append(
			waits,
			store.HookWait{
				Hook:     h.Name,
				Token:    scalinggroup.UUID(),
				Deadline: end,
				Limit:    now.UTC().Add(scalinggroup.HookTimeoutLimit(h)),
				Default:  h.DefaultResult,
			},
		)
	}
	store.ScalingInstances.Edit(tx, s.InstanceID, func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, next, now)
		i.Waits = waits
		scalinggroup.UpdateActivity(tx, i.ActivityID, scalinggroup.MidHook, 65)
	})
}

// abandonLaunch cancels the launch of an instance that did not get into service, and
// ends what there is of it.
func abandonLaunch(tx *store.Tx, g *store.ScalingGroup, s decision.Step, now time.Time) {
	i, _ := store.ScalingInstances.Get(tx, s.InstanceID)
	scalinggroup.EndActivity(tx, i.ActivityID, scalinggroup.Cancelled, s.Message, now)
	cause := scalinggroup.CauseSentence(
		now,
		"an instance was taken out of service in response to its launch being cancelled",
	)
	scalinggroup.BeginTermination(tx, s.InstanceID, cause, "", now)
	recordLaunchFailure(tx, g.Key(), i.Zone, now)
}

func beginTermination(tx *store.Tx, g *store.ScalingGroup, s decision.Step, now time.Time) {
	if s.Reason != "" {
		scalinggroup.TakeOutOfService(tx, s.InstanceID, s.Reason, s.SuccessorReason, now)
		return
	}
	scalinggroup.BeginTermination(tx, s.InstanceID, s.Cause, "", now)
	clearCauses(tx, g)
}

// detach makes a detached instance nobody's.
func detach(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, now time.Time) {
	i, _ := store.ScalingInstances.Get(tx, s.InstanceID)
	scalinggroup.EndActivity(tx, i.ActivityID, scalinggroup.Successful, "", now)
	store.ScalingInstances.Delete(tx, s.InstanceID)
	store.Instances.Edit(tx, s.InstanceID, func(row *store.Instance) {
		row.Tags = maps.Clone(row.Tags)
		delete(row.Tags, scalinggroup.TagKey)
	})
}

// forgetTerminated forgets an instance that is terminated.
func forgetTerminated(tx *store.Tx, _ *store.ScalingGroup, s decision.Step, now time.Time) {
	i, _ := store.ScalingInstances.Get(tx, s.InstanceID)
	scalinggroup.EndActivity(tx, i.ActivityID, scalinggroup.Successful, "", now)
	store.ScalingInstances.Delete(tx, s.InstanceID)
}

// updateRefresh writes a refresh down as it has become, unless a user has changed it
// meanwhile. A desired configuration becomes the group's when all went well.
func updateRefresh(tx *store.Tx, g *store.ScalingGroup, s decision.Step, _ time.Time) {
	seen, now := s.Refresh[0], s.Refresh[1]
	if row, ok := store.InstanceRefreshes.Get(tx, seen.ID); !ok || row != seen {
		return
	}
	store.InstanceRefreshes.Put(tx, now)
	if now.Status == store.RefreshSuccessful && scalinggroup.HasDesiredConfiguration(now) {
		store.ScalingGroups.Edit(
			tx,
			g.Key(),
			func(g *store.ScalingGroup) { g.Template, g.Mixed = now.Template, now.Mixed },
		)
	}
}
