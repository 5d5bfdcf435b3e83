package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// defaultRootDevice is the root device of an image whose registration names none.
const defaultRootDevice = "/dev/sda1"

// RegisterImage makes an image of a snapshot of a root volume. The image is available at
// once. All machines of the local cloud are of the kind that AWS calls hvm, with ENA, so
// requests for another kind, which is also AWS's default, are refused.
func (a *API) RegisterImage(ctx context.Context, in *ec2.RegisterImageInput) (*ec2.RegisterImageOutput, error) {
	if err := required(parameter{"name", in.Name}); err != nil {
		return nil, err
	}
	if err := checkImageName(*in.Name); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeImage)
	if err != nil {
		return nil, err
	}
	root, err := rootOfRegistration(in)
	if err != nil {
		return nil, err
	}
	if err := checkRegistration(in); err != nil {
		return nil, err
	}
	out := &ec2.RegisterImageOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if err := checkImageNameUnused(tx, region, *in.Name); err != nil {
			return err
		}
		if err := checkRegisteredSnapshot(tx, region, root.Ebs); err != nil {
			return err
		}
		image := &store.Image{
			ID:             a.ids.ID("ami-"),
			Region:         region,
			Name:           *in.Name,
			Description:    aws.ToString(in.Description),
			Owner:          region.Account(),
			SnapshotID:     *root.Ebs.SnapshotId,
			RootVolumeType: string(root.Ebs.VolumeType),
			RootDevice:     *root.DeviceName,
			Architecture:   string(in.Architecture),
			Created:        a.Now(),
			Tags:           tags[types.ResourceTypeImage],
			State:          "available",
		}
		if image.RootVolumeType == "" {
			image.RootVolumeType = string(types.VolumeTypeGp2) // Amazon EC2 API Reference, CreateVolume
		}
		store.Images.Put(tx, image)
		out.ImageId = aws.String(image.ID)
		return nil
	})
}

// checkRegistration refuses what images of the local cloud cannot have.
func checkRegistration(in *ec2.RegisterImageInput) error {
	const mapping, ebs = "BlockDeviceMappings.", "BlockDeviceMappings.Ebs."
	if err := supportOnly(
		in, "DryRun", "Name", "Description", "Architecture", "RootDeviceName", "EnaSupport", "TagSpecifications",
		"VirtualizationType", mapping+"DeviceName", ebs+"SnapshotId", ebs+"VolumeSize", ebs+"VolumeType",
		ebs+"DeleteOnTermination",
	); err != nil {
		return err
	}
	machines := []types.ArchitectureValues{types.ArchitectureValuesX8664, types.ArchitectureValuesArm64}
	if !slices.Contains(in.Architecture.Values(), in.Architecture) && in.Architecture != "" {
		return wire.Errorf("InvalidParameterValue", "Invalid value '%s' for architecture.", in.Architecture)
	}
	if !slices.Contains(machines, in.Architecture) || aws.ToString(in.VirtualizationType) != "hvm" ||
		!aws.ToBool(in.EnaSupport) {
		return wire.Errorf("UnsupportedOperation", "aloft's local cloud registers only images with architecture "+
			"x86_64 or arm64, virtualizationType hvm and enaSupport true, which are not the defaults")
	}
	return nil
}

// rootOfRegistration returns the mapping of the root device. Its device and snapshot are
// set.
func rootOfRegistration(in *ec2.RegisterImageInput) (types.BlockDeviceMapping, error) {
	device := aws.ToString(in.RootDeviceName)
	if device == "" {
		device = defaultRootDevice
	}
	var root types.BlockDeviceMapping
	for _, m := range in.BlockDeviceMappings {
		name := aws.ToString(m.DeviceName)
		switch {
		case name == "":
			return root, wire.Errorf("InvalidBlockDeviceMapping", "Missing device name")
		case m.Ebs != nil && aws.ToString(m.Ebs.SnapshotId) == "" && m.Ebs.VolumeSize == nil:
			return root, wire.Errorf("InvalidBlockDeviceMapping",
				"Either snapshot ID or volume size must be provided for: %s", name)
		case name == device:
			root = m
		}
	}
	if root.Ebs == nil || aws.ToString(root.Ebs.SnapshotId) == "" {
		return root, wire.Errorf("InvalidBlockDeviceMapping", "No root snapshot specified in device mapping.")
	}
	return root, unsupported(map[string]bool{
		"blockDeviceMapping of another device than the root device": len(in.BlockDeviceMappings) > 1,
		"blockDeviceMapping.ebs.deleteOnTermination=false": root.Ebs.DeleteOnTermination != nil &&
			!*root.Ebs.DeleteOnTermination,
		"blockDeviceMapping.ebs.encrypted": root.Ebs.Encrypted != nil,
	})
}

// checkRegisteredSnapshot returns an error unless an image can be made of a snapshot. An
// account cannot use the snapshots of public images.
func checkRegisteredSnapshot(r store.Reader, region identity.Region, ebs *types.EbsBlockDevice) error {
	if kind := ebs.VolumeType; kind != "" && !slices.Contains(kind.Values(), kind) {
		return wire.Errorf("InvalidParameterValue", "Invalid value '%s' for VolumeType.", kind)
	}
	row, err := snapshots.get(r, region, *ebs.SnapshotId)
	if err != nil {
		return err
	}
	if row.Owner != region.Account() {
		return wire.Errorf(snapshots.notFoundCode, "The snapshot '%s' does not exist.", row.ID)
	}
	if row.State != "completed" {
		return wire.Errorf("IncorrectState", "Snapshot is in invalid state - %s", row.State)
	}
	if row.InFile {
		return unsupported(map[string]bool{"blockDeviceMapping.ebs.snapshotId of another than a root volume": true})
	}
	switch size := aws.ToInt32(ebs.VolumeSize); {
	case size != 0 && size < row.SizeGiB:
		return wire.Errorf(
			"InvalidBlockDeviceMapping", "Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB",
			size, row.ID, row.SizeGiB,
		)
	case size > row.SizeGiB:
		return unsupported(map[string]bool{"blockDeviceMapping.ebs.volumeSize above the snapshot's": true})
	}
	return nil
}

// AddSnapshot adds a completed snapshot whose content came to the local cloud outside of
// AWS's API, and returns its id. layers are its content, bottom first. The region must be
// one of the local cloud.
func (a *API) AddSnapshot(
	region identity.Region, description string, sizeGiB int32, layers []string,
) (id string, err error) {
	if err := a.EnsureRegion(region); err != nil {
		return "", err
	}
	snapshot := &store.Snapshot{
		ID:          a.ids.ID("snap-"),
		Region:      region,
		VolumeID:    "vol-ffffffff", // as AWS shows it for a snapshot without a volume
		Description: description,
		Owner:       region.Account(),
		SizeGiB:     sizeGiB,
		Layers:      layers,
		Started:     a.Now(),
		State:       "completed",
		Progress:    "100%",
	}
	err = a.Store.Update(func(tx *store.Tx) error {
		store.Snapshots.Put(tx, snapshot)
		return nil
	})
	a.Store.ForgetHistory() // as if it had been there before: who added it did not call AWS
	return snapshot.ID, err
}
