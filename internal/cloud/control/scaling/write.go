package scaling

import (
	"maps"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// write changes the rows for a step.
type write func(tx *store.Tx, g *store.ScalingGroup, s Step, now time.Time)

// writes are the steps that change rows alone.
var writes = map[Action]write{
	PlanLaunch: planLaunch,
	Hold:       hold,
	GiveUp:     giveUp,
	TakeOut:    takeOut,
	LetGo:      letGo,
	Bury:       bury,
	Proceed: func(tx *store.Tx, g *store.ScalingGroup, s Step, now time.Time) {
		next := store.LifecyclePendingProceed
		if s.From == store.LifecycleTerminatingWait {
			next = store.LifecycleTerminatingProceed
		}
		store.ScalingInstances.Edit(tx, s.Instance, func(i *store.ScalingInstance) {
			scalinggroup.Move(i, next, now)
			i.Waits = nil
			scalinggroup.Progress(tx, i.ActivityID, scalinggroup.InProgress, 70)
		})
	},
	MarkSick: func(tx *store.Tx, _ *store.ScalingGroup, s Step, _ time.Time) {
		store.ScalingInstances.Edit(tx, s.Instance, func(i *store.ScalingInstance) { i.Health = scalinggroup.Sick })
	},
	ReplaceIt: func(tx *store.Tx, _ *store.ScalingGroup, s Step, _ time.Time) {
		scalinggroup.Replace(tx, s.Instance, s.Because, s.Successor)
	},
	KeepIt: func(tx *store.Tx, _ *store.ScalingGroup, s Step, _ time.Time) { scalinggroup.Unmark(tx, s.Instance) },
	Note:   note,
	Ripen: func(tx *store.Tx, _ *store.ScalingGroup, s Step, _ time.Time) {
		store.ScalingInstances.Edit(tx, s.Instance, func(i *store.ScalingInstance) { i.Surplus = false })
	},
	Await: func(tx *store.Tx, _ *store.ScalingGroup, s Step, _ time.Time) {
		i, _ := store.ScalingInstances.Get(tx, s.Instance)
		scalinggroup.Progress(tx, i.ActivityID, scalinggroup.Draining, 60)
	},
	Rest: func(tx *store.Tx, _ *store.ScalingGroup, s Step, now time.Time) {
		store.ScalingInstances.Edit(tx, s.Instance, func(i *store.ScalingInstance) {
			scalinggroup.End(tx, i.ActivityID, scalinggroup.Successful, "", now)
			scalinggroup.Move(i, store.LifecycleStandby, now)
			i.ActivityID, i.Registered = "", nil
		})
	},
	LeaveGroup: func(tx *store.Tx, g *store.ScalingGroup, s Step, _ time.Time) {
		store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
			g.LeavingTargetGroups = slices.DeleteFunc(
				slices.Clone(g.LeavingTargetGroups),
				func(arn string) bool { return slices.Contains(s.TargetGroups, arn) },
			)
		})
	},
	Refuse: func(tx *store.Tx, g *store.ScalingGroup, s Step, now time.Time) {
		a := scalinggroup.Begin(
			tx,
			&store.ScalingInstance{Region: g.Region, Group: g.Name},
			"Could not scale to desired capacity because all remaining instances are protected from scale in.",
			s.Cause,
			now,
		)
		scalinggroup.End(tx, a.ID, scalinggroup.Cancelled, "", now)
		settle(tx, g)
	},
	Settle:   func(tx *store.Tx, g *store.ScalingGroup, _ Step, _ time.Time) { settle(tx, g) },
	DeleteIt: func(tx *store.Tx, g *store.ScalingGroup, _ Step, _ time.Time) { scalinggroup.Delete(tx, g.Key()) },
}

func settle(tx *store.Tx, g *store.ScalingGroup) {
	store.ScalingGroups.Edit(tx, g.Key(), func(row *store.ScalingGroup) {
		// What has come since the decision stays.
		row.Causes = slices.DeleteFunc(
			slices.Clone(row.Causes),
			func(cause string) bool { return slices.Contains(g.Causes, cause) },
		)
	})
}

func planLaunch(tx *store.Tx, g *store.ScalingGroup, s Step, now time.Time) {
	a := &store.ScalingActivity{
		ID: scalinggroup.UUID(), Region: g.Region, Group: g.Name, GroupARN: g.ARN, Zone: s.Zone, SubnetID: s.Subnet, Surplus: s.Surplus, Cause: s.Cause,
		Description: "Launching a new EC2 instance", Details: scalinggroup.Details(s.Subnet, s.Zone), Status: scalinggroup.PreInService, Progress: 0, Started: now.UTC(),
	}
	store.ScalingActivities.Put(tx, a)
	if s.For != "" {
		store.ScalingInstances.Edit(tx, s.For, func(i *store.ScalingInstance) { i.Successor = "" })
	}
}

// hold makes an instance wait for all hooks of its transition, side by side.
func hold(tx *store.Tx, g *store.ScalingGroup, s Step, now time.Time) {
	transition, next := scalinggroup.Launching, store.LifecyclePendingWait
	if s.From == store.LifecycleTerminating {
		transition, next = scalinggroup.Terminating, store.LifecycleTerminatingWait
	}
	var waits []store.HookWait
	for _, h := range store.LifecycleHooks.By(tx, "group", g.Key()) {
		if h.Transition != transition {
			continue
		}
		end := deadline(h, now.UTC())
		waits = append(
			waits,
			store.HookWait{
				Hook:     h.Name,
				Token:    scalinggroup.UUID(),
				Deadline: end,
				Limit:    now.UTC().Add(scalinggroup.Limit(h)),
				Default:  h.DefaultResult,
			},
		)
	}
	store.ScalingInstances.Edit(tx, s.Instance, func(i *store.ScalingInstance) {
		scalinggroup.Move(i, next, now)
		i.Waits = waits
		scalinggroup.Progress(tx, i.ActivityID, scalinggroup.MidHook, 65)
	})
}

// giveUp cancels the launch of an instance that did not get into service, and
// ends what there is of it.
func giveUp(tx *store.Tx, g *store.ScalingGroup, s Step, now time.Time) {
	i, _ := store.ScalingInstances.Get(tx, s.Instance)
	scalinggroup.End(tx, i.ActivityID, scalinggroup.Cancelled, s.Message, now)
	cause := scalinggroup.Sentence(
		now,
		"an instance was taken out of service in response to its launch being cancelled",
	)
	scalinggroup.BeginTermination(tx, s.Instance, cause, "", now)
	trouble(tx, g.Key(), i.Zone, now)
}

func takeOut(tx *store.Tx, g *store.ScalingGroup, s Step, now time.Time) {
	if s.Because != "" {
		scalinggroup.TakeOut(tx, s.Instance, s.Because, s.Successor, now)
		return
	}
	scalinggroup.BeginTermination(tx, s.Instance, s.Cause, "", now)
	settle(tx, g)
}

// letGo makes a detached instance nobody's.
func letGo(tx *store.Tx, _ *store.ScalingGroup, s Step, now time.Time) {
	i, _ := store.ScalingInstances.Get(tx, s.Instance)
	scalinggroup.End(tx, i.ActivityID, scalinggroup.Successful, "", now)
	store.ScalingInstances.Delete(tx, s.Instance)
	store.Instances.Edit(tx, s.Instance, func(row *store.Instance) {
		row.Tags = maps.Clone(row.Tags)
		delete(row.Tags, scalinggroup.TagKey)
	})
}

// bury forgets an instance that is terminated.
func bury(tx *store.Tx, _ *store.ScalingGroup, s Step, now time.Time) {
	i, _ := store.ScalingInstances.Get(tx, s.Instance)
	scalinggroup.End(tx, i.ActivityID, scalinggroup.Successful, "", now)
	store.ScalingInstances.Delete(tx, s.Instance)
}
