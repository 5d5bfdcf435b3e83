package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Up makes the cloud as the spec says, and gives what stands then. Run again
// after it was stopped, it goes on; with nothing to do it changes nothing. When
// something serves and another release is wanted, that is a release; one that
// fails goes back and gives a *Failure.
func (d *Deployment) Up(ctx context.Context) (*Status, error) {
	w := wish{spec: d.cfg.Spec}
	s, err := d.look(ctx, w)
	if err != nil {
		return nil, err
	}
	if s.plan.Empty() && s.settled() {
		return d.statusOf(ctx, s.found)
	}
	if err := s.refusals(d.site()); err != nil {
		return nil, err
	}
	err = d.locked(ctx, func(ctx context.Context, left bool) error {
		if s, err = d.lookAgain(ctx, w, left); err != nil {
			return err
		}
		if err := s.refusals(d.site()); err != nil {
			return err
		}
		went, err := d.finishGoingBack(ctx, s)
		if err != nil {
			return err
		}
		if went {
			if s, err = d.look(ctx, w); err != nil {
				return err
			}
		}
		return d.bring(ctx, s)
	})
	if err != nil {
		return nil, err
	}
	return d.Status(ctx)
}

// settled tells that the history says what serves, and that no run has left a
// release behind.
func (s *survey) settled() bool {
	current := history.Current(s.history)
	return history.Unfinished(s.history) == nil && current != nil && current.Release == s.facts.Release
}

// carryOut applies the stacks of steps, one after the other.
func (d *Deployment) carryOut(ctx context.Context, s *survey, steps []step) error {
	for _, step := range steps {
		want, err := s.want(step)
		if err != nil {
			return err
		}
		if s.found == nil {
			if s.found, err = d.Discover(ctx); err != nil {
				return err
			}
		}
		found := s.found
		s.found = nil // what was found holds no more
		if err := d.apply(ctx, s, want, found); err != nil {
			return err
		}
	}
	return nil
}

// apply makes the cloud, of which found was found, as a stack wants it.
func (d *Deployment) apply(ctx context.Context, s *survey, want *stack.Stack, found []plan.Found) error {
	site, p := d.site(), plan.Diff(want, found)
	site.BaseImage = s.base
	for address, f := range p.Kept {
		site.Know(address, f)
	}
	return walk(ctx, newGraph(site, want, p).tasks, d.cfg.Events)
}

// recovery is how long what a run made in its last moment may be unseen
// (Amazon EC2 API Reference, "Eventual consistency").
const recovery = 15 * time.Second

// lookAgain surveys under the lock. After a run that was killed, a VPC that it
// made may not be seen yet, and nothing but its tags tells that it is there: so
// where one is missing, it is looked for again before another is made.
func (d *Deployment) lookAgain(ctx context.Context, w wish, left bool) (*survey, error) {
	s, err := d.look(ctx, w)
	if err != nil || !left || !s.missing() {
		return s, err
	}
	d.cfg.Events(
		event.Event{
			Time:    time.Now(),
			Kind:    event.Note,
			Address: stack.AddressVPC,
			Message: "an earlier run was stopped: looking for what it made",
		},
	)
	err = awsapi.Wait(ctx, recovery, "what an earlier run made", func(ctx context.Context) (bool, error) {
		again, err := d.look(ctx, w)
		if err == nil {
			s = again
		}
		return err == nil && !s.missing(), err
	})
	var late *awsapi.TimeoutError
	if err != nil && !errors.As(err, &late) {
		return nil, err
	}
	return s, nil
}

func (s *survey) missing() bool {
	c, ok := s.plan.Get(stack.AddressVPC)
	return ok && c.Action == plan.Create
}

// DownOptions say how much goes.
type DownOptions struct {
	Images bool // the images of all releases, too
}

// Down deletes all that carries the application's tag, whole or half-built, and
// proves that nothing is left.
func (d *Deployment) Down(ctx context.Context, o DownOptions) error {
	return d.locked(ctx, func(ctx context.Context, _ bool) error {
		found, err := d.Discover(ctx)
		if err != nil {
			return err
		}
		p := plan.Teardown(d.cfg.App, d.cfg.Region, found, o.Images)
		if err := walk(ctx, newGraph(d.site(), nil, p).tasks, d.cfg.Events); err != nil {
			return err
		}
		if err := d.prove(ctx, o); err != nil {
			return err
		}
		return d.history.Remove(ctx)
	})
}

// prove lists what is left until there is nothing; AWS shows what is deleted
// for a moment more.
func (d *Deployment) prove(ctx context.Context, o DownOptions) error {
	var left []string
	err := awsapi.Wait(ctx, time.Minute, "everything to be gone", func(ctx context.Context) (bool, error) {
		var err error
		left, err = d.cloud.Leftovers(ctx, o.Images)
		return err == nil && len(left) == 0, err
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return diag.List{
			{
				Where:   d.cfg.App,
				Summary: fmt.Sprintf("%d resources are left: %v", len(left), left),
				Hint:    "run aloft down again; look at them with: aws ec2 describe-tags",
				Cause:   err,
			},
		}
	}
	if err != nil {
		return explain("", err)
	}
	return nil
}
