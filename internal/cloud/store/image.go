package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids. ImagesByName finds "region/name".
var (
	Images       = newTable("images", func(r *Image) string { return r.ID }, (*Image).region)
	ImagesByName = Images.indexBy("name", func(r *Image) string { return r.Region.Key(r.Name) })
	Snapshots    = newTable("snapshots", func(r *Snapshot) string { return r.ID }, (*Snapshot).region)
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
	SnapshotID            string        // of the root volume
	RootVolumeType        string        // "gp3"
	RootDevice            string        // "/dev/xvda"
	Volumes               []ImageVolume // besides the root volume
	Architecture          string
	Created               time.Time
	Tags                  Tags
	DeprecateAt           time.Time // from then on others find it by its ID alone; zero: never
	Protection            ImageProtection
	Disabled              bool      // nobody can launch instances of it
	AvailableAt           time.Time // it is pending at least until then
	State                 string    // observed: "pending", "available", "failed"
	StateReason           string
}

func (r *Image) region() identity.Region { return r.Region }

// ImageProtection protects an image from deregistration.
type ImageProtection struct {
	Enabled  bool
	Cooldown bool      // it lasts a day longer than it is enabled
	Until    time.Time // of the cooldown; zero: none
}

// ImageVolume is a volume that instances of an image get.
type ImageVolume struct {
	Device, SnapshotID  string
	Shape               VolumeShape
	DeleteOnTermination bool
}

// Snapshot is the content of a volume at one moment: of a root volume as a stack of layers, of any
// other as a file.
type Snapshot struct {
	ID, VolumeID, Description string
	Region                    identity.Region
	Owner                     string
	Public                    bool     // every account may create volumes of it
	Users                     []string // accounts that may create volumes of it
	SizeGiB                   int32
	Layers                    []string // bottom first; empty until the disk was captured or the base built
	InFile                    bool     // it is of a volume whose content is a file
	CopyOf                    string   // the snapshot whose file it copies; "": its volume's
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
