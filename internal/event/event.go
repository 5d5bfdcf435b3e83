// Package event defines the events of a run: what it does to which resource, how
// far it is and how it ended. The terminal view, the plain lines and the JSON
// stream render the same events.
package event

import "time"

// Kind is the kind of an event.
type Kind string

// The kinds.
const (
	Start    Kind = "start"    // work on Address began
	Progress Kind = "progress" // the work continues; Message says how far it is
	Output   Kind = "output"   // Message is a line of a remote command's output
	Done     Kind = "done"     // the work succeeded after Elapsed
	Fail     Kind = "fail"     // the work failed after Elapsed; Message says why
	Note     Kind = "note"     // information that is not about work
)

// Event is one event of a run.
type Event struct {
	Time    time.Time     `json:"time"`
	Kind    Kind          `json:"kind"`
	Address string        `json:"address,omitempty"` // in the stack: "vpc", "server-1"
	Step    string        `json:"step,omitempty"`    // of the manual process that Aloft automates: "1", "7-8"
	Message string        `json:"message,omitempty"` // "create VPC 10.0.0.0/16"
	Elapsed time.Duration `json:"elapsed_ns,omitempty"`
}

// Sink receives events. It must be safe for concurrent use and must not block for
// long.
type Sink func(Event)
