// Package event is the story of a run as it happens: what is being done to
// which resource, how far it is and how it ended. The terminal, the plain lines
// and the JSON stream are renderings of the same events.
package event

import "time"

// Kind tells what an event reports.
type Kind string

// The kinds of events.
const (
	Start    Kind = "start"    // work on Address began
	Progress Kind = "progress" // still at it: Message says how far
	Output   Kind = "output"   // Message is a line of a remote command's output
	Done     Kind = "done"     // finished after Elapsed
	Fail     Kind = "fail"     // ended after Elapsed with Message
	Note     Kind = "note"     // something to know that is not work
)

// Event is one thing that happened.
type Event struct {
	Time    time.Time     `json:"time"`
	Kind    Kind          `json:"kind"`
	Address string        `json:"address,omitempty"` // place in the resource graph: "vpc", "server-1"
	Step    string        `json:"step,omitempty"`    // step of the walk that Aloft automates: "1", "7-8", "11-16"
	Message string        `json:"message,omitempty"` // "create VPC 10.0.0.0/16", "waiting: health checks 1 of 3"
	Elapsed time.Duration `json:"elapsed_ns,omitempty"`
}

// Sink takes events, one at a time; it must be safe for use by several
// goroutines and must not block for long.
type Sink func(Event)
