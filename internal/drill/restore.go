package drill

import (
	"context"
	"fmt"
)

// Restore puts back what a drill changed that ended without doing so, and gives
// that change; nil: there was none. Run again, it finishes what a restore that
// was stopped has begun. A drill that still runs puts back its change itself:
// that is an error, unless it is forced.
func (d *Drill) Restore(ctx context.Context, force bool) (*Change, error) {
	c, live, err := d.Pending(ctx)
	if err != nil || c == nil {
		return nil, err
	}
	if live && !force {
		return nil, c.UnderWay()
	}
	d.note(c.At, fmt.Sprintf("a drill (%s) was stopped: putting back what it changed", c.Experiment))
	if err := d.undo(ctx, *c); err != nil {
		return nil, err
	}
	return c, d.end(ctx)
}

// Forget removes the record of a change that has no meaning any more, since the
// deployment is gone.
func (d *Drill) Forget(ctx context.Context) error { return d.end(ctx) }

// undo puts one change back. Done twice, it changes nothing the second time.
func (d *Drill) undo(ctx context.Context, c Change) error {
	switch c.Experiment {
	case Zone:
		return d.mend(ctx, c)
	case Instance:
		return d.cfg.Refill(ctx)
	case App, Freeze:
		if runs, err := d.runs(ctx, c.InstanceID); err != nil || !runs {
			return err // what is gone is replaced by the next up
		}
		_, undo := scripts(c.Experiment, d.cfg.App)
		return d.on(ctx, c.At, undo, func() {})
	}
	return fmt.Errorf(
		"put back the change of a drill of the kind %q: this version of Aloft does not know it",
		c.Experiment,
	)
}
