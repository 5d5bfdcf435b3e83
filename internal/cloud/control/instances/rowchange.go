//go:build linux

package instances

import (
	"time"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// Codes of a state's reason (Amazon EC2 API Reference, StateReason).
const (
	internalError  = "Server.InternalError"
	noCapacity     = "Server.InsufficientInstanceCapacity"
	shutdownInside = "Client.InstanceInitiatedShutdown"
)

func (l *Loop) edit(id string, change func(*store.Instance)) error {
	return l.Store.Batch(func(tx *store.Tx) { store.Instances.Edit(tx, id, change) })
}

// recordRunning records that the machine runs and how many reboots it has done. The
// state changes only if the instance should still run.
func (l *Loop) recordRunning(id string, reboots int, reachable bool) error {
	return l.edit(id, func(row *store.Instance) { setRunning(row, reboots, reachable) })
}

// recordBoot records that the machine booted now and runs.
func (l *Loop) recordBoot(id string, reboots int) error {
	return l.Store.Batch(func(tx *store.Tx) {
		if row, ok := store.Instances.Get(tx, id); ok && !awaitsReplacement(tx, row) {
			endReplacement(tx, id, store.ReplacementSucceeded)
		}
		store.Instances.Edit(tx, id, func(row *store.Instance) {
			now := time.Now().UTC()
			row.MachineStarted = now
			row.CheckedAt = l.Manners.Until(now, manners.CheckInstance, id+now.String())
			row.ConsoleAt = l.Manners.Until(now, manners.PostConsole, id+now.String())
			setRunning(row, reboots, true)
		})
	})
}

func setRunning(row *store.Instance, reboots int, reachable bool) {
	row.ImpairedSince = time.Time{}
	row.StartedBefore, row.Reachable, row.RebootsDone = true, reachable, reboots
	if row.Desired == store.Running {
		row.State = store.Running
		row.StateReasonCode, row.StateReason, row.TransitionReason = "", "", ""
	}
}

// recordEnd records that the machine ended without a request of the API. next is
// Stopping or ShuttingDown, and decides whether the instance stops or terminates.
func (l *Loop) recordEnd(row *store.Instance, next, code, reason string) error {
	return l.Store.Batch(func(tx *store.Tx) {
		endReplacement(tx, row.ID, store.ReplacementFailed)
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) {
			row.Desired = store.Stopped
			if next == store.ShuttingDown {
				row.Desired = store.Terminated
			}
			row.State, row.Reachable = next, false
			row.StateReasonCode, row.StateReason = code, code+": "+reason
			row.TransitionReason = code
		})
	})
}

// recordStopped records that the machine is down. It releases a public IP address that is
// no Elastic IP address, and discards pending reboots.
func (l *Loop) recordStopped(id string) error {
	return l.Store.Batch(func(tx *store.Tx) {
		endReplacement(tx, id, store.ReplacementFailed)
		store.Instances.Edit(tx, id, func(row *store.Instance) {
			row.Reachable, row.RebootsDone, row.StartedBefore = false, row.Reboots, true
			row.ImpairedSince = time.Time{}
			if row.Desired == store.Stopped {
				row.State, row.Force = store.Stopped, false
			}
		})
		for _, eni := range store.NetworkInterfacesByInstance.List(tx, id) {
			addressing.ReleaseAutomatic(tx, eni.ID)
		}
	})
}
