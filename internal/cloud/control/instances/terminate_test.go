package instances_test

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestTerminationDeletesEverythingButTheRowForAnHour(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Terminated, store.ShuttingDown })
		f.want("i-1", store.Terminated)
		view := f.store.View()
		if len(f.machines.List()) != 0 || len(store.Volumes.List(view)) != 0 ||
			len(store.NetworkInterfaces.List(view)) != 0 {
			t.Errorf("left after termination: %s", f.machines.String())
		}
		time.Sleep(59 * time.Minute)
		f.want("i-1", store.Terminated)
		time.Sleep(2 * time.Minute)
		f.want("i-1", "gone")
	})
}

func TestVolumeWithoutDeleteOnTerminationOutlivesItsInstance(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.update(func(tx *store.Tx) {
			store.Volumes.Edit(tx, "vol-i-1", func(v *store.Volume) { v.DeleteOnTermination = false })
			store.Instances.Edit(
				tx, "i-1", func(i *store.Instance) { i.Wanted, i.State = store.Terminated, store.ShuttingDown },
			)
		})
		if v, ok := store.Volumes.Get(f.store.View(), "vol-i-1"); !ok || v.State != "available" || v.InstanceID != "" {
			t.Errorf("%+v %v", v, ok)
		}
	})
}
