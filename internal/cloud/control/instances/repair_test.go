//go:build linux

package instances_test

import (
	"testing"
	"time"
)

func TestMachinesWithReadOnlyDisksRebootWhenTheHostHasRoom(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.launch("i-2", nil)
		f.machines.Fill(true)
		if err := f.machines.FailDisk("i-1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if boots := f.machines.Status("i-1").Boots; boots != 1 {
			t.Errorf("the machine was booted %d times on a full host", boots)
		}
		f.machines.Fill(false)
		time.Sleep(time.Minute)
		if f.machines.IsReadOnly("i-1") {
			t.Error("the disk is still read-only")
		}
		for id, want := range map[string]int{"i-1": 2, "i-2": 1} {
			if boots := f.machines.Status(id).Boots; boots != want {
				t.Errorf("%s was booted %d times, want %d", id, boots, want)
			}
		}
	})
}
