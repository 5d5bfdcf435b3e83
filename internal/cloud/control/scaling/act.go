//go:build linux

package scaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/decision"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// act carries out a group's steps: first those that only change rows, together in
// one transaction, then those that call other services. The next pass decides again
// about a step that fails.
func (l *Loop) act(ctx context.Context, g *store.ScalingGroup, steps []decision.Step) error {
	if len(steps) == 0 {
		return nil
	}
	var calls []decision.Step
	if err := l.Store.Update(func(tx *store.Tx) error {
		for _, s := range steps {
			if carryOut, ok := rowChanges[s.Action]; !ok {
				calls = append(calls, s)
			} else if stillCurrent(tx, s) {
				carryOut(change{
					tx: tx, ids: l.IDs, group: g, step: s, now: time.Now(), launchAt: l.launchAt,
					mayPublish: l.Fleet.MayPublish,
				})
			}
		}
		return nil
	}); err != nil {
		return err
	}
	var problems []error
	failed := map[string]bool{} // zones in which a launch of this pass failed
	for _, s := range calls {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := l.call(ctx, g, s, failed); err != nil {
			problems = append(problems, fmt.Errorf("%s %s: %w", s.Action, s.InstanceID, err))
		}
	}
	return errors.Join(problems...)
}

// stillCurrent reports whether a step's instance is still in the lifecycle state that
// the decision saw. A handler may have changed it since.
func stillCurrent(r store.Reader, s decision.Step) bool {
	if s.InstanceID == "" {
		return true
	}
	i, ok := store.ScalingInstances.Get(r, s.InstanceID)
	return ok && i.State == s.LifecycleState
}

// call carries out a step that calls another service, unless another step or a
// handler has changed the instance's lifecycle state in the meantime.
func (l *Loop) call(ctx context.Context, g *store.ScalingGroup, s decision.Step, failed map[string]bool) error {
	if !stillCurrent(l.Store.View(), s) {
		return nil
	}
	switch s.Action {
	case decision.LaunchInstance:
		return l.launch(ctx, g, s.Activity, failed)
	case decision.EnterService, decision.RegisterTargets:
		return l.register(ctx, g, s)
	case decision.DeregisterTargets:
		for _, t := range s.Targets {
			if err := l.Fleet.Deregister(ctx, t); err != nil {
				return err
			}
		}
		return nil
	case decision.TerminateInstance:
		return l.Fleet.Terminate(ctx, g.Region, s.InstanceID)
	case decision.StartInstance:
		return l.Fleet.Start(ctx, g.Region, s.InstanceID)
	case decision.StopInstance:
		return l.Fleet.Stop(ctx, g.Region, s.InstanceID)
	}
	return fmt.Errorf("unknown action %q", s.Action)
}

// register registers an instance with target groups and records it. A launched
// instance then enters service.
func (l *Loop) register(ctx context.Context, g *store.ScalingGroup, s decision.Step) error {
	for _, arn := range s.TargetGroups {
		if err := l.Fleet.Register(ctx, g.Region, arn, s.InstanceID); err != nil {
			return fmt.Errorf("with %s: %w", arn, err)
		}
	}
	return l.Store.Update(func(tx *store.Tx) error {
		if !stillCurrent(tx, s) {
			return nil
		}
		if s.Action == decision.EnterService {
			enterService(tx, l.IDs, g, s.InstanceID, time.Now())
			return nil
		}
		store.ScalingInstances.Edit(tx, s.InstanceID, func(i *store.ScalingInstance) {
			i.Registered = append(slices.Clip(i.Registered), s.TargetGroups...)
		})
		return nil
	})
}

// enterService puts an instance into service and starts its grace period and warm-up.
// It counts as registered with all of the group's target groups, even if
// AddToLoadBalancer was suspended: Auto Scaling does not register it later.
func enterService(tx *store.Tx, ids *identity.Source, g *store.ScalingGroup, id string, now time.Time) {
	var activity string
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, store.LifecycleInService, now)
		i.InServiceSince, i.GraceUntil = now.UTC(), now.UTC().Add(time.Duration(g.HealthCheckGrace)*time.Second)
		i.Registered, i.Waits, i.FromPool = g.TargetGroupARNs, nil, false
		activity, i.ActivityID = i.ActivityID, ""
	})
	scalinggroup.EndActivity(tx, ids, activity, scalinggroup.Successful, "", now)
	i, _ := store.ScalingInstances.Get(tx, id)
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
		recovered := func(t store.ZoneLaunchFailures) bool { return t.Zone == i.Zone }
		g.LaunchFailures = slices.DeleteFunc(slices.Clone(g.LaunchFailures), recovered)
	})
}
