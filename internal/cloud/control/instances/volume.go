//go:build linux

package instances

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// busyDelay is how often a machine is asked for a volume that it uses and is to give back.
const busyDelay = time.Second

// followVolumes notifies the workers of instances with a volume whose row is not the one seen
// before. It returns the rows.
func (l *Loop) followVolumes(r store.Reader, seen map[string]*store.Volume) map[string]*store.Volume {
	rows := map[string]*store.Volume{}
	for _, row := range store.Volumes.List(r) {
		rows[row.ID] = row
		if row.InstanceID != "" && seen[row.ID] != row {
			l.notify(row.InstanceID)
		}
	}
	return rows
}

// volumesOf returns the volumes of an instance's machine besides its disk: those that are attached
// and those that will be.
func (l *Loop) volumesOf(r store.Reader, id string) (volumes []machine.Volume, err error) {
	for _, row := range store.VolumesByInstance.List(r, id) {
		switch {
		case row.NVMe == 0 || row.Attachment == store.Detaching || row.Attachment == store.Busy:
			continue
		case row.State == store.VolumeError:
			return nil, fmt.Errorf("volume %s: %s", row.ID, row.StateReason)
		}
		volumes = append(volumes, l.volume(row))
	}
	return volumes, nil
}

func (l *Loop) volume(row *store.Volume) machine.Volume {
	return machine.Volume{
		ID: row.ID, File: l.Volume(row.ID), NVMe: row.NVMe, Rate: diskRate(l.Disks, row),
		Name: strings.TrimPrefix(row.Device, "/dev/"),
	}
}

// awaitsVolume reports whether the file of one of the instance's volumes is not there yet.
func awaitsVolume(r store.Reader, id string) bool {
	for _, row := range store.VolumesByInstance.List(r, id) {
		if row.State == store.VolumeCreating {
			return true
		}
	}
	return false
}

// exchangeVolumes attaches and detaches what the rows of an instance's volumes say, while nothing
// else is to do for the instance. It returns how long to wait for a volume that is in use; zero:
// not at all.
func (l *Loop) exchangeVolumes(ctx context.Context, row *store.Instance) (wait time.Duration, err error) {
	bounded, cancel := context.WithTimeout(ctx, launchTimeout)
	defer cancel()
	for _, volume := range store.VolumesByInstance.List(l.Store.View(), row.ID) {
		switch volume.Attachment {
		case store.Attaching:
			err = l.attachVolume(bounded, row, volume)
		case store.Detaching, store.Busy:
			var gone bool
			if gone, err = l.detachVolume(bounded, row, volume); !gone {
				wait = busyDelay
			}
		}
		if err != nil {
			return 0, err
		}
	}
	return wait, nil
}

// attachVolume attaches a volume. A machine that is off gets it when it starts.
func (l *Loop) attachVolume(ctx context.Context, row *store.Instance, volume *store.Volume) error {
	if volume.FileGiB == 0 {
		return nil // its row changes when it has a file
	}
	if row.State == store.Running {
		if err := l.Machines.AttachVolume(ctx, row.ID, l.volume(volume)); err != nil {
			return err
		}
	}
	return l.editVolume(volume.ID, func(v *store.Volume) {
		if v.Attachment == store.Attaching {
			v.Attachment = store.Attached
		}
	})
}

// detachVolume detaches a volume, and reports whether it is gone.
func (l *Loop) detachVolume(
	ctx context.Context, row *store.Instance, volume *store.Volume,
) (gone bool, err error) {
	gone, err = l.Machines.DetachVolume(ctx, row.ID, volume.ID, volume.ForceDetach)
	switch {
	case err != nil:
		return false, err
	case gone:
		return true, l.editVolume(volume.ID, (*store.Volume).Detached)
	case volume.Attachment == store.Busy:
		return false, nil
	}
	return false, l.editVolume(volume.ID, func(v *store.Volume) { v.Attachment = store.Busy })
}

func (l *Loop) editVolume(id string, change func(*store.Volume)) error {
	return l.Store.Batch(func(tx *store.Tx) { store.Volumes.Edit(tx, id, change) })
}
