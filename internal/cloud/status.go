//go:build linux

package cloud

import (
	"cmp"
	"net/http"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/store"
)

// status serves the local cloud's status, which `aloft local status` prints.
func (d *daemon) status(w http.ResponseWriter, _ *http.Request) {
	view := d.store.View()
	status := host.Status{
		Version: d.Version, Simulated: d.Layout.Simulated,
		Images: []host.ImageStatus{}, Machines: []host.MachineStatus{},
		Manners: d.manners.Settings(),
	}
	for _, row := range store.Images.List(view) {
		if row.IsBase() {
			image := host.ImageStatus{
				Name: row.Base, Region: string(row.Region), State: row.State, Reason: row.StateReason,
			}
			if snapshot, ok := store.Snapshots.Get(view, row.SnapshotID); ok && len(snapshot.Layers) == 0 {
				image.State = "not built"
				image.Reason = cmp.Or(row.StateReason, "built when the first instance uses it")
			}
			status.Images = append(status.Images, image)
		}
	}
	for _, row := range store.Instances.List(view) {
		if row.State != store.Terminated {
			machine := host.MachineStatus{ID: row.ID, Region: string(row.Region), State: row.State}
			machine.MemoryBytes = d.machines.Status(row.ID).MemoryBytes
			status.Machines = append(status.Machines, machine)
		}
	}
	writeJSON(w, status)
}
