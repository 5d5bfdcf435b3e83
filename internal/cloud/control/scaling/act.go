package scaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/decision"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// act takes the steps: those that only change rows together in one transaction,
// then those that call other services. What fails is decided anew.
func (l *Loop) act(ctx context.Context, g *store.ScalingGroup, steps []decision.Step) error {
	if len(steps) == 0 {
		return nil
	}
	var calls []decision.Step
	if err := l.Store.Update(func(tx *store.Tx) error {
		for _, s := range steps {
			if write, ok := rowChanges[s.Action]; !ok {
				calls = append(calls, s)
			} else if stillCurrent(tx, s) {
				write(tx, g, s, time.Now())
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

// stillCurrent tells whether the instance of a step is still where the decision saw
// it. A handler may have moved it since.
func stillCurrent(r store.Reader, s decision.Step) bool {
	if s.InstanceID == "" {
		return true
	}
	i, ok := store.ScalingInstances.Get(r, s.InstanceID)
	return ok && i.State == s.LifecycleState
}

// call takes a step that needs another service, unless another step or a
// handler has moved the instance meanwhile.
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
	}
	return fmt.Errorf("there is no such step: %s", s.Action)
}

// register registers an instance with target groups, and then writes down that
// it is, and that it serves when it has just been launched.
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
			enterService(tx, g, s.InstanceID, time.Now())
			return nil
		}
		store.ScalingInstances.Edit(tx, s.InstanceID, func(i *store.ScalingInstance) {
			i.Registered = append(slices.Clip(i.Registered), s.TargetGroups...)
		})
		return nil
	})
}

// enterService puts an instance into service: its grace period and its warm-up begin.
// Target groups that it was not registered with while AddToLoadBalancer was
// suspended are as good as registered: nobody adds it later.
func enterService(tx *store.Tx, g *store.ScalingGroup, id string, now time.Time) {
	var activity string
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, store.LifecycleInService, now)
		i.InServiceSince, i.GraceUntil = now.UTC(), now.UTC().Add(time.Duration(g.HealthCheckGrace)*time.Second)
		i.Registered, i.Waits = g.TargetGroupARNs, nil
		activity, i.ActivityID = i.ActivityID, ""
	})
	scalinggroup.EndActivity(tx, activity, scalinggroup.Successful, "", now)
	i, _ := store.ScalingInstances.Get(tx, id)
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
		g.Troubles = slices.DeleteFunc(
			slices.Clone(g.Troubles),
			func(t store.ZoneTrouble) bool { return t.Zone == i.Zone },
		)
	})
}
