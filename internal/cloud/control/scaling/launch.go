//go:build linux

package scaling

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// After a failed launch the loop pauses launches in that zone. The pause doubles with
// every failure up to a bound, and the loop never gives up. AWS keeps trying too and
// does not document how often.
const (
	firstPause = 10 * time.Second
	maxPause   = 5 * time.Minute
)

// launch launches the instance of a planned launch, the activity with the id. If
// another launch in the zone has just failed, it drops the activity.
func (l *Loop) launch(ctx context.Context, g *store.ScalingGroup, id string, failed map[string]bool) error {
	activity, ok := store.ScalingActivities.Get(l.Store.View(), id)
	if !ok || activity.InstanceID != "" {
		return nil
	}
	if failed[activity.Zone] {
		return l.Store.Update(func(tx *store.Tx) error {
			store.ScalingActivities.Delete(tx, id)
			return nil
		})
	}
	message, err := l.launchActivity(ctx, g, activity)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	failed[activity.Zone] = true
	l.Log.Warn("launch an instance", "group", g.Name, "zone", activity.Zone, "error", err)
	return l.Store.Update(func(tx *store.Tx) error {
		scalinggroup.EndActivity(tx, l.IDs, id, scalinggroup.Failed, message, time.Now())
		recordLaunchFailure(tx, g.Key(), activity.Zone, time.Now())
		return nil
	})
}

// launchAt returns when the instance of an activity that begins now launches.
func (l *Loop) launchAt(activityID string) time.Time {
	return l.Manners.Until(time.Now(), manners.StartLaunch, activityID)
}

// launchActivity launches the instance of an activity. On an error it also returns the
// activity's status message.
func (l *Loop) launchActivity(
	ctx context.Context, g *store.ScalingGroup, activity *store.ScalingActivity,
) (message string, err error) {
	view := l.Store.View()
	for _, arn := range g.TargetGroupARNs {
		if _, ok := store.TargetGroups.Get(view, arn); !ok {
			return scalinggroup.MessageTargetGroupMissing, fmt.Errorf("target group %s does not exist", arn)
		}
	}
	configured := scalinggroup.WithLaunchConfiguration(view, g)
	if spot, err := l.launchFirst(ctx, configured, activity); err != nil {
		return scalinggroup.MessageLaunchFailed(configured, spot, err), err
	}
	return "", nil
}

// launchFirst launches the instance of an activity from the first of the group's
// sources for whose type the zone has capacity. If there is none, it returns the error
// of the first source, the preferred one. spot reports whether it launches a Spot Instance.
func (l *Loop) launchFirst(
	ctx context.Context, g *store.ScalingGroup, activity *store.ScalingActivity,
) (spot bool, err error) {
	view := l.Store.View()
	sources, err := scalinggroup.SourcesOf(view, g)
	if err != nil {
		return false, err
	}
	sources = scalinggroup.Bought(view, g, sources)
	spot = sources[0].Spot
	var first error
	for n, source := range sources {
		token := activity.ID
		if n > 0 { // a client token stands for one set of parameters
			token += fmt.Sprint("/", n)
		}
		if spot {
			token += "/spot"
		}
		err := l.Fleet.Launch(ctx, g, source, activity.SubnetID, token, func(tx *store.Tx, id string) error {
			return joinGroup(tx, g, source, activity, id, time.Now())
		})
		if err == nil || !scalinggroup.LacksCapacity(err) {
			return spot, err
		}
		if first == nil {
			first = err
		}
	}
	return spot, first
}

// recordLaunchFailure pauses launches in a zone.
func recordLaunchFailure(tx *store.Tx, group, zone string, now time.Time) {
	store.ScalingGroups.Edit(tx, group, func(g *store.ScalingGroup) {
		t := store.ZoneLaunchFailures{Zone: zone, Failures: 1}
		rest := slices.DeleteFunc(slices.Clone(g.LaunchFailures), func(old store.ZoneLaunchFailures) bool {
			if old.Zone == zone {
				t.Failures = old.Failures + 1
			}
			return old.Zone == zone
		})
		t.Until = now.UTC().Add(min(firstPause<<min(t.Failures-1, 10), maxPause))
		g.LaunchFailures = append(rest, t)
	})
}

// joinGroup adds a launched instance to the group.
func joinGroup(
	tx *store.Tx, g *store.ScalingGroup, source scalinggroup.Source, activity *store.ScalingActivity, id string,
	now time.Time,
) error {
	store.ScalingActivities.Edit(tx, activity.ID, func(a *store.ScalingActivity) {
		a.InstanceID, a.Status, a.Progress = id, scalinggroup.PreInService, progressLaunched
		a.Description = scalinggroup.DescribeLaunch(id, scalinggroup.OfWarmPool(a))
	})
	if _, ok := store.ScalingInstances.Get(tx, id); ok {
		return nil
	}
	i := &store.ScalingInstance{
		InstanceID: id, Region: g.Region, Group: g.Name, Zone: activity.Zone, SubnetID: activity.SubnetID,
		Launched: now.UTC(), Protected: g.ProtectNewInstances, Health: scalinggroup.Healthy,
		Surplus: activity.Surplus, ActivityID: activity.ID, Configuration: source.Configuration,
		Weight: source.Weight,
	}
	scalinggroup.SetLifecycleState(i, store.LifecyclePending, now)
	if pool, ok := store.WarmPools.Get(tx, g.Key()); ok && scalinggroup.OfWarmPool(activity) {
		scalinggroup.SetLifecycleState(i, store.LifecycleWarmedPending, now)
		i.PoolState, i.Protected = pool.State, false
	}
	scalinggroup.Describe(tx, i)
	store.ScalingInstances.Put(tx, i)
	return nil
}
