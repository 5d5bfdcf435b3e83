package store

import "time"

// Tables of this file.
var (
	Instances = newTable("instances", func(r *Instance) string { return r.ID }, (*Instance).region)
)

// Instance states (Amazon EC2 API Reference, InstanceState).
const (
	Pending      = "pending"
	Running      = "running"
	ShuttingDown = "shutting-down"
	Terminated   = "terminated"
	Stopping     = "stopping"
	Stopped      = "stopped"
)

// Instance is a virtual machine. API handlers write Wanted, Reboots and Force,
// and acknowledge them in State by Pending, Stopping or ShuttingDown; the
// instance loop writes every other state and what else is below "observed".
type Instance struct {
	ID, Region, VPCID, SubnetID, Zone string
	ReservationID                     string
	ImageID                           string
	Type                              string // "t3.micro"
	KeyName                           string
	UserData                          string // base64, as sent
	ClientToken                       string
	LaunchIndex                       int32
	LaunchTime                        time.Time // of the last start
	Monitoring                        bool
	EBSOptimized                      bool
	SourceDestCheck                   bool
	DisableAPITermination             bool
	DisableAPIStop                    bool
	ShutdownBehavior                  string // "stop", "terminate"
	MetadataTokens                    string // "optional", "required"
	MetadataEndpoint                  string // "enabled", "disabled"
	MetadataHopLimit                  int32
	MetadataTags                      string // "enabled", "disabled"
	RootVolumeID                      string
	InterfaceIDs                      []string
	Layers                            []string // image layers, bottom first; grows when an image is made of the machine
	CPUCredits                        string   // burstable types: "standard", "unlimited"
	Tags                              Tags

	Desired string // Running, Stopped or Terminated
	Force   bool   // stop without waiting for the machine's own shutdown
	Reboots int    // reboots asked for so far

	// Observed.
	State            string
	StateReasonCode  string // "Client.UserInitiatedShutdown"
	StateReason      string
	TransitionReason string // "User initiated (2026-11-23 21:00:00 GMT)"
	TerminatedAt     time.Time
	RebootsDone      int
	Reachable        bool // passes its status checks
	UIDBase          uint32
	StartedBefore    bool      // has been running before: a failed start leaves it stopped, not terminated
	MachineStarted   time.Time // when its machine was started last, by whatever: a start of the instance or of the local cloud
}

func (r *Instance) region() string { return r.Region }
