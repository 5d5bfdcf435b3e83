//go:build linux

package instances_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestRestartAdoptsMachinesAndRemovesOrphans(t *testing.T) {
	withLoop(t, func(f *fixture) {
		for i := range 3 {
			f.launch(fmt.Sprintf("i-%d", i), nil)
		}
		f.stopLoop()
		// While no daemon runs, one row disappears and one machine powers off.
		f.update(func(tx *store.Tx) { store.Instances.Delete(tx, "i-0") })
		if err := f.machines.PowerOff("i-1"); err != nil {
			t.Fatal(err)
		}
		f.startLoop()
		synctest.Wait()
		if got := f.machines.List(); !slices.Equal(got, []string{"i-1", "i-2"}) || f.machines.Calls("Prepare") != 3 {
			t.Errorf("machines %v, %d calls of Prepare", got, f.machines.Calls("Prepare"))
		}
		f.want("i-1", store.Stopped)
		f.want("i-2", store.Running)
	})
}

func TestRelaunchAfterHostRestartRecordsBootAtOnce(t *testing.T) {
	withLoop(t, func(f *fixture) {
		for i := range 3 {
			f.launch(fmt.Sprintf("i-%d", i), nil)
		}
		f.stopLoop()
		for _, id := range f.machines.List() { // the local cloud stops, and starts a day later
			if err := f.machines.Stop(t.Context(), id, false); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(24 * time.Hour)
		f.machines.Fail("Prepare i-2", errors.New("later"))
		f.startLoop()
		synctest.Wait()
		for i := range 3 {
			if row := f.instance(fmt.Sprintf("i-%d", i)); row.State != store.Running ||
				time.Since(row.MachineStarted) > time.Second {
				t.Errorf("%s is %s, booted %s ago", row.ID, row.State, time.Since(row.MachineStarted))
			}
		}
	})
}
