package scaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// act takes the steps: those that only change rows together in one transaction,
// then those that call other services. What fails is decided anew.
func (l *Loop) act(ctx context.Context, g *store.ScalingGroup, steps []Step) error {
	if len(steps) == 0 {
		return nil
	}
	var calls []Step
	if err := l.Store.Update(func(tx *store.Tx) error {
		for _, s := range steps {
			if write, ok := writes[s.Do]; !ok {
				calls = append(calls, s)
			} else if current(tx, s) {
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
			problems = append(problems, fmt.Errorf("%s %s: %w", s.Do, s.Instance, err))
		}
	}
	return errors.Join(problems...)
}

// current tells whether the instance of a step is still where the decision saw
// it. A handler may have moved it since.
func current(r store.Reader, s Step) bool {
	if s.Instance == "" {
		return true
	}
	i, ok := store.ScalingInstances.Get(r, s.Instance)
	return ok && i.State == s.From
}

// call takes a step that needs another service, unless another step or a
// handler has moved the instance meanwhile.
func (l *Loop) call(ctx context.Context, g *store.ScalingGroup, s Step, failed map[string]bool) error {
	if !current(l.Store.View(), s) {
		return nil
	}
	switch s.Do {
	case RunLaunch:
		return l.launch(ctx, g, s.Activity, failed)
	case Serve, Register:
		return l.register(ctx, g, s)
	case Deregister:
		for _, t := range s.Targets {
			if err := l.Fleet.Deregister(ctx, t); err != nil {
				return err
			}
		}
		return nil
	case End:
		return l.Fleet.Terminate(ctx, g.Region, s.Instance)
	}
	return fmt.Errorf("there is no such step: %s", s.Do)
}

// register registers an instance with target groups, and then writes down that
// it is, and that it serves when it has just been launched.
func (l *Loop) register(ctx context.Context, g *store.ScalingGroup, s Step) error {
	for _, arn := range s.TargetGroups {
		if err := l.Fleet.Register(ctx, g.Region, arn, s.Instance); err != nil {
			return fmt.Errorf("with %s: %w", arn, err)
		}
	}
	return l.Store.Update(func(tx *store.Tx) error {
		if !current(tx, s) {
			return nil
		}
		if s.Do == Serve {
			serve(tx, g, s.Instance, time.Now())
			return nil
		}
		store.ScalingInstances.Edit(tx, s.Instance, func(i *store.ScalingInstance) {
			i.Registered = append(slices.Clip(i.Registered), s.TargetGroups...)
		})
		return nil
	})
}

// serve puts an instance into service: its grace period and its warm-up begin.
// Target groups that it was not registered with while AddToLoadBalancer was
// suspended are as good as registered: nobody adds it later.
func serve(tx *store.Tx, g *store.ScalingGroup, id string, now time.Time) {
	var activity string
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		scalinggroup.Move(i, store.LifecycleInService, now)
		i.InServiceSince, i.GraceUntil = now.UTC(), now.UTC().Add(time.Duration(g.HealthCheckGrace)*time.Second)
		i.Registered, i.Waits = g.TargetGroupARNs, nil
		activity, i.ActivityID = i.ActivityID, ""
	})
	scalinggroup.End(tx, activity, scalinggroup.Successful, "", now)
	i, _ := store.ScalingInstances.Get(tx, id)
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
		g.Troubles = slices.DeleteFunc(
			slices.Clone(g.Troubles),
			func(t store.ZoneTrouble) bool { return t.Zone == i.Zone },
		)
	})
}
