package resource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	// unseen is how long what was made may not be listed (Amazon EC2 API Reference,
	// "Eventual consistency"): so long it is looked for before it is made again. One
	// that is listed even later stands twice, and the next run deletes it.
	unseen = 15 * time.Second
	// unseenByName is the same where a name is refused as taken: the thing is there,
	// and the question is whose it is.
	unseenByName = 2 * time.Second
	// maxTries is how often something is made whose answers are lost.
	maxTries = 3
)

// made looks for what the making of a resource has made although its answer did not
// arrive: it has the application's tags and the resource's address, and is not what
// stood there before.
func (s *Site) made(
	ctx context.Context,
	r stack.Resource,
	old []plan.Found,
	lost bool,
) (f plan.Found, ok bool, err error) {
	limit := unseenByName
	if lost {
		limit = unseen
		s.progress(r.Address, "the answer was lost: looking for what was made")
	}
	err = awsapi.Wait(ctx, limit, r.Address+" to be seen", func(ctx context.Context) (bool, error) {
		all, err := s.Discover(ctx)
		if err != nil {
			return false, err
		}
		known := s.all()
		for _, f = range all {
			_, fits := plan.Compare(r, f, known)
			before := slices.ContainsFunc(old, func(o plan.Found) bool { return o.ID == f.ID })
			if ok = f.Address == r.Address && f.Kind == r.Body.Kind() && fits && !before; ok {
				return true, nil
			}
		}
		return false, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return plan.Found{}, false, nil
	}
	return f, ok, err
}

// all is what is known to stand, by address.
func (s *Site) all() map[string]plan.Found {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.known)
}

// finish brings what was made to what is wanted: the steps of its making after the
// one whose answer was lost.
func (s *Site) finish(ctx context.Context, r stack.Resource, made plan.Found) (plan.Found, error) {
	differences, _ := plan.Compare(r, made, s.all())
	if len(differences) == 0 {
		return made, nil
	}
	if err := s.Update(ctx, r, made); err != nil {
		return made, err
	}
	if f, ok := s.At(r.Address); ok && stack.Versioned(f.Kind) {
		return f, nil // it has another id now
	}
	all, err := s.Discover(ctx)
	if err != nil {
		return made, err
	}
	for _, f := range all {
		if f.ID == made.ID && f.Kind == made.Kind {
			return f, nil
		}
	}
	return made, fmt.Errorf("make %s: %s was made and is gone", r.Address, made.ID)
}

// already takes the refusal of what is there already for success when what is there
// is what is wanted, which a call whose answer was lost may have made.
func already(ctx context.Context, err error, is func(context.Context) (bool, error)) error {
	if !awsapi.IsExists(err) {
		return err
	}
	if wrong := awsapi.Wait(ctx, unseenByName, "it to be seen", is); wrong != nil {
		return err
	}
	return nil
}
