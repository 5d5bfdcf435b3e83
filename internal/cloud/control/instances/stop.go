//go:build linux

package instances

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// stop shuts the machine down. A forced stop disconnects it first, so that its peers
// see silence. A stop in progress ends early if the next one is forced.
func (l *Loop) stop(ctx context.Context, row *store.Instance) error {
	if row.Force {
		if err := l.Network.Sync(ctx); err != nil {
			return fmt.Errorf("disconnect the machine: %w", err)
		}
		return l.stopMachine(ctx, row, true)
	}
	orderly, interrupt := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.interruptIfForced(orderly, row.ID, interrupt)
	}()
	err := l.stopMachine(orderly, row, false)
	interrupted := orderly.Err() != nil && ctx.Err() == nil
	interrupt()
	<-watched
	if interrupted {
		return nil // the row changed: the worker decides again
	}
	return err
}

func (l *Loop) stopMachine(ctx context.Context, row *store.Instance, force bool) error {
	if err := l.Machines.Stop(ctx, row.ID, force); err != nil || time.Now().Before(row.SettledAt) {
		return err
	}
	return l.recordStopped(row.ID)
}

// interruptIfForced calls interrupt when the instance must stop by force or terminate.
// It returns then or when ctx ends.
func (l *Loop) interruptIfForced(ctx context.Context, id string, interrupt func()) {
	for {
		view := l.Store.View()
		row, ok := store.Instances.Get(view, id)
		if !ok || row.Force || row.Desired == store.Terminated {
			interrupt()
			return
		}
		if view.Changed(ctx, store.Instances) != nil {
			return
		}
	}
}
