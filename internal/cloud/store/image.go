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
	Base                  string   // name of a public image's base image, "debian-12", or of one that a copy waits for
	SourceInstanceID      string
	SourceImageID         string // of a copy, if known; with its region
	SourceRegion          string // "us-east-1"
	NoReboot              bool
	SnapshotID            string        // of the root volume
	RootVolumeType        string        // "gp3"
	RootSizeGiB           int32         // zero: that of the snapshot
	RootIOPS              int32         // zero: those of the type
	RootThroughput        int32         // in MiB/s; zero: that of the type
	KeepRoot              bool          // after the termination of an instance
	RootDevice            string        // "/dev/xvda"
	Volumes               []ImageVolume // besides the root volume
	Architecture          string
	Traits                ImageTraits
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

// IsBase reports whether the image is the public image of a base image, not a copy that waits for one.
func (r *Image) IsBase() bool { return r.Base != "" && r.SourceImageID == "" }

// ImageTraits describe the software of an image. Its instances have the traits that it had when
// they were launched.
type ImageTraits struct {
	Virtualization string // "paravirtual"; "": "hvm"
	NoENA          bool   // without the driver of the Elastic Network Adapter
	SRIOV          string // "simple"; "": none
	BootMode       string // "uefi"; "": none
	TPM            string // "v2.0"; "": none
	IMDS           string // "v2.0": instances require it; "": they do not
}

// ImageProtection protects an image from deregistration.
type ImageProtection struct {
	Enabled  bool
	Cooldown bool      // it lasts a day longer than it is enabled
	Until    time.Time // of the cooldown; zero: none
}

// ImageVolume is a volume that instances of an image get.
type ImageVolume struct {
	Device, SnapshotID  string // without a snapshot the volume is empty
	Shape               VolumeShape
	DeleteOnTermination bool
	Encrypted           bool   // an empty volume is; a snapshot decides for its own
	VirtualName         string // "ephemeral0": the device is an instance store volume, which no instance has
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
