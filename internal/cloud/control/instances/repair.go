//go:build linux

package instances

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// repairDisks reboots the machines whose disks became read-only because the host's disk was
// full, once it has room again. It begins with what happened while no daemon ran.
func (l *Loop) repairDisks(ctx context.Context) error {
	tick := time.NewTicker(roomInterval)
	defer tick.Stop()
	for wasFull := true; ; {
		switch full := l.Machines.CheckRoom() != nil; {
		case full:
			wasFull = true
		case wasFull:
			wasFull = false
			l.rebootReadOnly()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// rebootReadOnly requests a reboot of every machine with a read-only disk.
func (l *Loop) rebootReadOnly() {
	for _, id := range l.Machines.List() {
		if !l.Machines.IsReadOnly(id) {
			continue
		}
		l.Log.Warn("the instance's disk became read-only while the host's disk was full: reboot", "instance", id)
		if err := l.edit(id, func(row *store.Instance) { row.Reboots++ }); err != nil {
			l.Log.Error("request a reboot", "instance", id, "error", err)
		}
	}
}
