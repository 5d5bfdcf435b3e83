package ec2

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AttachVolume attaches a volume to an instance of its zone.
func (a *API) AttachVolume(ctx context.Context, in *ec2.AttachVolumeInput) (*ec2.AttachVolumeOutput, error) {
	if err := a.simulatedOnly("AttachVolume"); err != nil {
		return nil, err
	}
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
			row.InstanceID, row.Device, row.State = instance.ID, *in.Device, string(types.VolumeStateInUse)
			row.AttachedAt, row.DeleteOnTermination = a.Now().UTC(), false
		})
		volume, _ = store.Volumes.Get(tx, volume.ID)
		*out = ec2.AttachVolumeOutput{
			VolumeId: in.VolumeId, InstanceId: in.InstanceId, Device: in.Device, AttachTime: &volume.AttachedAt,
			State: types.VolumeAttachmentStateAttaching, DeleteOnTermination: aws.Bool(false),
		}
		return nil
	})
}

// checkAttach refuses to attach a volume that is attached, and what an instance cannot have.
func checkAttach(r store.Reader, volume *store.Volume, instance *store.Instance, device string) error {
	used := slices.ContainsFunc(store.VolumesByInstance.List(r, instance.ID), func(other *store.Volume) bool {
		return other.Device == device
	})
	switch {
	case volume.InstanceID != "":
		return wire.Errorf("VolumeInUse", "%s is already attached to an instance", volume.ID)
	case instance.State != store.Running && instance.State != store.Stopped:
		return wire.Errorf("IncorrectState", "Instance '%s' is not 'running'.", instance.ID)
	case volume.Zone != instance.Zone:
		return wire.Errorf("InvalidVolume.ZoneMismatch",
			"The volume '%s' is not in the same availability zone as instance '%s'", volume.ID, instance.ID)
	case used:
		return wire.Errorf("InvalidParameterValue",
			"Invalid value '%s' for unixDevice. Attachment point %s is already in use", device, device)
	}
	return nil
}

// DetachVolume detaches a volume from its instance. A root volume stays.
func (a *API) DetachVolume(ctx context.Context, in *ec2.DetachVolumeInput) (*ec2.DetachVolumeOutput, error) {
	if err := a.simulatedOnly("DetachVolume"); err != nil {
		return nil, err
	}
	if err := required(parameter{"volumeId", in.VolumeId}); err != nil {
		return nil, err
	}
	// Force skips the operating system. A simulated machine has none.
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
			row.InstanceID, row.Device, row.State = "", "", string(types.VolumeStateAvailable)
			row.AttachedAt, row.DeleteOnTermination = time.Time{}, false
		})
		return nil
	})
}
