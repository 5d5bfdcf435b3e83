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
		fail := func() {
			if err := f.machines.FailDisk("i-1"); err != nil {
				t.Fatal(err)
			}
		}
		wantBoots := func(when string, want int) {
			t.Helper()
			time.Sleep(time.Minute)
			if boots := f.machines.Status("i-1").Boots; boots != want {
				t.Errorf("%s the machine was booted %d times, want %d", when, boots, want)
			}
			if boots := f.machines.Status("i-2").Boots; boots != 1 {
				t.Errorf("%s another machine was booted %d times", when, boots)
			}
		}
		f.machines.Fill(true)
		fail()
		wantBoots("on a full host", 1)
		if f.instance("i-1").ImpairedSince.IsZero() || !f.instance("i-2").ImpairedSince.IsZero() {
			t.Error("not exactly the instance with a read-only disk is impaired")
		}
		f.machines.Fill(false)
		wantBoots("on a host with room", 2)
		if f.machines.IsReadOnly("i-1") || !f.instance("i-1").ImpairedSince.IsZero() {
			t.Error("the reboot did not repair the instance")
		}
		fail() // with room
		wantBoots("soon after its repair", 2)
		if f.instance("i-1").ImpairedSince.IsZero() {
			t.Error("an instance whose disk failed again is not impaired")
		}
		time.Sleep(10 * time.Minute)
		wantBoots("long after its repair", 3)
	})
}
