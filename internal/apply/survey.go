package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// wish is what a run is to bring about.
type wish struct {
	spec    *spec.Spec
	release string // that is to serve; "": what the source makes now
	source  string // what release was made of
}

// survey is all that a run knows before it changes anything.
type survey struct {
	wish
	began   time.Time
	found   []plan.Found
	history []history.Record
	base    resource.BaseImage
	facts   stack.Facts
	steps   []step
	plan    *plan.Plan // of all steps
}

// look asks all questions at once, derives what is wanted and plans the
// difference. What makes the wish impossible comes out here.
func (d *Deployment) look(ctx context.Context, w wish) (*survey, error) {
	if w.spec == nil || d.cfg.Builder == nil {
		return nil, errors.New("plan: no spec or no builder is given")
	}
	s := &survey{wish: w, began: time.Now().UTC().Truncate(time.Second)}
	facts := &s.facts
	group, here := errgroup.WithContext(ctx)
	ask := func(where string, question func() error) {
		group.Go(func() error {
			if err := question(); err != nil {
				return explain(where, err)
			}
			return nil
		})
	}
	ask("credentials", func() error {
		if _, err := d.cfg.Client.STS.GetCallerIdentity(here, &sts.GetCallerIdentityInput{}); err != nil {
			return fmt.Errorf("ask AWS who we are: %w", err)
		}
		return nil
	})
	ask("", func() (err error) {
		s.found, err = d.cloud.Discover(here)
		return err
	})
	ask("", func() (err error) {
		s.history, err = d.history.List(here)
		if awsapi.IsForbidden(err) {
			return nil // who may only look need not read parameters
		}
		return err
	})
	ask("region", func() (err error) {
		facts.Zones, err = d.cloud.Zones(here)
		return err
	})
	ask("machines.type", func() error { return d.cloud.CheckType(here, w.spec.Machines.Type) })
	ask("machines.image", func() (err error) {
		if s.base, err = d.cloud.ResolveBase(here, w.spec.Machines.Image); err != nil {
			return err
		}
		if facts.Release = w.release; facts.Release == "" {
			facts.Release, err = d.cfg.Builder.Release(s.base.ID)
		}
		return err
	})
	ask("machines.key", func() (err error) {
		facts.Fingerprint, err = d.keys.Fingerprint()
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s.steps = stepsTo(s.found, facts.Release, w.spec.Port, s.proven())
	return s, s.foresee()
}

// proven tells of the release that is wanted that its image was proven already.
func (s *survey) proven() bool {
	current, open := history.Current(s.history), history.Unfinished(s.history)
	return s.release != "" || current != nil && current.Release == s.facts.Release ||
		open != nil && open.Release == s.facts.Release && open.Proven
}

// foresee plans all steps before any is carried out.
func (s *survey) foresee() error {
	found := s.found
	var phases []stack.Phase
	var plans []*plan.Plan
	foreseen := func(phase stack.Phase, p *plan.Plan) {
		phases, plans, found = append(phases, phase), append(plans, p), plan.Expect(p, found)
	}
	for _, step := range s.steps {
		want, err := s.want(step)
		if err != nil {
			return err
		}
		foreseen(step.phase, plan.Diff(want, found))
	}
	foreseen(stack.PhaseServe, surplusImages(found, s.history, s.facts.Release, s.spec.Release.Keep))
	s.plan = plan.Join(phases, plans)
	s.plan.App, s.plan.Region, s.plan.Release = s.spec.App, s.spec.Region, s.facts.Release
	return nil
}

// want is the stack of a step.
func (s *survey) want(step step) (*stack.Stack, error) {
	facts := s.facts
	facts.Phase, facts.Ports = step.phase, step.ports
	return stack.Build(s.spec, facts)
}

// refusals are what a plan asks for and cannot be done to a deployment that
// stands.
func (s *survey) refusals(site *resource.Site) error {
	var problems diag.List
	for _, c := range s.plan.Changes {
		if c.Action == plan.Replace && (c.Kind == stack.KindVPC || c.Kind == stack.KindSubnet) {
			problems.Add(c.Address, "run aloft down, then aloft up; or put the network in aloft.yaml back as it was",
				"%s would have to be made anew, and everything in it: %s", c.Title, c.Differences)
		}
	}
	problems = append(problems, s.portMoves()...)
	keyPair, stands := s.plan.Kept[stack.AddressKeyPair]
	if stands && s.needsKey() {
		if err := site.CheckKey(keyPair); err != nil {
			problems = append(problems, diag.From(err)...)
		}
	}
	return problems.Err()
}

// portMoves refuses another port for a group: it registers its machines on its
// target group's port, which stays what it was made with (Elastic Load Balancing
// API Reference, ModifyTargetGroup).
func (s *survey) portMoves() (problems diag.List) {
	for _, f := range s.found {
		if f.Kind == stack.KindTargetGroup && s.spec.Scaling != nil && f.Status["port"] != strconv.Itoa(s.spec.Port) {
			problems.Add(
				"port",
				"put port back, or leave scaling out for this change; aloft down, then aloft up, makes everything anew",
				"a group that scales serves on the port with which its target group was made, %s, not on %d",
				f.Status["port"],
				s.spec.Port,
			)
		}
	}
	return problems
}

// needsKey tells whether the plan has work on a machine over SSH.
func (s *survey) needsKey() bool {
	return slices.ContainsFunc(s.plan.Changes, func(c plan.Change) bool {
		return c.Action != plan.Delete &&
			(stack.Transient(c.Address) || c.Address == stack.AddressImage && c.Action == plan.Create)
	})
}

// Discover finds what the cloud holds of the application.
func (d *Deployment) Discover(ctx context.Context) ([]plan.Found, error) {
	found, err := d.cloud.Discover(ctx)
	if err != nil {
		return nil, explain("", err)
	}
	return found, nil
}

// Plan tells what Up would do.
func (d *Deployment) Plan(ctx context.Context) (*plan.Plan, error) {
	s, err := d.look(ctx, wish{spec: d.cfg.Spec})
	if err != nil {
		return nil, err
	}
	return s.plan, nil
}
