package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/preflight"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// recoveryLimit is how long a resource that a killed run created in its last moment
// may not be listed (Amazon EC2 API Reference, "Eventual consistency").
const recoveryLimit = 15 * time.Second

// goal describes what a run deploys.
type goal struct {
	spec    *spec.Spec
	release string // release to serve; "" for the one that the source makes now
	source  string // what release was built from
	runtime string // that the source asks for

	promoted    string                   // stage that the release is promoted from; "" for none
	rollback    bool                     // a user goes back to the release
	unprotect   bool                     // what is protected may go
	given       bool                     // environment is to be served, whatever the spec asks for
	environment *environment.Environment // nil for none
}

// survey holds what a run knows before it changes anything.
type survey struct {
	goal
	began   time.Time
	caller  preflight.Caller
	found   []plan.Found // nil if unknown, because a step has changed resources
	history []history.Record
	base    resource.BaseImage
	newest  resource.BaseImage // that the name of base refers to now
	facts   stack.Facts
	steps   []step
	plan    *plan.Plan // of all steps

	historyForbidden error // the credentials do not allow reading the history
}

// survey runs all queries at once, derives the steps to the goal and plans them. It
// returns an error if the goal is impossible.
func (d *Deployment) survey(ctx context.Context, g goal) (*survey, error) {
	if g.spec == nil || d.cfg.Builder == nil {
		return nil, errors.New("plan: no spec or no builder is given")
	}
	s := &survey{goal: g, began: time.Now().UTC().Truncate(time.Second)}
	if err := d.query(ctx, s); err != nil {
		return nil, err
	}
	s.facts.Subnets = map[string]string{}
	for _, f := range s.found {
		if f.Kind == stack.KindSubnet {
			s.facts.Subnets[f.Address] = f.Value(stack.AttrZone)
		}
	}
	if err := d.surveyNetwork(ctx, s); err != nil {
		return nil, err
	}
	var err error
	if s.facts.HostedZones, err = d.cloud.ZonesOf(ctx, g.spec.Domain, s.found); err != nil {
		return nil, explain("domain", err)
	}
	s.setEnvironment(d.cloud.Salt)
	s.steps = stepsTo(s.found, s.facts.Release, g.spec.Port, s.proven(), s.promoted != "")
	if err := s.planSteps(); err != nil {
		return nil, err
	}
	s.noteElsewhere()
	return s, nil
}

// query fills in what the survey reads from the cloud and the user's computer.
func (d *Deployment) query(ctx context.Context, s *survey) error {
	parent := ctx
	group, ctx := errgroup.WithContext(ctx)
	query := func(where string, run func() error) {
		group.Go(func() error {
			if err := run(); err != nil {
				return explain(where, err)
			}
			return nil
		})
	}
	query("credentials", func() (err error) {
		s.caller, err = d.account.caller(ctx)
		return err
	})
	query("", func() (err error) {
		s.found, err = d.cloud.Discover(ctx)
		return err
	})
	query("", func() (err error) {
		s.history, err = d.history.List(ctx)
		if awsapi.IsForbidden(err) {
			s.historyForbidden = err
			return nil // aloft plan works without the permission to read parameters
		}
		return err
	})
	query("region", func() (err error) {
		types := slices.Concat(stack.Alternatives, s.spec.Machines.Types, s.spec.Machines.Builder)
		slices.Sort(types)
		s.facts.Zones, err = d.cloud.Zones(ctx, slices.Compact(types))
		return err
	})
	query("machines.type", func() error {
		architecture, err := d.cloud.CheckInstanceTypes(ctx, s.spec.Machines.Types, s.spec.Machines.Builder)
		if err != nil {
			return err
		}
		query("machines.image", func() (err error) {
			if s.base, err = d.cloud.FindBaseImage(ctx, s.spec.Machines.Image, architecture); err != nil {
				return err
			}
			if s.facts.Release = s.release; s.facts.Release == "" {
				s.facts.Release, err = d.cfg.Builder.Release(s.base.ID)
			}
			return err
		})
		return nil
	})
	if role := s.spec.Machines.Role; role != "" {
		query("machines.role", func() error { return d.cloud.CheckInstanceProfile(ctx, role) })
	}
	query("machines.key", func() (err error) {
		s.facts.Fingerprint, err = d.keys.Fingerprint()
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return d.chooseBase(parent, s)
}

// surveyLocked surveys while the run holds the lock. After a run that was killed, a
// VPC that it created may not be listed yet, and only its tags show that it exists.
// So if the VPC is missing, it is searched for again before another is created.
func (d *Deployment) surveyLocked(ctx context.Context, g goal, tookOver bool) (*survey, error) {
	s, err := d.survey(ctx, g)
	if err == nil && s.historyForbidden != nil {
		err = explain("history", s.historyForbidden)
	}
	if err != nil || !tookOver || !s.createsVPC() {
		return s, err
	}
	d.cfg.Events(event.Event{
		Time:    time.Now(),
		Kind:    event.Note,
		Address: stack.AddressVPC,
		Message: "an earlier run was interrupted: checking what it created",
	})
	err = awsapi.Wait(ctx, recoveryLimit, "what an earlier run created", func(ctx context.Context) (bool, error) {
		again, err := d.survey(ctx, g)
		if err == nil {
			s = again
		}
		return err == nil && !s.createsVPC(), err
	})
	var late *awsapi.TimeoutError
	if err != nil && !errors.As(err, &late) {
		return nil, err
	}
	return s, nil
}

func (s *survey) createsVPC() bool {
	c, ok := s.plan.Get(stack.AddressVPC)
	return ok && c.Action == plan.Create
}

// proven reports whether the image of the release to serve was proven already.
func (s *survey) proven() bool {
	current, open := history.Current(s.history), history.Unfinished(s.history)
	return s.release != "" && s.promoted == "" || current != nil && current.Release == s.facts.Release ||
		open != nil && open.Release == s.facts.Release && open.Proven
}

// planSteps plans all steps before any is carried out.
func (s *survey) planSteps() error {
	found := s.found
	var phases []stack.Phase
	var plans []*plan.Plan
	add := func(phase stack.Phase, p *plan.Plan) {
		phases, plans, found = append(phases, phase), append(plans, p), plan.Expect(p, found)
	}
	for _, step := range s.steps {
		desired, err := s.stackOf(step)
		if err != nil {
			return err
		}
		add(step.phase, plan.Diff(desired, found))
	}
	add(stack.PhaseServe, surplusImages(found, s.history, s.facts.Release, s.spec.Release.Keep))
	s.plan = plan.Join(phases, plans)
	s.plan.App, s.plan.Stage, s.plan.Region, s.plan.Release = s.spec.App, s.spec.Stage, s.spec.Region, s.facts.Release
	if s.base.ID != s.newest.ID {
		s.plan.Notes = append(s.plan.Notes, newerBase(s.base.Name, s.base.ID, s.newest.ID))
	}
	for _, p := range s.protectionProblems() {
		s.plan.Notes = append(s.plan.Notes,
			fmt.Sprintf("%s %s; aloft up refuses it without --unprotect.", p.Where, p.Summary))
	}
	s.plan.Notes = append(s.plan.Notes, s.networkNotes()...)
	return nil
}

// stackOf returns the stack of a step.
func (s *survey) stackOf(step step) (*stack.Stack, error) {
	facts := s.facts
	facts.Phase, facts.Ports = step.phase, step.ports
	return stack.Build(s.spec, facts)
}

// checkPlan returns an error if the plan has changes that cannot be made to an
// existing deployment.
func (s *survey) checkPlan(ctx context.Context, keys resource.Keys) error {
	var problems diag.List
	for _, c := range s.plan.Changes {
		if c.Action == plan.Replace && (c.Kind == stack.KindVPC || c.Kind == stack.KindSubnet) {
			problems.Add(c.Address, "run aloft down, then aloft up; or restore the network in aloft.yaml",
				"%s would have to be replaced, with everything in it: %s", c.Title, c.Differences)
		}
	}
	problems = append(problems, s.portProblems()...)
	problems = append(problems, s.environmentProblems()...)
	if !s.unprotect {
		problems = append(problems, s.protectionProblems()...)
	}
	if keyPair, ok := s.plan.Kept[stack.AddressKeyPair]; ok && s.needsKey() {
		if _, err := keys.FileOf(ctx, keyPair); err != nil {
			problems = append(problems, diag.From(err)...)
		}
	}
	return problems.Err()
}

// portProblems rejects a change of an Auto Scaling group's port: the group registers
// its instances on its target group's port, which cannot be changed (Elastic Load
// Balancing API Reference, ModifyTargetGroup).
func (s *survey) portProblems() (problems diag.List) {
	for _, f := range s.found {
		if f.Kind == stack.KindTargetGroup && s.spec.Scaling != nil && f.Status.Port != s.spec.Port {
			problems.Add(
				"port",
				"restore port, or remove scaling for this change; aloft down, then aloft up, recreates everything",
				"the Auto Scaling group serves on the port of its target group, %d, which cannot be changed to %d",
				f.Status.Port,
				s.spec.Port,
			)
		}
	}
	return problems
}

// needsKey reports whether the plan needs SSH access to an instance.
func (s *survey) needsKey() bool {
	return slices.ContainsFunc(s.plan.Changes, func(c plan.Change) bool {
		return refreshes(c) || c.Action != plan.Delete &&
			(stack.Transient(c.Address) || c.Address == stack.AddressImage && c.Action == plan.Create)
	})
}

// Plan returns the changes that Up would make.
func (d *Deployment) Plan(ctx context.Context) (*plan.Plan, error) {
	s, err := d.survey(ctx, goal{spec: d.cfg.Spec})
	if err != nil {
		return nil, err
	}
	return s.plan, nil
}
