package instances_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/store"
)

// anyCondition stands for each condition of a machine in the table.
var anyCondition = []instances.Condition{instances.Absent, instances.Up, instances.Off, instances.Broken}

func TestEverySituationHasItsNextStep(t *testing.T) {
	const (
		absent, up, off, broken = instances.Absent, instances.Up, instances.Off, instances.Broken
	)
	type conditions = []instances.Condition
	down := conditions{absent, off, broken}
	for _, row := range []struct {
		wanted   string
		states   []string
		machines conditions
		action   instances.Action
		next     string
	}{
		{store.Running, []string{store.Pending}, down, instances.Launch, store.Running},
		{store.Running, []string{store.Pending}, conditions{up}, instances.Settle, store.Running},
		{store.Running, []string{store.Running}, conditions{up}, instances.None, store.Running},
		{store.Running, []string{store.Running}, conditions{absent}, instances.Launch, store.Running},
		{store.Running, []string{store.Running}, conditions{off}, instances.Withdraw, store.Stopping},
		{store.Running, []string{store.Running}, conditions{broken}, instances.Surrender, store.Stopping},
		{
			store.Stopped, []string{store.Stopping, store.Running, store.Pending, store.Stopped}, conditions{up},
			instances.Stop, store.Stopped,
		},
		{store.Stopped, []string{store.Stopping, store.Running, store.Pending}, down, instances.Settle, store.Stopped},
		{store.Stopped, []string{store.Stopped}, down, instances.None, store.Stopped},
		{
			store.Terminated, []string{store.ShuttingDown, store.Running, store.Pending, store.Stopping, store.Stopped},
			anyCondition, instances.Remove, store.Terminated,
		},
		{store.Terminated, []string{store.Terminated}, anyCondition, instances.None, store.Terminated},
	} {
		for _, state := range row.states {
			for _, machine := range row.machines {
				got := instances.Next(instances.Situation{
					Wanted:           row.wanted,
					State:            state,
					Reachable:        true,
					ShutdownBehavior: "stop",
					Machine:          machine,
				})
				if want := (instances.Step{Action: row.action, Next: row.next}); got != want {
					t.Errorf("wanted %s, %s, machine %s: got %v, want %v", row.wanted, state, machine, got, want)
				}
			}
		}
	}
}

func TestARebootIsDoneOnceTheMachineIsUp(t *testing.T) {
	s := instances.Situation{
		Wanted:    store.Running,
		State:     store.Running,
		Reachable: true,
		Rebooting: true,
		Machine:   instances.Up,
	}
	if got := instances.Next(s); got.Action != instances.Reboot {
		t.Errorf("got %v", got)
	}
	s.Machine = instances.Off
	if got := instances.Next(s); got.Action != instances.Launch {
		t.Errorf("a machine that went down while it should reboot: got %v, want a launch", got)
	}
}

func TestPoweringOffFromInsideTerminatesWhenAskedTo(t *testing.T) {
	got := instances.Next(instances.Situation{
		Wanted:           store.Running,
		State:            store.Running,
		Reachable:        true,
		ShutdownBehavior: "terminate",
		Machine:          instances.Off,
	})
	if want := (instances.Step{Action: instances.Withdraw, Next: store.ShuttingDown}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
