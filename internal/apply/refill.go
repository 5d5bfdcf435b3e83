package apply

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
)

// Refill replaces missing servers by ones of the release that serves. It builds nothing and
// does not read the source, which may have moved on. If a release was interrupted, Refill
// completes it, as Up does. An Auto Scaling group replaces its servers itself: Refill then
// waits until all of them serve, and changes nothing.
func (d *Deployment) Refill(ctx context.Context) error {
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	group, ok := scalingGroup(found)
	if !ok {
		return d.refillServers(ctx)
	}
	p := d.provisioner()
	return d.runTasks(ctx, "refill", []*task{{
		address: group.Address,
		message: fmt.Sprintf("wait until all machines of %s serve", group.Name),
		run:     func(ctx context.Context) error { return p.AwaitServing(ctx, group) },
	}})
}

func (d *Deployment) refillServers(ctx context.Context) error {
	serving := false
	err := d.locked(ctx, func(ctx context.Context, tookOver bool) error {
		var g goal
		var err error
		if g, serving, err = d.servingGoal(ctx); err != nil || !serving {
			return err
		}
		s, err := d.surveyLocked(ctx, g, tookOver)
		if err != nil {
			return err
		}
		if err := s.checkPlan(ctx, d.keys); err != nil {
			return err
		}
		return d.deploy(ctx, s)
	})
	if err == nil && !serving {
		_, err = d.Up(ctx)
	}
	return err
}

// PlanRefill returns the changes that Refill would make to fixed servers and to what they
// need: none if all of them serve, and nothing else differs from the spec.
func (d *Deployment) PlanRefill(ctx context.Context) (*plan.Plan, error) {
	g, serving, err := d.servingGoal(ctx)
	if err != nil {
		return nil, err
	}
	if !serving {
		return d.Plan(ctx)
	}
	s, err := d.survey(ctx, g)
	if err != nil {
		return nil, err
	}
	return s.plan, nil
}

// servingGoal returns the goal to serve what serves: the release that was the last to come
// into service, with its settings and the environment that is stored. There is none while a
// release is open, which the next Up completes.
func (d *Deployment) servingGoal(ctx context.Context) (g goal, serving bool, err error) {
	all, err := d.history.List(ctx)
	if err != nil {
		return goal{}, false, explain("history", err)
	}
	current := history.Current(all)
	if current == nil || history.Unfinished(all) != nil {
		return goal{}, false, nil
	}
	stored, err := d.Environment(ctx)
	if err != nil {
		return goal{}, false, err
	}
	return d.goalOf(*current, stored), true, nil
}

// goalOf returns the goal to serve a release that served before, with an environment.
func (d *Deployment) goalOf(r history.Record, e environment.Environment) goal {
	return goal{
		spec: withSettings(d.cfg.Spec, r.Settings), release: r.Release, source: r.Source, runtime: r.Runtime,
		given: true, environment: &e,
	}
}
