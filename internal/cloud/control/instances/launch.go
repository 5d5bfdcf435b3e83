//go:build linux

package instances

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// launch boots the instance's machine. After launchAttempts failures, or when the host's
// disk has no room for it, it gives up: as on AWS, an instance that never ran terminates and
// any other stops.
func (l *Loop) launch(ctx context.Context, w *worker, row *store.Instance) error {
	// A running instance launches again after a restart of the host. Record the boot
	// now, and only once for all attempts: the launch may wait long for its turn, and
	// an Auto Scaling group must not take the instance for a failed one meanwhile.
	if row.State == store.Running && time.Since(row.MachineStarted) > launchTimeout {
		if err := l.edit(row.ID, func(row *store.Instance) { row.MachineStarted = time.Now().UTC() }); err != nil {
			return err
		}
	}
	select {
	case l.launching <- struct{}{}:
		defer func() { <-l.launching }()
	case <-ctx.Done():
		return ctx.Err()
	}
	bounded, cancel := context.WithTimeout(ctx, launchTimeout)
	defer cancel()
	err := l.boot(bounded, row.ID)
	if err == nil {
		w.failures = 0
		return l.recordBoot(row.ID, row.Reboots)
	}
	if ctx.Err() != nil {
		return err
	}
	code := internalError
	if w.failures++; errors.Is(err, machine.ErrNoRoom) {
		code = noCapacity
	} else if w.failures < launchAttempts {
		return err
	}
	w.failures = 0
	next := store.ShuttingDown
	if row.StartedBefore {
		next = store.Stopping
	}
	l.Log.Error("give up launching an instance", "instance", row.ID, "error", err)
	return l.recordEnd(row, next, code, err.Error())
}

// boot connects the machine to its network before its system starts. Its errors appear
// in the instance's state reason.
func (l *Loop) boot(ctx context.Context, id string) error {
	if err := l.assignUserIDs(id); err != nil {
		return err
	}
	m, err := l.machineConfig(id)
	if err != nil {
		return err
	}
	if _, err := l.Machines.Prepare(ctx, m); err != nil {
		return fmt.Errorf("prepare the machine: %w", err)
	}
	if err := l.Network.Sync(ctx); err != nil {
		return fmt.Errorf("connect the machine: %w", err)
	}
	if err := l.Machines.Boot(ctx, id); err != nil {
		return fmt.Errorf("boot the machine: %w", err)
	}
	return nil
}

// reboot restarts the system inside the machine. The instance is not reachable
// meanwhile.
func (l *Loop) reboot(ctx context.Context, row *store.Instance) error {
	if err := l.recordRunning(row.ID, row.RebootsDone, false); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, launchTimeout)
	defer cancel()
	if err := l.Machines.Reboot(bounded, row.ID); err != nil {
		return err
	}
	return l.recordRunning(row.ID, row.Reboots, true)
}
