package store

import "time"

// The keys are ids. ImagesByName finds "region/name".
var (
	Images            = newTable("images", func(r *Image) string { return r.ID }, (*Image).region)
	ImagesByName      = Images.indexBy("name", func(r *Image) string { return regional(r.Region, r.Name) })
	Snapshots         = newTable("snapshots", func(r *Snapshot) string { return r.ID }, (*Snapshot).region)
	Volumes           = newTable("volumes", func(r *Volume) string { return r.ID }, (*Volume).region)
	VolumesByInstance = Volumes.indexBy("instance", func(r *Volume) string { return r.InstanceID })
)

// Image is an AMI. Public images belong to "amazon" and exist in every region.
type Image struct {
	ID, Region, Name, Description string
	Owner, OwnerAlias             string
	Public                        bool
	Base                          string // name of a public image's base image: "debian-12"
	SourceInstanceID              string
	NoReboot                      bool
	SnapshotID                    string // of the root volume
	RootVolumeType                string // "gp3"
	RootDevice                    string // "/dev/xvda"
	Architecture                  string
	Created                       time.Time
	Tags                          Tags
	AvailableAt                   time.Time // it is pending at least until then
	State                         string    // observed: "pending", "available", "failed"
	StateReason                   string
}

func (r *Image) region() string { return r.Region }

// Snapshot is the content of a volume at one moment, as a stack of layers.
type Snapshot struct {
	ID, Region, VolumeID, Description string
	Owner                             string
	SizeGiB                           int32
	Layers                            []string // bottom first; empty until the disk was captured or the base built
	Started                           time.Time
	CompletesAt                       time.Time // it is pending at least until then
	Tags                              Tags
	Encrypted                         bool
	KeyARN                            string // of the encryption; "": none
	State                             string // observed: "pending", "completed", "error"
	StateMessage                      string // why the snapshot failed
	Progress                          string // "100%"
}

func (r *Snapshot) region() string { return r.Region }

// Volume is a disk: an instance's root volume, or on a simulated local cloud any other.
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
	Encrypted           bool
	KeyARN              string // of the encryption; "": none
	MultiAttach         bool
	AutoEnableIO        bool
	Tags                Tags
	State               string // "in-use", "available"
}

func (r *Volume) region() string { return r.Region }
