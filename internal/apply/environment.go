package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
)

// storedEnvironment returns the environment among found resources, or nil. One whose
// parameter cannot be decoded counts as empty.
func storedEnvironment(found []plan.Found) *environment.Environment {
	for _, f := range found {
		if f.Kind != stack.KindEnvironment {
			continue
		}
		if f.Status.Environment == nil {
			return &environment.Environment{}
		}
		return f.Status.Environment
	}
	return nil
}

// setEnvironment sets the facts about the environment: the goal's, or the one that the
// spec asks for.
func (s *survey) setEnvironment(salt string) {
	stored := storedEnvironment(s.found)
	s.facts.Salt, s.facts.Serving = salt, stored
	s.facts.Environment = stack.DesiredEnvironment(s.spec, stored)
	if !s.given {
		return
	}
	s.facts.Environment = s.environment
	if stored == nil && s.environment != nil && len(s.environment.Names()) == 0 && len(s.spec.Permissions) == 0 {
		s.facts.Environment = nil // there is none, and none is needed
	}
}

// changesEnvironment reports whether the plan changes the environment of what serves.
func (s *survey) changesEnvironment() bool {
	return slices.ContainsFunc(s.plan.Changes, func(c plan.Change) bool {
		return c.Kind == stack.KindEnvironment && !c.OnlyTags() || refreshes(c) || c.Kind == stack.KindLaunchTemplate &&
			slices.ContainsFunc(c.Differences, func(d plan.Difference) bool { return d.Key == stack.AttrEnvironment })
	})
}

// environmentChange names the variables that the goal changes: "environment: LOG_LEVEL".
// It returns "" if it changes none.
func (s *survey) environmentChange() string {
	var from, to environment.Environment
	if s.facts.Serving != nil {
		from = *s.facts.Serving
	}
	if s.facts.Environment != nil {
		to = *s.facts.Environment
	}
	names := environment.Changed(from, to)
	if len(names) == 0 {
		return ""
	}
	return "environment: " + strings.Join(names, ", ")
}

// announcement says what comes into service after a release.
func (s *survey) announcement(before *history.Record) string {
	if before.Release != s.facts.Release {
		return "comes into service; " + before.Release + " serves until then"
	}
	what := s.environmentChange()
	if what == "" {
		what = "its environment"
	}
	return "is restarted, one server after the other; changed is the " + what
}

// environmentVersion returns the version of the environment that is stored, or 0 if the
// application has none.
func (d *Deployment) environmentVersion(ctx context.Context, s *survey) (int64, error) {
	if s.facts.Environment == nil {
		return 0, nil
	}
	e, err := d.cloud.Environment(ctx, 0)
	if err != nil {
		return 0, err
	}
	return e.Version, nil
}

// environmentOf returns the environment of a release that came into service. If it had
// none, the environment is empty; or nil if no release had one and another release
// serves now, so that its servers are replaced.
func (d *Deployment) environmentOf(
	ctx context.Context, s *survey, r history.Record,
) (*environment.Environment, error) {
	if r.Settings.Environment == 0 {
		had := func(r history.Record) bool { return r.Served() && r.Settings.Environment != 0 }
		if s.facts.Release != r.Release && !slices.ContainsFunc(s.history, had) {
			return nil, nil
		}
	}
	return d.Variables(ctx, r)
}

// Variables returns the variables of a release that came into service. There are none in a
// release without an environment.
func (d *Deployment) Variables(ctx context.Context, r history.Record) (*environment.Environment, error) {
	version := r.Settings.Environment
	if version == 0 {
		return &environment.Environment{}, nil
	}
	e, err := d.cloud.Environment(ctx, version)
	if awsapi.IsNotFound(err) {
		return nil, &diag.Diagnostic{
			Where:   fmt.Sprintf("release %d", r.Number),
			Summary: fmt.Sprintf("its environment, version %d of the parameter, is gone", version),
			Detail:  awsapi.Code(err) + ": " + awsapi.Message(err),
			Hint:    "correct the variables in aloft.yaml or with aloft env set, then run aloft up",
			Cause:   err,
		}
	}
	return e, err
}

// isDesired reports whether a release that failed is the desired one, with the desired
// environment.
func (d *Deployment) isDesired(ctx context.Context, s *survey, failed history.Record) (bool, error) {
	if failed.Release != s.facts.Release {
		return false, nil
	}
	if failed.Settings.Environment == 0 || s.facts.Environment == nil {
		return true, nil
	}
	env, err := d.environmentOf(ctx, s, failed)
	return err == nil && env.Equal(*s.facts.Environment), err
}

// environmentProblems refuses an environment that no parameter can hold.
func (s *survey) environmentProblems() diag.List {
	if s.facts.Environment == nil {
		return nil
	}
	if _, err := s.facts.Environment.Encode(); err != nil {
		return diag.List{resource.TooLong(err)}
	}
	return nil
}

// restoreEnvironment stores the environment again that served before a release which has
// touched no server yet.
func (d *Deployment) restoreEnvironment(ctx context.Context, s *survey, r *history.Record) error {
	before := history.Get(s.history, r.Before)
	if before == nil || s.facts.Environment == nil {
		return nil
	}
	env, err := d.environmentOf(ctx, s, *before)
	if err != nil {
		return err
	}
	return d.storeEnvironment(ctx, env)
}

// storeEnvironment stores an environment, or deletes what is stored if e is nil. It changes
// nothing else.
func (d *Deployment) storeEnvironment(ctx context.Context, e *environment.Environment) error {
	found, err := d.Discover(ctx)
	if err != nil {
		return err
	}
	desired := &stack.Stack{App: d.cfg.App, Region: d.cfg.Region}
	p := &plan.Plan{}
	if e == nil {
		for _, f := range found {
			if f.Kind == stack.KindEnvironment {
				p.Changes = append(p.Changes, plan.Deletion(f, ""))
			}
		}
	} else {
		desired.Resources = []stack.Resource{
			stack.EnvironmentResource(d.cfg.App, *e, d.cloud.Salt, stack.TagsOf(d.cfg.Spec)),
		}
		p = plan.Diff(desired, slices.DeleteFunc(found, func(f plan.Found) bool {
			return f.Kind != stack.KindEnvironment
		}))
	}
	return d.runTasks(ctx, "environment", newGraph(d.provisioner(), desired, p).tasks)
}
