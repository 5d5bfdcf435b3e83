package ec2

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CopyImage copies an image of the account with its snapshot, from any region. The copy
// has the same layers, and is pending until the images loop completes it.
func (a *API) CopyImage(ctx context.Context, in *ec2.CopyImageInput) (*ec2.CopyImageOutput, error) {
	if err := required(
		parameter{"sourceRegion", in.SourceRegion}, parameter{"sourceImageId", in.SourceImageId},
		parameter{"name", in.Name},
	); err != nil {
		return nil, err
	}
	if err := checkImageName(*in.Name); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "DryRun", "SourceRegion", "SourceImageId", "Name", "Description", "ClientToken", "TagSpecifications",
		"CopyImageTags", "Encrypted", "KmsKeyId",
	); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeImage, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	out := &ec2.CopyImageOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		request := tokenRequest{
			operation: "CopyImage", token: in.ClientToken, input: in, exists: rowExists(tx, store.Images),
		}
		ids, err := a.oncePerToken(tx, region, request, func() ([]string, error) {
			return a.copyImage(tx, region, in, tags)
		})
		if err == nil {
			out.ImageId = aws.String(ids[0])
		}
		return err
	})
}

// copyImage creates the rows of a copy and returns the image's id.
func (a *API) copyImage(
	tx *store.Tx, region identity.Region, in *ec2.CopyImageInput, tags map[types.ResourceType]store.Tags,
) ([]string, error) {
	source, err := findImage(tx, identity.RegionOf(region.Account(), *in.SourceRegion), *in.SourceImageId)
	if err != nil {
		return nil, err
	}
	content, ok := store.Snapshots.Get(tx, source.SnapshotID)
	switch {
	case imageState(source) != string(types.ImageStateAvailable) || !ok:
		return nil, wire.Errorf("InvalidRequest", "The image %s is not available for copying.", source.ID)
	case !snapshots.visible(content, identity.RegionOf(region.Account(), *in.SourceRegion)):
		return nil, wire.Errorf("InvalidRequest", "You do not have permission to access the storage of this ami")
	case source.Base != "":
		return nil, wire.Errorf("InvalidRequest",
			"aloft's local cloud copies images of the account, and %s is a public image.", source.ID)
	}
	if err := unsupported(map[string]bool{
		"sourceImageId of an image with volumes besides its root volume": len(source.Volumes) > 0,
	}); err != nil {
		return nil, err
	}
	if err := checkImageNameUnused(tx, region, *in.Name); err != nil {
		return nil, err
	}
	encrypted, key, err := encryption(store.SettingOf(tx, region), content, in.Encrypted, in.KmsKeyId)
	if err != nil {
		return nil, err
	}
	image := *source
	image.ID, image.SnapshotID = a.ids.ID("ami-"), a.ids.ID("snap-")
	image.Region, image.Name, image.Description = region, *in.Name, aws.ToString(in.Description)
	image.Created, image.State, image.StateReason = a.Now(), "pending", ""
	image.AvailableAt = a.Manners.Until(a.Now(), manners.CreateImage, image.ID)
	image.Owner, image.Public, image.Users, image.Tags = region.Account(), false, nil, store.Tags{}
	image.DeprecateAt, image.Protection = time.Time{}, store.ImageProtection{} // of the source alone
	if aws.ToBool(in.CopyImageTags) {
		for key, value := range source.Tags {
			image.Tags[key] = value
		}
	}
	for key, value := range tags[types.ResourceTypeImage] {
		image.Tags[key] = value
	}
	store.Snapshots.Put(tx, &store.Snapshot{
		ID:          image.SnapshotID,
		Region:      region,
		VolumeID:    copiedVolume,
		Owner:       region.Account(),
		SizeGiB:     content.SizeGiB,
		Layers:      content.Layers,
		Encrypted:   encrypted,
		KeyARN:      key,
		Started:     a.Now(),
		CompletesAt: image.AvailableAt,
		Description: "Copied for DestinationAmi " + image.ID + " from SourceAmi " + source.ID + " for SourceSnapshot " +
			content.ID + ".",
		Tags:     tags[types.ResourceTypeSnapshot],
		State:    "pending",
		Progress: "0%",
	})
	store.Images.Put(tx, &image)
	return []string{image.ID}, nil
}
