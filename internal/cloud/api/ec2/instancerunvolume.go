package ec2

import (
	"cmp"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// resolveVolumes reads the block device mappings: that of the root volume, and those of others, which the
// image may have too.
func (l *launch) resolveVolumes(r store.Reader) error {
	seen := map[string]bool{}
	root := &types.EbsBlockDevice{}
	for _, mapping := range withImageVolumes(r, l.image, l.in.BlockDeviceMappings) {
		name := aws.ToString(mapping.DeviceName)
		switch {
		case mapping.Ebs == nil && name != l.image.RootDevice && isWithoutVolume(mapping):
			continue
		case mapping.Ebs == nil:
			return unsupported(map[string]bool{"blockDeviceMapping: " + name: true})
		case seen[name]:
			return wire.Errorf("InvalidBlockDeviceMapping",
				"The device '%s' is used in more than one block-device mapping", name)
		}
		seen[name] = true
		if name == l.image.RootDevice {
			root = mapping.Ebs
			continue
		}
		if !deviceNames.MatchString(name) {
			return wire.Errorf("InvalidBlockDeviceMapping", "Invalid device name %s", name)
		}
		l.volumes = append(l.volumes, mapping)
	}
	return l.resolveRootVolume(root)
}

// isWithoutVolume reports whether a mapping takes a device of the image away, or names an instance
// store volume. No machine has those, and EC2 ignores mappings of volumes that a type does not have
// (Amazon EC2 User Guide, Block device mappings).
func isWithoutVolume(mapping types.BlockDeviceMapping) bool {
	return mapping.NoDevice != nil || instanceStore.MatchString(aws.ToString(mapping.VirtualName))
}

// instanceStore matches the names of instance store volumes.
var instanceStore = regexp.MustCompile(`^ephemeral[0-9]{1,2}$`)

// resolveRootVolume reads what a launch asks for its root volume, which has the content of the
// image's snapshot. That it is encrypted is recorded, as with every volume.
func (l *launch) resolveRootVolume(ebs *types.EbsBlockDevice) error {
	id := aws.ToString(ebs.SnapshotId)
	if err := unsupported(map[string]bool{
		"blockDeviceMapping.ebs.snapshotId of the root device": id != "" && id != l.image.SnapshotID,
	}); err != nil {
		return err
	}
	size := cmp.Or(aws.ToInt32(ebs.VolumeSize), l.image.RootSizeGiB, l.snapshot.SizeGiB)
	if size < l.snapshot.SizeGiB {
		return wire.Errorf(
			"InvalidBlockDeviceMapping",
			"Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB",
			size, l.snapshot.ID, l.snapshot.SizeGiB,
		)
	}
	kind := cmp.Or(ebs.VolumeType, types.VolumeType(l.image.RootVolumeType), types.VolumeTypeGp3)
	iops, throughput := ebs.Iops, ebs.Throughput
	if kind == types.VolumeType(l.image.RootVolumeType) {
		iops = cmp.Or(iops, requestedIOPS(kind, l.image.RootIOPS))
		throughput = cmp.Or(throughput, optionalNumber(l.image.RootThroughput))
	}
	s, err := shape(kind, size, iops, throughput, false)
	if err != nil {
		return err
	}
	l.root = rootVolume{shape: s, keep: l.image.KeepRoot}
	if ebs.DeleteOnTermination != nil {
		l.root.keep = !*ebs.DeleteOnTermination
	}
	l.root.encrypted, l.root.keyARN, err = encryption(l.setting, l.snapshot, ebs.Encrypted, ebs.KmsKeyId)
	return err
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
		row.Attach(instance.ID, *mapping.DeviceName, freeDevice(tx, instance.ID), instance.LaunchTime)
		row.DeleteOnTermination = ebs.DeleteOnTermination == nil || *ebs.DeleteOnTermination
		store.Volumes.Put(tx, row)
	}
	return nil
}
