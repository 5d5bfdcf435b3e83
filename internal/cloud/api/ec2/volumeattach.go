package ec2

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AttachVolume attaches a volume to an instance of its zone.
func (a *API) AttachVolume(ctx context.Context, in *ec2.AttachVolumeInput) (*ec2.AttachVolumeOutput, error) {
	if err := required(
		parameter{"volumeId", in.VolumeId}, parameter{"instanceId", in.InstanceId}, parameter{"device", in.Device},
	); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "DryRun", "VolumeId", "InstanceId", "Device"); err != nil {
		return nil, err
	}
	out := &ec2.AttachVolumeOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		volume, err := volumes.get(tx, region, *in.VolumeId)
		if err != nil {
			return err
		}
		instance, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if err := checkAttach(tx, volume, instance, *in.Device); err != nil {
			return err
		}
		store.Volumes.Edit(tx, volume.ID, func(row *store.Volume) {
			row.Attach(instance.ID, *in.Device, freeDevice(tx, instance.ID), a.Now().UTC())
		})
		volume, _ = store.Volumes.Get(tx, volume.ID)
		*out = ec2.AttachVolumeOutput{
			VolumeId: in.VolumeId, InstanceId: in.InstanceId, Device: in.Device, AttachTime: &volume.AttachedAt,
			State: types.VolumeAttachmentStateAttaching, DeleteOnTermination: aws.Bool(false),
		}
		return nil
	})
}

// maxAttachments is how many volumes and network interfaces most instances can have together
// (Amazon EC2 User Guide, "Amazon EBS volume limits for Amazon EC2 instances").
const maxAttachments = 28

func attachmentLimit() error {
	return wire.Errorf("AttachmentLimitExceeded", "You've reached the limit on the number of Amazon EBS volumes or "+
		"network interfaces that can be attached to a single instance.")
}

// deviceNames are the names of devices that volumes can have (Amazon EC2 User Guide, "Device names
// for volumes on Amazon EC2 instances").
var deviceNames = regexp.MustCompile(`^(/dev/)?(sd[a-z]|sda1|xvd[a-z]|xvd[b-d][a-z])$`)

// checkDevice refuses a name that no device can have.
func checkDevice(name string) error {
	if deviceNames.MatchString(name) {
		return nil
	}
	return wire.Errorf("InvalidParameterValue",
		"Value (%s) for parameter device is invalid. %s is not a valid EBS device name.", name, name)
}

// freeDevice returns the lowest number of a device that no volume of the instance has.
func freeDevice(r store.Reader, instance string) int {
	used := map[int]bool{}
	for _, row := range store.VolumesByInstance.List(r, instance) {
		used[row.NVMe] = true
	}
	number := 1 // the root volume has /dev/nvme0n1
	for used[number] {
		number++
	}
	return number
}

// checkAttach refuses to attach a volume that is attached, and what an instance cannot have.
func checkAttach(r store.Reader, volume *store.Volume, instance *store.Instance, device string) error {
	attached := store.VolumesByInstance.List(r, instance.ID)
	used := slices.ContainsFunc(attached, func(other *store.Volume) bool {
		return strings.TrimPrefix(other.Device, "/dev/") == strings.TrimPrefix(device, "/dev/")
	})
	if err := checkDevice(device); err != nil {
		return err
	}
	switch {
	case volume.InstanceID != "":
		return wire.Errorf("VolumeInUse", "%s is already attached to an instance", volume.ID)
	case volume.State != store.VolumeAvailable:
		return wire.Errorf("IncorrectState", "%s is not 'available'.", volume.ID)
	case volume.FileGiB == 0:
		return wire.NotImplemented("ec2:AttachVolume of a root volume, which outlived its instance without its content")
	case instance.State != store.Running && instance.State != store.Stopped:
		return wire.Errorf("IncorrectState", "Instance '%s' is not 'running'.", instance.ID)
	case volume.Zone != instance.Zone:
		return wire.Errorf("InvalidVolume.ZoneMismatch",
			"The volume '%s' is not in the same availability zone as instance '%s'", volume.ID, instance.ID)
	case len(attached)+len(instance.InterfaceIDs) >= maxAttachments:
		return attachmentLimit()
	case used:
		return wire.Errorf("InvalidParameterValue",
			"Invalid value '%s' for unixDevice. Attachment point %s is already in use", device, device)
	}
	return nil
}

// DetachVolume detaches a volume from its instance. A root volume stays.
func (a *API) DetachVolume(ctx context.Context, in *ec2.DetachVolumeInput) (*ec2.DetachVolumeOutput, error) {
	if err := required(parameter{"volumeId", in.VolumeId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "DryRun", "VolumeId", "InstanceId", "Device", "Force"); err != nil {
		return nil, err
	}
	out := &ec2.DetachVolumeOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := volumes.get(tx, region, *in.VolumeId)
		if err != nil {
			return err
		}
		instance, device := aws.ToString(in.InstanceId), aws.ToString(in.Device)
		switch {
		case row.InstanceID == "":
			return wire.Errorf("IncorrectState", "Volume '%s' is in the 'available' state.", row.ID)
		case instance != "" && instance != row.InstanceID, device != "" && device != row.Device:
			return wire.Errorf("InvalidAttachment.NotFound",
				"Volume '%s' is not attached to instance '%s' as device '%s'.", row.ID, instance, device)
		}
		if of, ok := store.Instances.Get(tx, row.InstanceID); ok && of.RootVolumeID == row.ID {
			return wire.Errorf("OperationNotPermitted",
				"Unable to detach root volume '%s' from instance '%s'", row.Device, row.InstanceID)
		}
		*out = ec2.DetachVolumeOutput{
			VolumeId: aws.String(row.ID), InstanceId: aws.String(row.InstanceID), Device: aws.String(row.Device),
			AttachTime: &row.AttachedAt, State: types.VolumeAttachmentStateDetaching,
			DeleteOnTermination: aws.Bool(row.DeleteOnTermination),
		}
		store.Volumes.Edit(tx, row.ID, func(row *store.Volume) {
			row.ForceDetach = row.ForceDetach || aws.ToBool(in.Force)
			if row.Attachment != store.Busy {
				row.Attachment = store.Detaching
			}
		})
		return nil
	})
}
