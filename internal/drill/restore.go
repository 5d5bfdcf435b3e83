package drill

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/awsapi"
)

// Restore undoes the change of a drill that ended without undoing it, and returns
// that change, or nil if there is none. Run again, it completes a restore that was
// interrupted. A drill that still runs undoes its change itself, so Restore
// returns an error for it unless force is set.
func (d *Drill) Restore(ctx context.Context, force bool) (*Change, error) {
	c, live, err := d.Pending(ctx)
	if err != nil || c == nil {
		return nil, err
	}
	if live && !force {
		return nil, c.RunningError()
	}
	d.note(c.At, fmt.Sprintf("a drill (%s) was stopped: restoring what it changed", c.Experiment))
	if err := d.undo(ctx, *c); err != nil {
		return nil, err
	}
	return c, awsapi.Wrap("remove the record of the change", d.lease().Remove(ctx, c.Holder))
}

// Forget removes the record of a drill's change. It is for a deployment that was
// deleted, where there is nothing left to undo.
func (d *Drill) Forget(ctx context.Context) error {
	return awsapi.Wrap("remove the record of the drill", d.lease().Delete(ctx))
}

// undo undoes a change. It is idempotent.
func (d *Drill) undo(ctx context.Context, c Change) error {
	switch c.Experiment {
	case Zone:
		return d.restoreZone(ctx, c)
	case Instance, Power:
		return d.cfg.Refill(ctx)
	case App, Freeze:
		if running, err := d.isRunning(ctx, c.InstanceID); err != nil || !running {
			return err // the next aloft up replaces an instance that is gone
		}
		_, repairs := serviceScripts(c.Experiment, d.cfg.Program)
		return d.runOn(ctx, c.At, repairs, func() {})
	}
	return fmt.Errorf("undo a drill of the kind %q: this version of Aloft does not know it", c.Experiment)
}
