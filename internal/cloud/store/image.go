package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids. ImagesByName finds "region/name".
var (
	Images            = newTable("images", func(r *Image) string { return r.ID }, (*Image).region)
	ImagesByName      = Images.indexBy("name", func(r *Image) string { return r.Region.Key(r.Name) })
	Snapshots         = newTable("snapshots", func(r *Snapshot) string { return r.ID }, (*Snapshot).region)
	Volumes           = newTable("volumes", func(r *Volume) string { return r.ID }, (*Volume).region)
	VolumesByInstance = Volumes.indexBy("instance", func(r *Volume) string { return r.InstanceID })
)

// Image is an AMI. Public images belong to "amazon" and exist in every region.
type Image struct {
	ID, Name, Description string
	Region                identity.Region
	Owner, OwnerAlias     string
	Public                bool
	Users                 []string // accounts that may launch instances of it
	Base                  string   // name of a public image's base image: "debian-12"
	SourceInstanceID      string
	NoReboot              bool
	SnapshotID            string // of the root volume
	RootVolumeType        string // "gp3"
	RootDevice            string // "/dev/xvda"
	Architecture          string
	Created               time.Time
	Tags                  Tags
	AvailableAt           time.Time // it is pending at least until then
	State                 string    // observed: "pending", "available", "failed"
	StateReason           string
}

func (r *Image) region() identity.Region { return r.Region }

// Snapshot is the content of a volume at one moment, as a stack of layers.
type Snapshot struct {
	ID, VolumeID, Description string
	Region                    identity.Region
	Owner                     string
	Public                    bool     // every account may create volumes of it
	Users                     []string // accounts that may create volumes of it
	SizeGiB                   int32
	Layers                    []string // bottom first; empty until the disk was captured or the base built
	Started                   time.Time
	CompletesAt               time.Time // it is pending at least until then
	Tags                      Tags
	Encrypted                 bool
	KeyARN                    string // of the encryption; "": none
	State                     string // observed: "pending", "completed", "error"
	StateMessage              string // why the snapshot failed
	Progress                  string // "100%"
}

func (r *Snapshot) region() identity.Region { return r.Region }

// Volume is a disk: an instance's root volume, or on a simulated local cloud any other.
type Volume struct {
	ID, Zone            string
	Region              identity.Region
	SizeGiB             int32
	Type                string // "gp3"
	IOPS, Throughput    int32
	SnapshotID          string
	InstanceID          string
	Device              string // "/dev/xvda"
	DeleteOnTermination bool
	Created             time.Time
	AttachedAt          time.Time
	Encrypted           bool
	KeyARN              string // of the encryption; "": none
	MultiAttach         bool
	AutoEnableIO        bool
	Tags                Tags
	State               string // "in-use", "available"
}

func (r *Volume) region() identity.Region { return r.Region }
