package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

var runLocalImage = localImageRuns{runLocalImageImport, runLocalImageList, runLocalImageRemove}

// tagImported marks imported images. Its value is the name of the archive.
const tagImported = "aloft:imported"

// importedImage is an imported image, as --json prints it.
type importedImage struct {
	ID       string `json:"image_id"`
	Name     string `json:"name"`
	Region   string `json:"region"`
	System   string `json:"system"`
	User     string `json:"user"`
	Archive  string `json:"archive"`
	Snapshot string `json:"snapshot_id"`
	Created  string `json:"created"`
}

func (g *global) imageRegion() string { return cmp.Or(g.region, spec.DefaultRegion) }

func newImportedImage(region string, image types.Image) importedImage {
	found := importedImage{
		ID: aws.ToString(image.ImageId), Name: aws.ToString(image.Name), Region: region,
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

// importedImages returns the imported images of a region, sorted by name.
func importedImages(ctx context.Context, api *awsapi.Client, region string) ([]importedImage, error) {
	found := []importedImage{}
	pages := ec2.NewDescribeImagesPaginator(api.EC2, &ec2.DescribeImagesInput{
		Owners:  []string{"self"},
		Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{tagImported}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the images: %w", err)
		}
		for _, image := range page.Images {
			found = append(found, newImportedImage(region, image))
		}
	}
	slices.SortFunc(found, func(a, b importedImage) int { return cmp.Compare(a.Name, b.Name) })
	return found, nil
}

func runLocalImageList(ctx context.Context, o *localImageListOptions) error {
	api, err := o.connectToLocalCloud(ctx, o.imageRegion(), false)
	if err != nil {
		return err
	}
	found, err := importedImages(ctx, api, o.imageRegion())
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, map[string]any{"region": o.imageRegion(), "images": found})
	}
	if len(found) == 0 {
		_, _ = fmt.Fprintf(o.Out, "No imported images in %s.\n", o.imageRegion())
		return nil
	}
	rows := [][]string{{"NAME", "IMAGE", "SYSTEM", "LOGIN USER", "ARCHIVE"}}
	for _, image := range found {
		rows = append(rows, []string{image.Name, image.ID, image.System, image.User, image.Archive})
	}
	o.style(o.Out).Table(o.Out, rows)
	return nil
}

func runLocalImageRemove(ctx context.Context, o *localImageRemoveOptions) error {
	api, err := o.connectToLocalCloud(ctx, o.imageRegion(), false)
	if err != nil {
		return err
	}
	image, err := o.findImage(ctx, api)
	if err != nil {
		return err
	}
	if err := checkUnused(ctx, api, image); err != nil {
		return err
	}
	if err := o.confirm(fmt.Sprintf("Delete the image %s (%s)?", image.Name, image.ID)); err != nil {
		return err
	}
	if _, err := api.EC2.DeregisterImage(ctx, &ec2.DeregisterImageInput{
		ImageId: &image.ID, DeleteAssociatedSnapshots: aws.Bool(true),
	}); err != nil {
		return fmt.Errorf("delete image %s: %w", image.ID, err)
	}
	_, _ = fmt.Fprintf(o.Err, "%s Image %s (%s) is deleted.\n", o.style(o.Err).Good("✓"), image.Name, image.ID)
	if o.json {
		return view.JSON(o.Out, image)
	}
	return nil
}

// findImage returns the imported image with the name or the id of the command line.
func (o *localImageRemoveOptions) findImage(ctx context.Context, api *awsapi.Client) (importedImage, error) {
	all, err := importedImages(ctx, api, o.imageRegion())
	if err != nil {
		return importedImage{}, err
	}
	for _, image := range all {
		if image.Name == o.image || image.ID == o.image {
			return image, nil
		}
	}
	return importedImage{}, diag.List{{
		Where:   o.image,
		Summary: "there is no imported image of this name or ID in " + o.imageRegion(),
		Hint: o.nextCommand("aloft local image list", ".") + " shows them; aloft down --images deletes the images " +
			"of an application",
	}}
}

// checkUnused returns an error if instances run on an image.
func checkUnused(ctx context.Context, api *awsapi.Client, image importedImage) error {
	var users []string
	pages := ec2.NewDescribeInstancesPaginator(api.EC2, &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("image-id"), Values: []string{image.ID}},
		{Name: aws.String("instance-state-name"), Values: []string{
			"pending", "running", "stopping", "stopped", "shutting-down",
		}},
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("find the instances of image %s: %w", image.ID, err)
		}
		for _, reservation := range page.Reservations {
			for _, instance := range reservation.Instances {
				users = append(users, aws.ToString(instance.InstanceId))
			}
		}
	}
	if len(users) == 0 {
		return nil
	}
	return diag.List{{
		Where:   image.Name,
		Summary: "instances run on the image: " + strings.Join(users, ", "),
		Hint:    "terminate them first: aloft down for an application, or aws ec2 terminate-instances",
	}}
}
