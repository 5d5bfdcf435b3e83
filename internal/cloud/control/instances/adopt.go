//go:build linux

package instances

import (
	"context"

	"aloft.dev/aloft/internal/cloud/store"
)

// A daemon that starts adopts running machines without a step of its own. Each worker
// compares its row with the machine's condition: a machine that still runs needs
// nothing, one that powered off meanwhile stops or terminates its instance, and one
// that is absent, as after a restart of the host, launches again. Only machines
// without an instance need care, because no worker compares them with a row.

// removeOrphans removes machines without a live instance. A crash leaves one if it
// happens between the deletion of a row and the removal of its machine.
func (l *Loop) removeOrphans(ctx context.Context) {
	view := l.Store.View()
	for _, id := range l.Machines.List() {
		if row, ok := store.Instances.Get(view, id); ok && row.State != store.Terminated {
			continue
		}
		if err := l.Machines.Remove(ctx, id); err != nil {
			l.Log.Warn("remove a machine without an instance", "instance", id, "error", err)
		}
	}
}
