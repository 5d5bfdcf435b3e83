//go:build linux

package instances_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/control/instances"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestNextStepOfEverySituation(t *testing.T) {
	const (
		absent     = instances.MachineAbsent
		running    = instances.MachineRunning
		poweredOff = instances.MachinePoweredOff
		crashed    = instances.MachineCrashed
	)
	type conditions = []instances.Condition
	anyCondition := conditions{absent, running, poweredOff, crashed}
	down := conditions{absent, poweredOff, crashed}
	for _, row := range []struct {
		desired  string
		states   []string
		machines conditions
		action   instances.Action
		next     string
	}{
		{store.Running, []string{store.Pending}, down, instances.Launch, store.Running},
		{store.Running, []string{store.Pending}, conditions{running}, instances.RecordState, store.Running},
		{store.Running, []string{store.Running}, conditions{running}, instances.None, store.Running},
		{store.Running, []string{store.Running}, conditions{absent}, instances.Launch, store.Running},
		{store.Running, []string{store.Running}, conditions{poweredOff}, instances.RecordShutdown, store.Stopping},
		{store.Running, []string{store.Running}, conditions{crashed}, instances.RecordCrash, store.Stopping},
		{
			store.Stopped, []string{store.Stopping, store.Running, store.Pending, store.Stopped}, conditions{running},
			instances.Stop, store.Stopped,
		},
		{
			store.Stopped, []string{store.Stopping, store.Running, store.Pending}, down,
			instances.RecordState, store.Stopped,
		},
		{store.Stopped, []string{store.Stopped}, down, instances.None, store.Stopped},
		{
			store.Terminated, []string{store.ShuttingDown, store.Running, store.Pending, store.Stopping, store.Stopped},
			down, instances.Terminate, store.Terminated,
		},
		{
			store.Terminated, []string{store.ShuttingDown, store.Running, store.Pending, store.Stopping, store.Stopped},
			conditions{running}, instances.ShutDown, store.ShuttingDown,
		},
		{store.Terminated, []string{store.Terminated}, anyCondition, instances.None, store.Terminated},
	} {
		for _, state := range row.states {
			for _, machine := range row.machines {
				got := instances.Next(instances.Situation{
					Desired:          row.desired,
					State:            state,
					Reachable:        true,
					ShutdownBehavior: "stop",
					Machine:          machine,
				})
				if want := (instances.Step{Action: row.action, Next: row.next}); got != want {
					t.Errorf("desired %s, is %s, machine %s: got %v, want %v", row.desired, state, machine, got, want)
				}
			}
		}
	}
}

func TestRequestedRebootLaunchesPoweredOffMachine(t *testing.T) {
	s := instances.Situation{
		Desired:         store.Running,
		State:           store.Running,
		Reachable:       true,
		RebootRequested: true,
		Machine:         instances.MachineRunning,
	}
	if got := instances.Next(s); got.Action != instances.Reboot {
		t.Errorf("got %v, want a reboot", got)
	}
	s.Machine = instances.MachinePoweredOff
	if got := instances.Next(s); got.Action != instances.Launch {
		t.Errorf("machine powered off during a reboot: got %v, want a launch", got)
	}
}

func TestPowerOffTerminatesIfShutdownBehaviorSaysSo(t *testing.T) {
	got := instances.Next(instances.Situation{
		Desired:          store.Running,
		State:            store.Running,
		Reachable:        true,
		ShutdownBehavior: "terminate",
		Machine:          instances.MachinePoweredOff,
	})
	if want := (instances.Step{Action: instances.RecordShutdown, Next: store.ShuttingDown}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUnsettledInstanceKeepsItsState(t *testing.T) {
	for _, c := range []struct {
		desired, state string
		machine        instances.Condition
		want           instances.Step
	}{
		{store.Running, store.Pending, instances.MachineAbsent, instances.Step{Next: store.Pending}},
		{
			store.Stopped, store.Stopping, instances.MachineRunning,
			instances.Step{Action: instances.Stop, Next: store.Stopped},
		},
		{store.Stopped, store.Stopping, instances.MachineAbsent, instances.Step{Next: store.Stopping}},
		{
			store.Terminated, store.ShuttingDown, instances.MachineRunning,
			instances.Step{Action: instances.ShutDown, Next: store.ShuttingDown},
		},
		{store.Terminated, store.ShuttingDown, instances.MachineAbsent, instances.Step{Next: store.ShuttingDown}},
	} {
		got := instances.Next(instances.Situation{
			Desired: c.desired, State: c.state, Machine: c.machine, Unsettled: true,
		})
		if got != c.want {
			t.Errorf("%s %s, machine %s: %v, want %v", c.desired, c.state, c.machine, got, c.want)
		}
	}
}
