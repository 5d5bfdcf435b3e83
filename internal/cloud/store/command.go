package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Commands has "region/id" as key.
var Commands = newTable("commands", func(r *Command) string { return CommandKey(r.Region, r.ID) },
	func(r *Command) identity.Region { return r.Region })

// CommandKey returns the key of a command.
func CommandKey(region identity.Region, id string) string { return region.Key(id) }

// Command is a command of Systems Manager Run Command.
type Command struct {
	ID              string
	Region          identity.Region
	Document        string // "AWS-RunShellScript"
	DocumentVersion string // as the user gave it
	Comment         string
	Parameters      map[string][]string // as the user gave them
	InstanceIDs     []string            // as the user gave them
	Targets         []CommandTarget     // as the user gave them
	Timeout         time.Duration       // in which it must start
	Execution       time.Duration       // that it may take
	MaxConcurrency  string              // "50", "10%"
	MaxErrors       string              // "0", "10%"
	Script          []string            // lines of a document of one's own; nil: those of Parameters
	Directory       string              // in which Script runs
	Step            string              // of that document
	Requested       time.Time
	Cancelled       bool // the user has cancelled it, at least for some instances
	Done            bool // every invocation has ended
}

// Expires returns when invocations end that have not ended before.
func (r *Command) Expires() time.Time { return r.Requested.Add(r.Timeout + r.Execution) }

// CommandTarget selects instances by a key, such as "tag:Role".
type CommandTarget struct {
	Key    string
	Values []string
}

// CommandInvocations has "region/command/instance" as key.
var CommandInvocations = newTable("command_invocations", func(r *CommandInvocation) string {
	return CommandInvocationKey(r.Region, r.CommandID, r.InstanceID)
}, func(r *CommandInvocation) identity.Region { return r.Region })

// CommandInvocationsByCommand finds the invocations of a command by its key, and
// CommandInvocationsByInstance those on an instance by its id.
var (
	CommandInvocationsByCommand = CommandInvocations.indexBy("command", func(r *CommandInvocation) string {
		return CommandKey(r.Region, r.CommandID)
	})
	CommandInvocationsByInstance = CommandInvocations.indexBy("instance", func(r *CommandInvocation) string {
		return r.InstanceID
	})
)

// CommandInvocationKey returns the key of a command's invocation on an instance.
func CommandInvocationKey(region identity.Region, command, instance string) string {
	return CommandKey(region, command) + "/" + instance
}

// CommandInvocation is a command on one instance. Package runcommand knows the statuses.
type CommandInvocation struct {
	CommandID, InstanceID string
	Region                identity.Region
	InstanceName          string // the instance's tag Name
	Requested             time.Time
	Status, Details       string

	// The message that carries the command to the instance's agent, and the one that cancels it.
	Sent         bool      // the agent has fetched it
	VisibleAt    time.Time // the agent may fetch it again then
	Acknowledged bool      // the agent does not fetch it again
	CancelID     string    // of the message that cancels the command; "": there is none
	CancelAt     time.Time // the agent may fetch that one then
	CancelTaken  bool      // the agent does not fetch that one again

	// What the agent replied.
	Started, Ended time.Time
	Code           int32 // exit code of the command; -1 before
	Stdout, Stderr string
	Output         string // a short form of both
}

// ManagedInstances has ids of instances as keys.
var ManagedInstances = newTable("managed_instances", func(r *ManagedInstance) string { return r.ID },
	func(r *ManagedInstance) identity.Region { return r.Region })

// ManagedInstance is an instance whose agent has reported to Systems Manager.
type ManagedInstance struct {
	ID                                          string
	Region                                      identity.Region
	AgentName, AgentVersion, AgentStatus        string
	PlatformType, PlatformName, PlatformVersion string
	ComputerName, IPAddress                     string
	LastPing                                    time.Time
}
