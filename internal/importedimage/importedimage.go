// Package importedimage keeps the images of the user's own that a local cloud imported: it
// registers, finds and deletes them through EC2's API.
package importedimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/resource"
)

// tagImported marks imported images. Its value is the name of the archive.
const tagImported = "aloft:imported"

// rootDevice is the root device of imported images.
const rootDevice = "/dev/xvda"

// Image is an imported image.
type Image struct {
	ID       string `json:"image_id"`
	Name     string `json:"name"`
	Region   string `json:"region"`
	System   string `json:"system"`  // "Debian GNU/Linux 13 (trixie)"
	User     string `json:"user"`    // login user
	Archive  string `json:"archive"` // name of the file that it was made of
	Snapshot string `json:"snapshot_id"`
	Created  string `json:"created"` // RFC 3339
}

// Images are the imported images of a region.
type Images struct {
	EC2    *ec2.Client
	Region string
}

// List returns the imported images, sorted by name.
func (c Images) List(ctx context.Context) ([]Image, error) {
	found := []Image{}
	pages := ec2.NewDescribeImagesPaginator(c.EC2, &ec2.DescribeImagesInput{
		Owners:  []string{"self"},
		Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{tagImported}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the images: %w", err)
		}
		for _, image := range page.Images {
			found = append(found, c.describe(image))
		}
	}
	slices.SortFunc(found, func(a, b Image) int { return cmp.Compare(a.Name, b.Name) })
	return found, nil
}

func (c Images) describe(image types.Image) Image {
	found := Image{
		ID: aws.ToString(image.ImageId), Name: aws.ToString(image.Name), Region: c.Region,
		System: aws.ToString(image.Description), Created: aws.ToString(image.CreationDate),
	}
	for _, tag := range image.Tags {
		switch aws.ToString(tag.Key) {
		case tagImported:
			found.Archive = aws.ToString(tag.Value)
		case resource.TagUser:
			found.User = aws.ToString(tag.Value)
		}
	}
	if len(image.BlockDeviceMappings) > 0 && image.BlockDeviceMappings[0].Ebs != nil {
		found.Snapshot = aws.ToString(image.BlockDeviceMappings[0].Ebs.SnapshotId)
	}
	return found
}

// ErrName is wrapped by the errors of CheckName.
var ErrName = errors.New("an image cannot have this name")

// CheckName returns EC2's error for a name that a new image cannot have. EC2 checks the name
// before the snapshot, and no snapshot has the id that CheckName gives.
func (c Images) CheckName(ctx context.Context, name string) error {
	in := registration(Image{Name: name, Snapshot: "snap-00000000000000000"}, types.ArchitectureValuesX8664)
	in.DryRun = aws.Bool(true)
	_, err := c.EC2.RegisterImage(ctx, in)
	switch awsapi.Code(err) {
	case "InvalidSnapshot.NotFound":
		return nil
	case "InvalidAMIName.Duplicate", "InvalidAMIName.Malformed":
		return fmt.Errorf("%w: %w", ErrName, err)
	}
	return fmt.Errorf("check the name %s: %w", name, err)
}

// Register registers an image of its snapshot for an architecture, by Go's name, and returns
// it with its id. If EC2 refuses the image, Register deletes the snapshot.
func (c Images) Register(ctx context.Context, image Image, arch string) (Image, error) {
	architecture := types.ArchitectureValues(arch)
	if arch == "amd64" {
		architecture = types.ArchitectureValuesX8664
	}
	out, err := c.EC2.RegisterImage(ctx, registration(image, architecture))
	if err != nil {
		_, undone := c.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &image.Snapshot})
		return Image{}, errors.Join(fmt.Errorf("register image %s: %w", image.Name, err), undone)
	}
	image.ID, image.Region = aws.ToString(out.ImageId), c.Region
	image.Created = time.Now().UTC().Format(time.RFC3339)
	return image, nil
}

// registration returns the request that makes an image of its snapshot.
func registration(image Image, architecture types.ArchitectureValues) *ec2.RegisterImageInput {
	in := &ec2.RegisterImageInput{
		Name: &image.Name, Architecture: architecture, VirtualizationType: aws.String("hvm"),
		EnaSupport: aws.Bool(true), RootDeviceName: aws.String(rootDevice),
		BlockDeviceMappings: []types.BlockDeviceMapping{{
			DeviceName: aws.String(rootDevice),
			Ebs:        &types.EbsBlockDevice{SnapshotId: &image.Snapshot, VolumeType: types.VolumeTypeGp3},
		}},
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeImage, Tags: []types.Tag{
			{Key: aws.String(tagImported), Value: &image.Archive},
			{Key: aws.String(resource.TagUser), Value: &image.User},
		}}},
	}
	if image.System != "" {
		in.Description = &image.System
	}
	return in
}

// Instances returns the ids of the instances that run on an image, or are stopped.
func (c Images) Instances(ctx context.Context, image Image) ([]string, error) {
	var ids []string
	pages := ec2.NewDescribeInstancesPaginator(c.EC2, &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("image-id"), Values: []string{image.ID}},
		{Name: aws.String("instance-state-name"), Values: []string{
			"pending", "running", "stopping", "stopped", "shutting-down",
		}},
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the instances of image %s: %w", image.ID, err)
		}
		for _, reservation := range page.Reservations {
			for _, instance := range reservation.Instances {
				ids = append(ids, aws.ToString(instance.InstanceId))
			}
		}
	}
	return ids, nil
}

// Delete deregisters an image and deletes its snapshot.
func (c Images) Delete(ctx context.Context, image Image) error {
	if _, err := c.EC2.DeregisterImage(ctx, &ec2.DeregisterImageInput{
		ImageId: &image.ID, DeleteAssociatedSnapshots: aws.Bool(true),
	}); err != nil {
		return fmt.Errorf("delete image %s: %w", image.ID, err)
	}
	return nil
}
