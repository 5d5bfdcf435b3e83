package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	Volumes           = newTable("volumes", func(r *Volume) string { return r.ID }, (*Volume).region)
	VolumesByInstance = Volumes.indexBy("instance", func(r *Volume) string { return r.InstanceID })
)

// States of volumes (Amazon EC2 API Reference, Volume).
const (
	VolumeCreating  = "creating"
	VolumeAvailable = "available"
	VolumeInUse     = "in-use"
	VolumeError     = "error"
)

// States of a volume's attachment (Amazon EC2 API Reference, VolumeAttachment).
const (
	Attaching = "attaching"
	Attached  = "attached"
	Detaching = "detaching"
	Busy      = "busy" // detaching, and in use by its instance
)

// Volume is a disk: an instance's root volume, which is the disk of its machine, or a block device
// whose content is a file of the host. API handlers attach a volume with Attach, and detach it with
// the states of its attachment; the loops write all other states.
type Volume struct {
	ID, Zone            string
	Region              identity.Region
	SizeGiB             int32
	Type                string // "gp3"
	IOPS, Throughput    int32
	SnapshotID          string
	InstanceID          string
	Device              string // "/dev/xvda"
	NVMe                int    // number of the device in its instance: 1 for /dev/nvme1n1; zero: it is a root volume
	DeleteOnTermination bool
	ForceDetach         bool // detach it although its instance uses it
	Created             time.Time
	AttachedAt          time.Time
	Encrypted           bool
	KeyARN              string // of the encryption; "": none
	MultiAttach         bool
	AutoEnableIO        bool
	Tags                Tags

	// Observed.
	State       string // VolumeCreating and so on
	Attachment  string // Attaching and so on; "": not attached, or a root volume
	FileGiB     int32  // size of the file with its content; zero: it has none
	StateReason string // why it has the state VolumeError
}

func (r *Volume) region() identity.Region { return r.Region }

// Attach attaches the volume to an instance as a device. The loops do it for what is a block device.
func (r *Volume) Attach(instance, device string, nvme int, now time.Time) {
	r.InstanceID, r.Device, r.NVMe, r.AttachedAt = instance, device, nvme, now
	r.Attachment = Attaching
	if r.State == VolumeAvailable {
		r.State = VolumeInUse
	}
}

// Detached records that the volume is attached to nothing.
func (r *Volume) Detached() {
	r.InstanceID, r.Device, r.NVMe, r.Attachment, r.AttachedAt = "", "", 0, "", time.Time{}
	r.DeleteOnTermination, r.ForceDetach = false, false
	if r.State != VolumeCreating && r.State != VolumeError {
		r.State = VolumeAvailable
	}
}
