//go:build linux

package instances

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// repairDisks finds the machines whose disks became read-only because the host's was full. Their
// instances fail their status checks, and reboot once the host has room again.
func (l *Loop) repairDisks(ctx context.Context) error {
	repaired := map[string]time.Time{} // instances that were rebooted
	tick := time.NewTicker(diskInterval)
	defer tick.Stop()
	for {
		room := l.Machines.CheckRoom()
		for _, id := range l.Machines.List() {
			if l.Machines.IsReadOnly(id) {
				l.repairDisk(id, room, repaired)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// repairDisk records that the disk of a machine is read-only, and requests a reboot if the host
// has room. A disk that fails again soon after a reboot has another problem.
func (l *Loop) repairDisk(id string, room error, repaired map[string]time.Time) {
	row, ok := store.Instances.Get(l.Store.View(), id)
	if !ok || row.Desired != store.Running || row.State != store.Running || row.Reboots != row.RebootsDone {
		return
	}
	now := time.Now().UTC()
	impaired := row.ImpairedSince.IsZero()
	reboot := room == nil && now.Sub(repaired[id]) > repairInterval
	if !impaired && !reboot {
		return
	}
	if impaired {
		l.Log.Error("the disk of an instance became read-only: it reboots when the host has room",
			"instance", id, "room", room)
	}
	if reboot {
		repaired[id] = now
		l.Log.Warn("reboot an instance to repair its disk", "instance", id)
	}
	err := l.edit(id, func(row *store.Instance) {
		if impaired {
			row.ImpairedSince = now
		}
		if reboot {
			row.Reboots++
		}
	})
	if err != nil {
		l.Log.Error("repair an instance's disk", "instance", id, "error", err)
	}
}
