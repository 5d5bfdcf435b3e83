package instances

import (
	"net/netip"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

func (l *Loop) edit(id string, change func(*store.Instance)) error {
	return l.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, id, change)
		return nil
	})
}

// running writes down that the machine is up, with so many reboots done. The
// state moves only if the instance is still wanted to run.
func (l *Loop) running(id string, reboots int, reachable bool) error {
	return l.edit(id, func(row *store.Instance) { up(row, reboots, reachable) })
}

// booted writes down that the machine was started, and is up.
func (l *Loop) booted(id string, reboots int) error {
	return l.edit(id, func(row *store.Instance) {
		row.Booted = time.Now().UTC()
		up(row, reboots, true)
	})
}

func up(row *store.Instance, reboots int, reachable bool) {
	row.HasRun, row.Reachable, row.RebootsDone = true, reachable, reboots
	if row.Wanted == store.Running {
		row.State = store.Running
		row.StateReasonCode, row.StateReason, row.TransitionReason = "", "", ""
	}
}

// lower writes down that the instance goes down without having been asked to:
// next is Stopping or ShuttingDown.
func (l *Loop) lower(row *store.Instance, next, code, reason string) error {
	return l.edit(row.ID, func(row *store.Instance) {
		row.Wanted = store.Stopped
		if next == store.ShuttingDown {
			row.Wanted = store.Terminated
		}
		row.State, row.Reachable = next, false
		row.StateReasonCode, row.StateReason = code, code+": "+reason
		row.TransitionReason = code
	})
}

// stopped writes down that the machine is down: its public address goes back,
// its reboots are moot.
func (l *Loop) stopped(id string) error {
	return l.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, id, func(row *store.Instance) {
			row.Reachable, row.RebootsDone, row.HasRun = false, row.Reboots, true
			if row.Wanted == store.Stopped {
				row.State, row.Force = store.Stopped, false
			}
		})
		for _, eni := range store.NetworkInterfaces.By(tx, "instance", id) {
			store.NetworkInterfaces.Edit(tx, eni.ID, func(eni *store.NetworkInterface) { eni.PublicIP = netip.Addr{} })
		}
		return nil
	})
}

// terminated writes down that the machine is no more, and lets go of what
// belonged to it.
func (l *Loop) terminated(id string) error {
	return l.Store.Update(func(tx *store.Tx) error {
		for _, eni := range store.NetworkInterfaces.By(tx, "instance", id) {
			if eni.DeleteOnTermination {
				store.NetworkInterfaces.Delete(tx, eni.ID)
				continue
			}
			store.NetworkInterfaces.Edit(tx, eni.ID, func(eni *store.NetworkInterface) {
				eni.State, eni.InstanceID, eni.AttachmentID = "available", "", ""
				eni.DeviceIndex, eni.AttachedAt, eni.PublicIP = 0, time.Time{}, netip.Addr{}
			})
		}
		for _, volume := range store.Volumes.By(tx, "instance", id) {
			if volume.DeleteOnTermination {
				store.Volumes.Delete(tx, volume.ID)
				continue
			}
			store.Volumes.Edit(tx, volume.ID, func(volume *store.Volume) {
				volume.State, volume.InstanceID, volume.Device, volume.AttachedAt = "available", "", "", time.Time{}
			})
		}
		store.Instances.Edit(tx, id, func(row *store.Instance) {
			row.State, row.Reachable, row.TerminatedAt = store.Terminated, false, time.Now()
			row.VPCID, row.SubnetID, row.RootVolumeID = "", "", ""
			row.InterfaceIDs, row.Layers, row.UIDBase = nil, nil, 0
		})
		return nil
	})
}

// Users inside a machine are users outside from its base on. The bases keep
// clear of the system's own users and of those that other programs map
// (UIDs and GIDs on systemd systems: containers have 0x80000 to 0x6fffffff).
const (
	uidsEach = 1 << 16
	firstUID = 0x10000000
)

// allocate gives the instance a range of user ids that no other live one has.
func (l *Loop) allocate(id string) error {
	return l.Store.Update(func(tx *store.Tx) error {
		row, ok := store.Instances.Get(tx, id)
		if !ok || row.UIDBase != 0 {
			return nil
		}
		var taken []uint32
		for _, other := range store.Instances.List(tx) {
			taken = append(taken, other.UIDBase)
		}
		base := uint32(firstUID)
		for slices.Contains(taken, base) {
			base += uidsEach
		}
		store.Instances.Edit(tx, id, func(row *store.Instance) { row.UIDBase = base })
		return nil
	})
}
