package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateImage requests an image of an instance's volumes. The image is pending until the images
// loop has saved the root volume, and the volumes loop the others.
func (a *API) CreateImage(ctx context.Context, in *ec2.CreateImageInput) (*ec2.CreateImageOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}, parameter{"name", in.Name}); err != nil {
		return nil, err
	}
	if err := checkImageName(*in.Name); err != nil {
		return nil, err
	}
	if err := supportOnly(in, append(
		imageMappingParameters(), "DryRun", "InstanceId", "Name", "Description", "NoReboot", "TagSpecifications",
		"SnapshotLocation=regional",
	)...); err != nil {
		return nil, err
	}
	given, err := readMappings(in.BlockDeviceMappings)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeImage, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateImageOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if row.State != store.Running && row.State != store.Stopped {
			return wire.Errorf("IncorrectState", "Instance '%s' is not 'running' or 'stopped'", row.ID)
		}
		if err := checkImageNameUnused(tx, region, *in.Name); err != nil {
			return err
		}
		root := &store.Volume{SizeGiB: 8, DeleteOnTermination: true}
		if volume, ok := store.Volumes.Get(tx, row.RootVolumeID); ok {
			root = volume
		}
		image := a.imageOf(tx, row, root)
		image.Name, image.Description = *in.Name, aws.ToString(in.Description)
		image.NoReboot, image.Tags = aws.ToBool(in.NoReboot), tags[types.ResourceTypeImage]
		if err := a.addImageVolumes(tx, row, image, given, tags[types.ResourceTypeSnapshot]); err != nil {
			return err
		}
		store.Snapshots.Put(tx, &store.Snapshot{
			ID:          image.SnapshotID,
			Region:      region,
			VolumeID:    row.RootVolumeID,
			Owner:       region.Account(),
			SizeGiB:     root.SizeGiB,
			Encrypted:   root.Encrypted,
			KeyARN:      root.KeyARN,
			Started:     a.Now(),
			CompletesAt: image.AvailableAt,
			Description: "Created by CreateImage(" + row.ID + ") for " + image.ID,
			Tags:        tags[types.ResourceTypeSnapshot],
			State:       "pending",
			Progress:    "0%",
		})
		store.Images.Put(tx, image)
		out.ImageId = aws.String(image.ID)
		return nil
	})
}

// imageMappingParameters returns the parameters of the volumes of images that the local cloud supports.
func imageMappingParameters() []string {
	const mapping, ebs = "BlockDeviceMappings.", "BlockDeviceMappings.Ebs."
	return []string{
		mapping + "DeviceName", mapping + "VirtualName", mapping + "NoDevice", ebs + "SnapshotId", ebs + "VolumeSize",
		ebs + "VolumeType", ebs + "DeleteOnTermination", ebs + "Iops", ebs + "Throughput", ebs + "Encrypted",
	}
}

// imageOf returns a pending image of an instance with a root volume.
func (a *API) imageOf(r store.Reader, instance *store.Instance, root *store.Volume) *store.Image {
	image := &store.Image{
		ID:               a.ids.ID("ami-"),
		Region:           instance.Region,
		Owner:            instance.Region.Account(),
		SourceInstanceID: instance.ID,
		SnapshotID:       a.ids.ID("snap-"),
		RootVolumeType:   cmp.Or(root.Type, string(types.VolumeTypeGp3)),
		RootIOPS:         root.IOPS,
		RootThroughput:   root.Throughput,
		KeepRoot:         !root.DeleteOnTermination,
		RootDevice:       rootDeviceOf(r, instance),
		Traits:           instance.Traits,
		Architecture:     string(instancetype.ArchitectureOf(instance.Type)),
		Created:          a.Now(),
		State:            "pending",
	}
	image.AvailableAt = a.Manners.Until(a.Now(), manners.CreateImage, image.ID)
	return image
}

// addImageVolumes adds the volumes besides the root volume to an image of an instance: those of the
// instance, with snapshots that the volumes loop takes, and those that a request gives. A request can
// leave out a volume of the instance, and change whether it is deleted on termination (Amazon EC2 API
// Reference, CreateImage: the only option that can be changed for existing mappings).
func (a *API) addImageVolumes(
	tx *store.Tx, instance *store.Instance, image *store.Image, given map[string]types.BlockDeviceMapping,
	tags store.Tags,
) error {
	for _, volume := range disksOf(tx, instance) {
		m, changed := given[volume.Device]
		delete(given, volume.Device)
		switch {
		case changed && volume.ID == instance.RootVolumeID:
			if err := changeRoot(image, volume, m); err != nil {
				return err
			}
			continue
		case volume.ID == instance.RootVolumeID || changed && m.Ebs == nil && m.VirtualName == nil:
			continue
		case changed && m.VirtualName != nil:
			image.Volumes = append(image.Volumes, imageVolume(m))
			continue
		}
		v := store.ImageVolume{
			Device: volume.Device, Shape: shapeOf(volume), DeleteOnTermination: volume.DeleteOnTermination,
		}
		if changed {
			if err := changeVolume(&v, volume, m.Ebs); err != nil {
				return err
			}
		}
		snapshot := a.newSnapshot(volume, "Created by CreateImage("+instance.ID+") for "+image.ID, image.AvailableAt)
		snapshot.Tags, v.SnapshotID = tags, snapshot.ID
		store.Snapshots.Put(tx, snapshot)
		image.Volumes = append(image.Volumes, v)
	}
	return a.addGivenVolumes(tx, image, given)
}

// changeRoot changes what instances of an image get as a root volume.
func changeRoot(image *store.Image, root *store.Volume, m types.BlockDeviceMapping) error {
	if m.Ebs == nil {
		return wire.Errorf("InvalidBlockDeviceMapping",
			"The root device %s of an image must be an EBS volume.", root.Device)
	}
	v := store.ImageVolume{Shape: shapeOf(root), DeleteOnTermination: root.DeleteOnTermination}
	if err := changeVolume(&v, root, m.Ebs); err != nil {
		return err
	}
	image.KeepRoot = !v.DeleteOnTermination
	return nil
}

// changeVolume changes what instances of an image get for a volume of its instance.
func changeVolume(v *store.ImageVolume, volume *store.Volume, ebs *types.EbsBlockDevice) error {
	switch {
	case ebs.VolumeSize != nil && *ebs.VolumeSize != volume.SizeGiB:
		return wire.Errorf("InvalidBlockDeviceMapping", "The size of the volume at %s cannot be changed: it is %d GiB.",
			volume.Device, volume.SizeGiB)
	case ebs.Encrypted != nil && *ebs.Encrypted != volume.Encrypted:
		return wire.Errorf("InvalidBlockDeviceMapping", "the encrypted flag cannot be specified since device %s has a "+
			"snapshot specified.", volume.Device)
	case aws.ToString(ebs.SnapshotId) != "":
		return wire.Errorf("InvalidBlockDeviceMapping", "The snapshot of the volume at %s cannot be specified.",
			volume.Device)
	case ebs.VolumeType != "" && string(ebs.VolumeType) != v.Shape.Type,
		ebs.Iops != nil && *ebs.Iops != v.Shape.IOPS, ebs.Throughput != nil && *ebs.Throughput != v.Shape.Throughput:
		return wire.Errorf("InvalidBlockDeviceMapping", "The type and the performance of the volume at %s cannot be "+
			"changed: modify the volume first.", volume.Device)
	}
	if ebs.DeleteOnTermination != nil {
		v.DeleteOnTermination = *ebs.DeleteOnTermination
	}
	return nil
}
