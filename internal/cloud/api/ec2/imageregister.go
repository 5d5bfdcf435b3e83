package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// defaultRootDevice is the root device of an image whose registration names none.
const defaultRootDevice = "/dev/sda1"

// RegisterImage makes an image from snapshots of a root volume and of other volumes. The image is
// available at once. A paravirtual image, which is AWS's default, can be registered but not launched:
// on AWS, too, no current instance type runs one.
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
	if err := supportOnly(in, append(
		imageMappingParameters(), "DryRun", "Name", "Description", "Architecture", "RootDeviceName", "EnaSupport",
		"TagSpecifications", "VirtualizationType", "SriovNetSupport", "BootMode", "TpmSupport", "ImdsSupport",
	)...); err != nil {
		return nil, err
	}
	traits, err := traitsOf(in)
	if err != nil {
		return nil, err
	}
	given, err := readMappings(in.BlockDeviceMappings)
	if err != nil {
		return nil, err
	}
	device := cmp.Or(aws.ToString(in.RootDeviceName), defaultRootDevice)
	root := given[device].Ebs
	if err := checkRootMapping(device, root); err != nil {
		return nil, err
	}
	delete(given, device)
	out := &ec2.RegisterImageOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if err := checkImageNameUnused(tx, region, *in.Name); err != nil {
			return err
		}
		if _, err := checkImageSnapshot(tx, region, root); err != nil {
			return err
		}
		image := &store.Image{
			ID:             a.ids.ID("ami-"),
			Region:         region,
			Name:           *in.Name,
			Description:    aws.ToString(in.Description),
			Owner:          region.Account(),
			SnapshotID:     *root.SnapshotId,
			RootVolumeType: string(cmp.Or(root.VolumeType, types.VolumeTypeGp2)),
			RootSizeGiB:    aws.ToInt32(root.VolumeSize),
			RootIOPS:       aws.ToInt32(root.Iops),
			RootThroughput: aws.ToInt32(root.Throughput),
			KeepRoot:       root.DeleteOnTermination != nil && !*root.DeleteOnTermination,
			RootDevice:     device,
			Architecture:   string(cmp.Or(in.Architecture, types.ArchitectureValuesI386)),
			Traits:         traits,
			Created:        a.Now(),
			Tags:           tags[types.ResourceTypeImage],
			State:          "available",
		}
		if err := a.addGivenVolumes(tx, image, given); err != nil {
			return err
		}
		store.Images.Put(tx, image)
		out.ImageId = aws.String(image.ID)
		return nil
	})
}

// checkRootMapping refuses a root volume that has no snapshot. device is its name.
func checkRootMapping(device string, root *types.EbsBlockDevice) error {
	switch {
	case root == nil || aws.ToString(root.SnapshotId) == "" && root.VolumeSize != nil:
		return wire.Errorf("InvalidBlockDeviceMapping", "No root snapshot specified in device mapping.")
	case aws.ToString(root.SnapshotId) == "":
		return noContent(device)
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
