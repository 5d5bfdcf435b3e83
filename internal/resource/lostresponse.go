package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	// invisibleLimit is how long a created resource may not be listed (Amazon EC2
	// API Reference, "Eventual consistency"): the time it is searched for before it
	// is created again. If it is listed even later, there are two, and the next run
	// deletes one.
	invisibleLimit = 15 * time.Second
	// invisibleNameLimit is the limit if the name was refused as taken: the
	// resource is there, and the question is whose it is.
	invisibleNameLimit = 15 * time.Second
	// maxCreateAttempts is how often a resource is created whose responses are lost.
	maxCreateAttempts = 3
)

// findCreated searches for a resource that a create has created although its
// response did not arrive: one at the resource's address that did not exist
// before.
func (p *Provisioner) findCreated(
	ctx context.Context,
	r stack.Resource,
	old []plan.Found,
	lost bool,
) (created plan.Found, ok bool, err error) {
	limit := invisibleNameLimit
	if lost {
		limit = invisibleLimit
		p.progress(r.Address, "the response was lost: checking what was created")
	}
	err = awsapi.Wait(ctx, limit, r.Address+" to be visible", func(ctx context.Context) (bool, error) {
		found, err := p.Discover(ctx)
		if err != nil {
			return false, err
		}
		known := p.allKnown()
		i := slices.IndexFunc(found, func(f plan.Found) bool {
			_, fits := plan.Compare(r, f, known)
			before := slices.ContainsFunc(old, func(o plan.Found) bool { return o.ID == f.ID })
			return f.Address == r.Address && f.Kind == r.Body.Kind() && fits && !before
		})
		if ok = i >= 0; ok {
			created = found[i]
		}
		return ok, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return plan.Found{}, false, nil
	}
	return created, ok, err
}

// completeCreated performs the calls of a create that follow the one whose response
// was lost.
func (p *Provisioner) completeCreated(
	ctx context.Context,
	r stack.Resource,
	created plan.Found,
) (plan.Found, error) {
	differences, _ := plan.Compare(r, created, p.allKnown())
	if len(differences) == 0 {
		return created, nil
	}
	if err := p.Update(ctx, r, created); err != nil {
		return created, err
	}
	if f, ok := p.Known(r.Address); ok && f.Kind.Versioned() {
		return f, nil // the update changed its id
	}
	// A list may be older than the one that showed the resource (Amazon EC2 API
	// Reference, "Eventual consistency").
	err := awsapi.Wait(ctx, invisibleLimit, created.ID+" to be listed", func(ctx context.Context) (bool, error) {
		found, err := p.Discover(ctx)
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(found, func(f plan.Found) bool { return f.ID == created.ID && f.Kind == created.Kind })
		if i >= 0 {
			created = found[i]
		}
		return i >= 0, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return created, fmt.Errorf("create %s: %s was created and is gone", r.Address, created.ID)
	}
	return created, err
}

// acceptExisting turns an "exists already" error into success if exists reports
// that what was to be created is there: an earlier call whose response was lost may
// have created it.
func acceptExisting(ctx context.Context, err error, exists func(context.Context) (bool, error)) error {
	if !awsapi.IsExists(err) {
		return err
	}
	if waitErr := awsapi.Wait(ctx, invisibleNameLimit, "it to be visible", exists); waitErr != nil {
		return err
	}
	return nil
}
