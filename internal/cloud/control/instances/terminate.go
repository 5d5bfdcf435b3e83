//go:build linux

package instances

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
)

// shutDown powers off the machine of an instance that terminates, and then disconnects it.
// A shutdown in order begins when no load balancer sends the machine requests any longer.
func (l *Loop) shutDown(ctx context.Context, row *store.Instance) error {
	bounded, cancel := context.WithTimeout(ctx, terminateTimeout)
	defer cancel()
	if err := l.recordShuttingDown(row); err != nil {
		return err
	}
	if !row.Force {
		if err := l.leaveLoadBalancers(bounded, row.ID); err != nil {
			return err
		}
	}
	if err := l.powerOff(bounded, row); err != nil {
		return err
	}
	return l.edit(row.ID, func(row *store.Instance) { row.Reachable = false })
}

func (l *Loop) recordShuttingDown(row *store.Instance) error {
	if row.State == store.ShuttingDown {
		return nil
	}
	return l.edit(row.ID, func(row *store.Instance) { row.State = store.ShuttingDown })
}

// leaveLoadBalancers waits until the balancers loop has taken the instance out of its target
// groups. It waits only for a while, because instances must terminate without a balancer too.
func (l *Loop) leaveLoadBalancers(ctx context.Context, id string) error {
	bounded, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	for {
		view := l.Store.View()
		if !slices.ContainsFunc(store.TargetsByID.List(view, id), func(t *store.Target) bool {
			return t.DeregisteredAt.IsZero()
		}) {
			return nil
		}
		if view.Changed(bounded, store.Targets) != nil {
			return ctx.Err()
		}
	}
}

// terminate deletes the machine with its disk. It is disconnected before, so that its peers
// see silence, as on AWS.
func (l *Loop) terminate(ctx context.Context, row *store.Instance) error {
	bounded, cancel := context.WithTimeout(ctx, terminateTimeout)
	defer cancel()
	if err := l.recordShuttingDown(row); err != nil {
		return err
	}
	if err := l.disconnect(bounded); err != nil {
		return err
	}
	if err := l.Machines.Remove(bounded, row.ID); err != nil {
		return err
	}
	return l.recordTermination(row.ID)
}

// disconnect disconnects the machines whose rows say so.
func (l *Loop) disconnect(ctx context.Context) error {
	if err := l.Network.Sync(ctx); err != nil {
		return fmt.Errorf("disconnect the machine: %w", err)
	}
	return nil
}

// recordTermination records that the machine no longer exists. It deletes the
// instance's network interfaces and volumes, or detaches those that outlive it.
func (l *Loop) recordTermination(id string) error {
	return l.Store.Batch(func(tx *store.Tx) {
		endReplacement(tx, id, store.ReplacementFailed)
		for _, eni := range store.NetworkInterfacesByInstance.List(tx, id) {
			if eni.DeleteOnTermination {
				addressing.DeleteInterface(tx, eni.ID)
				continue
			}
			addressing.ReleaseAutomatic(tx, eni.ID)
			addressing.Detach(tx, eni)
		}
		for _, volume := range store.VolumesByInstance.List(tx, id) {
			if volume.DeleteOnTermination {
				store.VolumeModifications.Delete(tx, volume.ID)
				store.Volumes.Delete(tx, volume.ID)
				continue
			}
			store.Volumes.Edit(tx, volume.ID, (*store.Volume).Detached)
		}
		store.Instances.Edit(tx, id, func(row *store.Instance) {
			row.State, row.Reachable, row.TerminatedAt = store.Terminated, false, time.Now()
			row.VPCID, row.SubnetID, row.RootVolumeID = "", "", ""
			row.InterfaceIDs, row.Layers, row.UIDBase = nil, nil, 0
		})
	})
}
