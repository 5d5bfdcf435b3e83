package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// goneLimit is how long deleted resources may stay visible.
const goneLimit = time.Minute

// DownOptions configure Down.
type DownOptions struct {
	Images bool // also delete the images of all releases
	// Unchecked is called once for each operation that the endpoint does not offer: what it
	// would list is neither deleted nor checked. It may be nil.
	Unchecked func(operation string)
}

// reported returns a function that calls Unchecked once for each operation. It may be
// called concurrently.
func (o DownOptions) reported() func(operation string) {
	var mu sync.Mutex
	known := map[string]bool{}
	return func(operation string) {
		mu.Lock()
		defer mu.Unlock()
		if !known[operation] && o.Unchecked != nil {
			o.Unchecked(operation)
		}
		known[operation] = true
	}
}

// Down deletes everything that carries the application's tag, complete or not, and
// checks that nothing is left.
func (d *Deployment) Down(ctx context.Context, o DownOptions) error {
	o.Unchecked = o.reported()
	locked := false
	err := d.locked(ctx, func(ctx context.Context, _ bool) error {
		locked = true
		return d.remove(ctx, o)
	})
	for _, problem := range diag.From(err) {
		if !locked && awsapi.IsUnsupported(problem) { // then no other run has a lock either
			o.Unchecked(awsapi.Action(problem))
			return explained(d.remove(ctx, o))
		}
	}
	return err
}

// remove does the work of Down.
func (d *Deployment) remove(ctx context.Context, o DownOptions) error {
	found, err := d.cloud.DiscoverOffered(ctx, o.Unchecked)
	// Where an environment is, a role may be, and where an alarm is, its topic. Neither
	// must be overlooked.
	identity, alerts := storedEnvironment(found) != nil, slices.ContainsFunc(found, func(f plan.Found) bool {
		return f.Kind == stack.KindAlarm
	})
	if err == nil && (identity && !d.cloud.Identity || alerts && !d.cloud.Alerts) {
		d.cloud.Identity, d.cloud.Alerts = d.cloud.Identity || identity, d.cloud.Alerts || alerts
		found, err = d.cloud.DiscoverOffered(ctx, o.Unchecked)
	}
	if err != nil {
		return err
	}
	if !d.cfg.Unprotect {
		if err := protectedProblem(d.cfg.App, found); err != nil {
			return err
		}
	}
	if err := d.checkReferences(ctx, found); err != nil {
		return err
	}
	p := plan.Teardown(d.cfg.App, d.cfg.Region, found, o.Images)
	if err := d.runTasks(ctx, "delete", newGraph(d.provisioner(), nil, p).tasks); err != nil {
		return err
	}
	if err := d.checkNothingLeft(ctx, o); err != nil {
		return err
	}
	if err := d.history.Remove(ctx); !awsapi.IsUnsupported(err) {
		return err
	}
	return nil
}

// checkNothingLeft waits until nothing is left.
func (d *Deployment) checkNothingLeft(ctx context.Context, o DownOptions) error {
	var left []string
	err := awsapi.Wait(ctx, goneLimit, "everything to be gone", func(ctx context.Context) (bool, error) {
		var err error
		left, err = d.cloud.Leftovers(ctx, o.Images, o.Unchecked)
		return err == nil && len(left) == 0, err
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return diag.List{{
			Where:   d.cfg.App,
			Summary: fmt.Sprintf("%d resources are left: %v", len(left), left),
			Hint:    "run aloft down again; list them with: aws ec2 describe-tags",
			Cause:   err,
		}}
	}
	if err != nil {
		return explain("", err)
	}
	return nil
}
