//go:build linux

package instances

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// stop shuts the machine down. A machine that is to skip its shutdown is disconnected
// first, so that its peers see silence.
func (l *Loop) stop(ctx context.Context, row *store.Instance) error {
	if err := l.powerOff(ctx, row); err != nil {
		return err
	}
	if now, ok := store.Instances.Get(l.Store.View(), row.ID); ok && now.Force && !row.Force {
		return nil // the shutdown was cut short: the worker decides again
	}
	if time.Now().Before(row.SettledAt) {
		return nil
	}
	return l.recordStopped(row.ID)
}

// powerOff ends the machine's system: in order, unless the instance's row says to skip
// that. A shutdown in progress ends early when the row comes to say so.
func (l *Loop) powerOff(ctx context.Context, row *store.Instance) error {
	if row.Force {
		if err := l.disconnect(ctx); err != nil {
			return err
		}
		return l.Machines.Stop(ctx, row.ID, true)
	}
	orderly, interrupt := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.interruptIfForced(orderly, row.ID, interrupt)
	}()
	err := l.Machines.Stop(orderly, row.ID, false)
	interrupted := orderly.Err() != nil && ctx.Err() == nil
	interrupt()
	<-watched
	if interrupted {
		return nil
	}
	return err
}

// interruptIfForced calls interrupt when the instance is to skip its shutdown. It returns
// then or when ctx ends.
func (l *Loop) interruptIfForced(ctx context.Context, id string, interrupt func()) {
	for {
		view := l.Store.View()
		if row, ok := store.Instances.Get(view, id); !ok || row.Force {
			interrupt()
			return
		}
		if view.Changed(ctx, store.Instances) != nil {
			return
		}
	}
}
