package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
)

// goneLimit is how long deleted resources may stay visible.
const goneLimit = time.Minute

// DownOptions configure Down.
type DownOptions struct {
	Images bool // also delete the images of all releases
}

// Down deletes everything that carries the application's tag, complete or not, and
// checks that nothing is left.
func (d *Deployment) Down(ctx context.Context, o DownOptions) error {
	return d.locked(ctx, func(ctx context.Context, _ bool) error {
		found, err := d.Discover(ctx)
		if err != nil {
			return err
		}
		p := plan.Teardown(d.cfg.App, d.cfg.Region, found, o.Images)
		if err := d.runTasks(ctx, "delete", newGraph(d.provisioner(), nil, p).tasks); err != nil {
			return err
		}
		if err := d.checkNothingLeft(ctx, o); err != nil {
			return err
		}
		if err := d.history.Remove(ctx); err != nil {
			return explain("", err)
		}
		return nil
	})
}

// checkNothingLeft waits until nothing is left.
func (d *Deployment) checkNothingLeft(ctx context.Context, o DownOptions) error {
	var left []string
	err := awsapi.Wait(ctx, goneLimit, "everything to be gone", func(ctx context.Context) (bool, error) {
		var err error
		left, err = d.cloud.Leftovers(ctx, o.Images)
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
