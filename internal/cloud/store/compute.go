package store

import "time"

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

// Image is an AMI. Public images belong to "amazon" and exist in each region.
type Image struct {
	ID, Region, Name, Description string
	Owner, OwnerAlias             string
	Public                        bool
	Base                          string // public images: name of the base image, "debian-12"
	SourceInstanceID              string
	NoReboot                      bool
	SnapshotID                    string // of the root volume
	RootVolumeType                string // "gp3"
	RootDevice                    string // "/dev/xvda"
	Architecture                  string
	Created                       time.Time
	Tags                          Tags
	State                         string // observed: "pending", "available", "failed"
	StateReason                   string
}

func (r *Image) region() string { return r.Region }

// Snapshot is the content of a volume at one moment: a stack of layers.
type Snapshot struct {
	ID, Region, VolumeID, Description string
	Owner                             string
	SizeGiB                           int32
	Layers                            []string // bottom first; empty until completed
	Started                           time.Time
	Tags                              Tags
	State                             string // observed: "pending", "completed", "error"
	StateMessage                      string // why it failed
	Progress                          string // "100%"
}

func (r *Snapshot) region() string { return r.Region }

// Volume is an instance's root volume.
type Volume struct {
	ID, Region, Zone    string
	SizeGiB             int32
	Type                string // "gp3"
	IOPS, Throughput    int32
	SnapshotID          string
	InstanceID          string
	Device              string // "/dev/xvda"
	DeleteOnTermination bool
	Created             time.Time
	AttachedAt          time.Time
	Tags                Tags
	State               string // "in-use", "available"
}

func (r *Volume) region() string { return r.Region }

// Parameter is an SSM parameter.
type Parameter struct {
	Region, Name   string // Name with its leading slash when hierarchical
	Type, Value    string
	DataType       string
	Description    string
	Tier           string
	AllowedPattern string
	Version        int64
	Modified       time.Time
	Tags           Tags
}

func (r *Parameter) region() string { return r.Region }
