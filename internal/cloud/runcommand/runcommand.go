// Package runcommand has the rules of Systems Manager Run Command: its documents, the
// messages between the service and the agents in machines, and the statuses of commands and
// of their invocations, which are commands on one instance each.
//
// Statuses and limits are those of the AWS Systems Manager User Guide, Understanding command
// statuses, Understanding command timeout values and Run commands at scale. Messages and
// replies are those of github.com/aws/amazon-ssm-agent.
package runcommand

import (
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Statuses of commands and invocations, and details of them.
const (
	Pending    = "Pending"
	InProgress = "InProgress"
	Success    = "Success"
	Failed     = "Failed"
	TimedOut   = "TimedOut"
	Cancelling = "Cancelling"
	Cancelled  = "Cancelled"

	Delayed           = "Delayed"           // of Pending
	DeliveryTimedOut  = "DeliveryTimedOut"  // of TimedOut
	ExecutionTimedOut = "ExecutionTimedOut" // of TimedOut
	Undeliverable     = "Undeliverable"     // of Failed
	Incomplete        = "Incomplete"        // of Failed, of commands
	Terminated        = "Terminated"        // of Cancelled
	NoInstancesInTag  = "NoInstancesInTag"  // of Success, of commands
)

// Limits of Run Command.
const (
	maxOutput  = 2500  // characters of the short output
	maxStdout  = 24000 // characters of the standard output
	maxStderr  = 8000  // characters of the standard error
	Kept       = 30 * 24 * time.Hour
	KeptMost   = 1000 // commands; of more than these, the oldest that are done are forgotten
	perMachine = 5    // commands that an agent runs at a time
	delayed    = time.Minute
)

// The numbers of instances that run a command at a time, and of errors after which no
// further instance starts it.
const (
	DefaultConcurrency = "50"
	DefaultErrors      = "0"
)

// notEnded is the exit code of an invocation that has not ended.
const notEnded = -1

// New returns the invocation of a command on an instance.
func New(c *store.Command, instance *store.Instance) *store.CommandInvocation {
	return &store.CommandInvocation{
		Region: c.Region, CommandID: c.ID, InstanceID: instance.ID, InstanceName: instance.Tags["Name"],
		Requested: c.Requested, Status: Pending, Details: Pending, Code: notEnded,
	}
}

// Ended reports whether an invocation has ended.
func Ended(i *store.CommandInvocation) bool {
	return i.Status != Pending && i.Status != InProgress && i.Status != Cancelling
}

// end returns an invocation that has ended without a reply.
func end(i *store.CommandInvocation, status, details string) *store.CommandInvocation {
	ended := *i
	ended.Status, ended.Details = status, details
	return &ended
}

// Invocations returns the invocations of a command in the order of their instances.
func Invocations(r store.Reader, c *store.Command) []*store.CommandInvocation {
	return store.CommandInvocationsByCommand.List(r, store.CommandKey(c.Region, c.ID))
}

// progress counts the invocations of a command.
type progress struct {
	all, sent, ended, succeeded, failed, executionTimedOut, deliveryTimedOut, cancelled int
}

func count(all []*store.CommandInvocation) progress {
	p := progress{all: len(all)}
	for _, i := range all {
		if i.Sent {
			p.sent++
		}
		if !Ended(i) {
			continue
		}
		p.ended++
		switch i.Details {
		case Success:
			p.succeeded++
		case Failed:
			p.failed++
		case ExecutionTimedOut:
			p.executionTimedOut++
		case DeliveryTimedOut:
			p.deliveryTimedOut++
		case Cancelled:
			p.cancelled++
		}
	}
	return p
}

// errors returns how many errors count against a command's MaxErrors.
func (p progress) errors() int { return p.failed + p.executionTimedOut }

// portion returns a number that is given as such or as a percentage of all.
func portion(text string, all int, up bool) int {
	percent, ok := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(percent)
	switch {
	case err != nil:
		return all // no instance is more than all
	case !ok:
		return n
	case up:
		return max((n*all+99)/100, 1)
	}
	return n * all / 100
}

// tooManyErrors reports whether no further instance starts the command.
func (p progress) tooManyErrors(c *store.Command) bool {
	return p.errors() > portion(c.MaxErrors, p.all, false)
}

// Summary is the state of a command as a whole.
type Summary struct {
	Status, Details                              string
	Targets, Completed, Errors, DeliveryTimedOut int
}

// Summarize returns the state of a command with these invocations.
func Summarize(c *store.Command, all []*store.CommandInvocation) Summary {
	p := count(all)
	s := Summary{Targets: p.all, Completed: p.ended, Errors: p.errors(), DeliveryTimedOut: p.deliveryTimedOut}
	s.Status, s.Details = p.status(c)
	return s
}

func (p progress) status(c *store.Command) (status, details string) {
	atLeast := func(n int) bool { return n > 0 && n >= portion(c.MaxErrors, p.all, false) }
	switch {
	case p.all == 0:
		return Success, NoInstancesInTag
	case p.ended < p.all && c.Cancelled:
		return Cancelling, Cancelling
	case p.ended < p.all && p.sent+p.ended > 0:
		return InProgress, InProgress
	case p.ended < p.all:
		return Pending, Pending
	case p.succeeded == p.all:
		return Success, Success
	case p.cancelled > 0:
		return Cancelled, Cancelled
	case atLeast(p.failed):
		return Failed, Failed
	case atLeast(p.executionTimedOut):
		return TimedOut, ExecutionTimedOut
	case atLeast(p.deliveryTimedOut):
		return TimedOut, DeliveryTimedOut
	}
	return Failed, Incomplete
}
