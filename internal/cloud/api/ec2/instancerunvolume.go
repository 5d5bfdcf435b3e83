package ec2

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// resolveVolumes reads the block device mappings: that of the root volume, and those of others, which the
// image may have too.
func (l *launch) resolveVolumes(r store.Reader) error {
	l.sizeGiB, l.volumeType = l.snapshot.SizeGiB, "gp3"
	seen := map[string]bool{}
	for _, mapping := range withImageVolumes(r, l.image, l.in.BlockDeviceMappings) {
		name := aws.ToString(mapping.DeviceName)
		switch {
		case mapping.Ebs == nil:
			return unsupported(map[string]bool{"blockDeviceMapping: " + name: true})
		case seen[name]:
			return wire.Errorf("InvalidBlockDeviceMapping",
				"The device '%s' is used in more than one block-device mapping", name)
		}
		seen[name] = true
		if name == l.image.RootDevice {
			if err := l.resolveRootVolume(mapping.Ebs); err != nil {
				return err
			}
			continue
		}
		if err := checkDevice(name); err != nil {
			return err
		}
		l.volumes = append(l.volumes, mapping)
	}
	return nil
}

// resolveRootVolume reads the block device mapping of the root volume.
func (l *launch) resolveRootVolume(ebs *types.EbsBlockDevice) error {
	if err := unsupported(map[string]bool{
		"blockDeviceMapping.ebs.snapshotId of the root device": aws.ToString(ebs.SnapshotId) != "",
		"blockDeviceMapping.ebs.iops of the root device":       ebs.Iops != nil,
		"blockDeviceMapping.ebs.throughput of the root device": ebs.Throughput != nil,
		"blockDeviceMapping.ebs.encrypted of the root device":  aws.ToBool(ebs.Encrypted),
		"blockDeviceMapping.ebs.kmsKeyId of the root device":   aws.ToString(ebs.KmsKeyId) != "",
	}); err != nil {
		return err
	}
	if size := aws.ToInt32(ebs.VolumeSize); size != 0 {
		if size < l.snapshot.SizeGiB {
			return wire.Errorf(
				"InvalidBlockDeviceMapping",
				"Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB",
				size, l.snapshot.ID, l.snapshot.SizeGiB,
			)
		}
		l.sizeGiB = size
	}
	l.volumeType = cmp.Or(string(ebs.VolumeType), l.volumeType)
	l.keepRoot = ebs.DeleteOnTermination != nil && !*ebs.DeleteOnTermination
	return nil
}

// launchVolumes stores the volumes of a launched instance besides its root volume.
func (a *API) launchVolumes(tx *store.Tx, l *launch, instance *store.Instance) error {
	if len(l.volumes)+1+len(instance.InterfaceIDs) > maxAttachments {
		return attachmentLimit()
	}
	for _, mapping := range l.volumes {
		ebs := mapping.Ebs
		row, err := a.newVolume(tx, instance.Region, &ec2.CreateVolumeInput{
			AvailabilityZone: &instance.Zone, Size: ebs.VolumeSize, SnapshotId: ebs.SnapshotId,
			VolumeType: ebs.VolumeType, Iops: ebs.Iops, Throughput: ebs.Throughput, Encrypted: ebs.Encrypted,
			KmsKeyId: ebs.KmsKeyId,
		})
		if err != nil {
			return err
		}
		row.Tags = l.tags[types.ResourceTypeVolume]
		row.Attach(instance.ID, *mapping.DeviceName, freeDevice(tx, instance.ID), a.Now())
		row.DeleteOnTermination = ebs.DeleteOnTermination == nil || *ebs.DeleteOnTermination
		store.Volumes.Put(tx, row)
	}
	return nil
}
