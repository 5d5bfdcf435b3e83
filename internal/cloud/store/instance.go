package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Instances has ids as keys.
var Instances = newTable("instances", func(r *Instance) string { return r.ID }, (*Instance).region)

// Instance states (Amazon EC2 API Reference, InstanceState).
const (
	Pending      = "pending"
	Running      = "running"
	ShuttingDown = "shutting-down"
	Terminated   = "terminated"
	Stopping     = "stopping"
	Stopped      = "stopped"
)

// ResourceNames says which uses an instance makes of the DNS name that has its id.
type ResourceNames struct {
	Hostname bool // it is the instance's private DNS name and its machine's host name
	A, AAAA  bool // it resolves to the primary private IPv4 address, and to the IPv6 addresses
}

// Instance is an EC2 instance. API handlers write Desired, Reboots and Force, and
// acknowledge them by setting State to Pending, Stopping or ShuttingDown. The
// instances loop writes all other states and the other observed fields.
type Instance struct {
	ID, VPCID, SubnetID, Zone string
	Region                    identity.Region
	ReservationID             string
	ImageID                   string
	Type                      string // "t3.micro"
	KeyName                   string
	UserData                  string // base64, as sent
	ClientToken               string
	LaunchIndex               int32
	LaunchTime                time.Time // of the last start
	Monitoring                bool
	EBSOptimized              bool
	SourceDestCheck           bool
	DisableAPITermination     bool
	DisableAPIStop            bool
	ShutdownBehavior          string // "stop", "terminate"
	MetadataTokens            string // "optional", "required"
	MetadataEndpoint          string // "enabled", "disabled"
	MetadataHopLimit          int32
	MetadataTags              string // "enabled", "disabled"
	MetadataIPv6              bool   // the metadata service answers at its IPv6 address, too
	RootVolumeID              string
	InterfaceIDs              []string
	Traits                    ImageTraits
	Layers                    []string // image layers, bottom first, CreateImage adds one; none: not built yet
	CPUCredits                string   // burstable types: "standard", "unlimited"
	CPUCores, CPUThreads      int32    // cores, and threads of each, that the launch asked for; zero: the type's
	AutoRecovery              string   // "default", "disabled"; "": default
	Tenancy                   string   // "dedicated"; "": default
	ReservationPreference     string   // of Capacity Reservations: "open", "none"; "": open
	ResourceNames             ResourceNames
	PlacementGroupID          string // "": none
	Partition                 int32  // of its placement group; zero: none
	FleetID                   string // of the EC2 Fleet that launched it; "": none
	SpotRequestID             string // of the request for Spot Instances that it fulfils; "": it is On-Demand
	ProfileARN                string // of its instance profile; "" for none
	ProfileAssociationID      string // "iip-assoc-0123456789abcdef0"
	ProfileAssociatedAt       time.Time
	Tags                      Tags

	// SettledAt is when the change of state in progress ends at the earliest: the
	// instance is Pending, Stopping or ShuttingDown before.
	SettledAt time.Time

	Desired string // Running, Stopped or Terminated
	Force   bool   // stop without waiting for the operating system to shut down
	Reboots int    // number of reboots requested so far

	// Observed.
	State            string
	StateReasonCode  string // "Client.UserInitiatedShutdown"
	StateReason      string
	TransitionReason string // "User initiated (2026-11-23 21:00:00 GMT)"
	TerminatedAt     time.Time
	RebootsDone      int
	Reachable        bool      // reports whether the instance passes its status checks
	ImpairedSince    time.Time // its disk is read-only since then; zero if it is not
	UIDBase          uint32
	StartedBefore    bool      // it has been running: a failed start stops it instead of terminating it
	MachineStarted   time.Time // last start of its machine, by a start of the instance or of the local cloud
	CheckedAt        time.Time // its first status checks after the start are initializing before
	ConsoleAt        time.Time // its console output since the start cannot be read before
}

func (r *Instance) region() identity.Region { return r.Region }

// VCPUs returns how many vCPUs an instance has if its type has a number of them.
func (r *Instance) VCPUs(ofType int) int {
	if r.CPUCores > 0 {
		return int(r.CPUCores * r.CPUThreads)
	}
	return ofType
}
