package ec2

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CopyImage copies an image that the account may use, and its snapshots, from any region. The copy
// is pending until the loops have copied the contents.
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
		"CopyImageTags", "Encrypted", "KmsKeyId", "SnapshotCopyCompletionDurationMinutes",
	); err != nil {
		return nil, err
	}
	if err := checkCopyDuration(in.SnapshotCopyCompletionDurationMinutes); err != nil {
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
	from := identity.RegionOf(region.Account(), *in.SourceRegion)
	source, err := findImage(tx, from, *in.SourceImageId)
	if err != nil {
		return nil, err
	}
	if imageState(source) != string(types.ImageStateAvailable) {
		return nil, wire.Errorf("InvalidRequest", "The image %s is not available for copying.", source.ID)
	}
	if err := checkImageNameUnused(tx, region, *in.Name); err != nil {
		return nil, err
	}
	image := *source
	image.ID, image.Region = a.ids.ID("ami-"), region
	image.Name, image.Description = *in.Name, aws.ToString(in.Description)
	image.SourceInstanceID, image.SourceImageID, image.SourceRegion = "", source.ID, *in.SourceRegion
	image.Created, image.State, image.StateReason = a.Now(), "pending", ""
	image.AvailableAt = a.Manners.Until(a.Now(), manners.CreateImage, image.ID)
	image.Owner, image.OwnerAlias, image.Public, image.Users = region.Account(), "", false, nil
	image.DeprecateAt, image.Protection = time.Time{}, store.ImageProtection{} // of the source alone
	image.Tags = store.Tags{}
	if aws.ToBool(in.CopyImageTags) {
		maps.Copy(image.Tags, source.Tags)
		maps.DeleteFunc(image.Tags, func(key, _ string) bool { return strings.HasPrefix(key, "aws:") })
	}
	maps.Copy(image.Tags, tags[types.ResourceTypeImage])
	c := imageCopy{in: in, from: from, source: source, image: &image, tags: tags[types.ResourceTypeSnapshot]}
	root, err := a.copyContent(tx, c, source.SnapshotID)
	if err != nil {
		return nil, err
	}
	image.SnapshotID = root.ID
	if len(root.Layers) > 0 || root.InFile {
		image.Base = "" // the copy waits for no base image
	}
	image.Volumes = slices.Clone(source.Volumes)
	for i := range image.Volumes {
		v := &image.Volumes[i]
		v.Encrypted = v.Encrypted || aws.ToBool(in.Encrypted) && v.VirtualName == ""
		if v.SnapshotID == "" {
			continue
		}
		copied, err := a.copyContent(tx, c, v.SnapshotID)
		if err != nil {
			return nil, err
		}
		v.SnapshotID = copied.ID
	}
	store.Images.Put(tx, &image)
	return []string{image.ID}, nil
}

// imageCopy is a copy of an image.
type imageCopy struct {
	in            *ec2.CopyImageInput
	from          identity.Region
	source, image *store.Image
	tags          store.Tags // of the copied snapshots
}

// copyContent stores a copy of a snapshot of an image, which the loops complete, and returns it.
func (a *API) copyContent(tx *store.Tx, c imageCopy, id string) (snap, error) {
	content, ok := store.Snapshots.Get(tx, id)
	switch {
	case !ok:
		return nil, wire.Errorf("InvalidRequest", "The image %s is not available for copying.", c.source.ID)
	case !snapshots.visible(content, c.from):
		return nil, wire.Errorf("InvalidRequest", "You do not have permission to access the storage of this ami")
	}
	region := c.image.Region
	encrypted, key, err := encryption(store.SettingOf(tx, region), content, c.in.Encrypted, c.in.KmsKeyId)
	if err != nil {
		return nil, err
	}
	row := &store.Snapshot{
		ID:          a.ids.ID(snapshots.prefix),
		Region:      region,
		VolumeID:    copiedVolume,
		Owner:       region.Account(),
		SizeGiB:     content.SizeGiB,
		Layers:      content.Layers,
		InFile:      content.InFile,
		CopyOf:      content.ID,
		Encrypted:   encrypted,
		KeyARN:      key,
		Started:     a.Now(),
		CompletesAt: c.image.AvailableAt,
		Description: "Copied for DestinationAmi " + c.image.ID + " from SourceAmi " + c.source.ID +
			" for SourceSnapshot " + content.ID + ".",
		Tags:     c.tags,
		State:    string(types.SnapshotStatePending),
		Progress: "0%",
	}
	store.Snapshots.Put(tx, row)
	return row, nil
}

// checkCopyDuration refuses a completion duration that AWS does not offer. All copies of the local
// cloud complete within the shortest one (Amazon EC2 API Reference, CopyImage).
func checkCopyDuration(minutes *int64) error {
	const step, most = 15, 48 * 60
	if m := aws.ToInt64(minutes); minutes != nil && (m < step || m > most || m%step != 0) {
		return invalidValue("snapshotCopyCompletionDurationMinutes", strconv.FormatInt(m, 10),
			"It must be a multiple of 15, up to 2880.")
	}
	return nil
}
