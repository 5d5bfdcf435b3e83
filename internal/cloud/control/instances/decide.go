//go:build linux

package instances

import (
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

// Condition is the condition of an instance's machine.
type Condition string

// The conditions of a machine.
const (
	MachineAbsent     Condition = "absent"      // never booted, or stopped by the loop
	MachineRunning    Condition = "running"     // its init runs
	MachinePoweredOff Condition = "powered off" // its init exited in order: somebody inside shut it down
	MachineCrashed    Condition = "crashed"     // its init died
)

// Situation holds everything that decides an instance's next step.
type Situation struct {
	Desired, State   string // of the instance, as constants of package store
	RebootRequested  bool
	Reachable        bool
	ShutdownBehavior string
	AwaitsContent    bool // its base image is not built yet, or the content of one of its volumes
	ReplacesRoot     bool // it is to get another root volume
	Machine          Condition
	Unsettled        bool // the change of state in progress takes longer
}

// situationOf combines an instance's row with the status of its machine and what r has of its volumes.
func situationOf(r store.Reader, row *store.Instance, status machine.Status, now time.Time) Situation {
	return Situation{
		Desired: row.Desired, State: row.State, Reachable: row.Reachable,
		RebootRequested: row.Reboots != row.RebootsDone, ShutdownBehavior: row.ShutdownBehavior,
		AwaitsContent: len(row.Layers) == 0 || awaitsVolume(r, row.ID),
		ReplacesRoot:  awaitsReplacement(r, row),
		Machine:       conditionOf(status), Unsettled: now.Before(row.SettledAt),
	}
}

func conditionOf(status machine.Status) Condition {
	switch {
	case status.State == machine.Running:
		return MachineRunning
	case status.State == machine.Exited && status.Exit == machine.PowerOff:
		return MachinePoweredOff
	case status.State == machine.Exited:
		return MachineCrashed
	}
	return MachineAbsent // a machine that was prepared and never booted launches again
}

// Action is one kind of step.
type Action string

// The actions. The Record actions change the instance's row alone.
const (
	None           Action = ""
	Launch         Action = "launch"    // prepare the machine, connect it, boot it
	Stop           Action = "stop"      // shut the machine down, or kill it if forced
	ShutDown       Action = "shut down" // power off the machine of an instance that terminates
	Reboot         Action = "reboot"    // restart the system inside the machine
	ReplaceRoot    Action = "replace the root volume of"
	Terminate      Action = "terminate" // delete the machine with its disk
	RecordState    Action = "record the state of"
	RecordShutdown Action = "record the shutdown of" // the machine powered off: apply the shutdown behavior
	RecordCrash    Action = "record the crash of"
)

// Step is one thing to do.
type Step struct {
	Action Action
	Next   string // the instance's state afterwards
}

// Next returns the next step. It has the action None if nothing remains to be done now.
//
// In an unsettled situation, a machine that is to end does so at once, and one that is
// to start waits. The instance changes its state later.
//
// An instance whose init died stops with the reason Server.InternalError. AWS keeps
// such an instance running with failing status checks, which is no help to a user
// without an operator who watches them.
func Next(s Situation) Step {
	switch s.Desired {
	case store.Terminated:
		switch {
		case s.State == store.Terminated:
			return Step{None, store.Terminated}
		case s.Machine == MachineRunning:
			return Step{ShutDown, store.ShuttingDown}
		case s.Unsettled:
			return Step{None, store.ShuttingDown}
		}
		return Step{Terminate, store.Terminated}
	case store.Stopped:
		switch {
		case s.Machine == MachineRunning:
			return Step{Stop, store.Stopped}
		case s.Unsettled:
			return Step{None, store.Stopping}
		case s.State != store.Stopped:
			return Step{RecordState, store.Stopped}
		}
		return Step{None, store.Stopped}
	}
	if s.ReplacesRoot && !s.AwaitsContent {
		return Step{ReplaceRoot, store.Running} // also if the last daemon ended meanwhile
	}
	return nextTowardRunning(s)
}

func nextTowardRunning(s Situation) Step {
	if s.AwaitsContent {
		return Step{None, store.Running} // the images loop and the volumes loop create it, or it terminates
	}
	pending := s.State == store.Pending
	if pending && s.Unsettled && s.Machine != MachineRunning {
		return Step{None, store.Pending}
	}
	switch s.Machine {
	case MachineRunning:
		switch {
		case pending || !s.Reachable:
			return Step{RecordState, store.Running}
		case s.RebootRequested:
			return Step{Reboot, store.Running}
		}
		return Step{None, store.Running}
	case MachinePoweredOff:
		switch {
		case pending || s.RebootRequested:
			return Step{Launch, store.Running}
		case s.ShutdownBehavior == "terminate":
			return Step{RecordShutdown, store.ShuttingDown}
		}
		return Step{RecordShutdown, store.Stopping}
	case MachineCrashed:
		if pending {
			return Step{Launch, store.Running}
		}
		return Step{RecordCrash, store.Stopping}
	}
	return Step{Launch, store.Running} // a first launch, a start, or a restart of the host
}
