package instances

import "aloft.dev/aloft/internal/cloud/store"

// Condition is what the machine plane says of an instance's machine.
type Condition string

// The conditions of a machine.
const (
	Absent Condition = "absent" // there is none, or it was stopped on purpose
	Up     Condition = "up"     // its init runs
	Off    Condition = "off"    // its init ended in order: somebody inside powered it off
	Broken Condition = "broken" // its init died
)

// Situation is all that decides what comes next for an instance.
type Situation struct {
	Wanted, State    string
	Rebooting        bool // more reboots were asked for than were done
	Reachable        bool
	ShutdownBehavior string
	Machine          Condition
}

// Action is what to do with the machine.
type Action string

// The actions, one for each step.
const (
	None      Action = ""
	Launch    Action = "launch"    // prepare, connect, boot
	Stop      Action = "stop"      // shut down, or kill when forced
	Reboot    Action = "reboot"    // restart the system inside
	Remove    Action = "remove"    // cut off, destroy, delete the disk
	Settle    Action = "settle"    // nothing to do to the machine, only the row is behind
	Withdraw  Action = "withdraw"  // it went down by itself: stop or terminate it by its shutdown behaviour
	Surrender Action = "surrender" // it broke: stop it with a reason
)

// Step is the decision: what to do, and the state that the instance has when
// it has been done.
type Step struct {
	Action Action
	Next   string
}

// Next decides the one next step. Settled situations have the action None.
//
// A machine whose init died unexpectedly is stopped with the reason
// Server.InternalError; AWS would go on calling it running with failing status
// checks, which helps nobody who has no operator to call.
func Next(s Situation) Step {
	switch s.Wanted {
	case store.Terminated:
		if s.State == store.Terminated {
			return Step{None, store.Terminated}
		}
		return Step{Remove, store.Terminated}
	case store.Stopped:
		switch {
		case s.Machine == Up:
			return Step{Stop, store.Stopped}
		case s.State != store.Stopped:
			return Step{Settle, store.Stopped}
		}
		return Step{None, store.Stopped}
	}
	return wantedRunning(s)
}

func wantedRunning(s Situation) Step {
	pending := s.State == store.Pending
	switch s.Machine {
	case Up:
		switch {
		case pending || !s.Reachable:
			return Step{Settle, store.Running}
		case s.Rebooting:
			return Step{Reboot, store.Running}
		}
		return Step{None, store.Running}
	case Off:
		switch {
		case pending || s.Rebooting:
			return Step{Launch, store.Running}
		case s.ShutdownBehavior == "terminate":
			return Step{Withdraw, store.ShuttingDown}
		}
		return Step{Withdraw, store.Stopping}
	case Broken:
		if pending {
			return Step{Launch, store.Running}
		}
		return Step{Surrender, store.Stopping}
	}
	return Step{Launch, store.Running} // launched, started, or the host restarted
}
