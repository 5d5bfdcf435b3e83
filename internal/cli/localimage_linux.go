package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/importedimage"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

var runLocalImage = localImageRuns{runLocalImageImport, runLocalImageList, runLocalImageRemove}

// importedImages returns the imported images of the local cloud in the region of --region.
func (g *global) importedImages(ctx context.Context) (importedimage.Images, error) {
	region := cmp.Or(g.region, spec.DefaultRegion)
	api, err := g.connectToLocalCloud(ctx, region, false)
	if err != nil {
		return importedimage.Images{}, err
	}
	return importedimage.Images{EC2: api.EC2, Region: region}, nil
}

func runLocalImageList(ctx context.Context, o *localImageListOptions) error {
	images, err := o.importedImages(ctx)
	if err != nil {
		return err
	}
	found, err := images.List(ctx)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, map[string]any{"region": images.Region, "images": found})
	}
	if len(found) == 0 {
		_, _ = fmt.Fprintf(o.Out, "No imported images in %s.\n", images.Region)
		return nil
	}
	rows := [][]string{{"NAME", "IMAGE", "SYSTEM", "LOGIN USER", "ARCHIVE"}}
	for _, image := range found {
		system, user := diag.Printable(image.System), diag.Printable(image.User) // the archive says so
		rows = append(rows, []string{image.Name, image.ID, system, user, image.Archive})
	}
	o.style(o.Out).Table(o.Out, rows)
	return nil
}

func runLocalImageRemove(ctx context.Context, o *localImageRemoveOptions) error {
	images, err := o.importedImages(ctx)
	if err != nil {
		return err
	}
	image, err := o.find(ctx, images)
	if err != nil {
		return err
	}
	users, err := images.Instances(ctx, image)
	if err != nil {
		return err
	}
	if len(users) > 0 {
		return diag.List{{
			Where:   image.Name,
			Summary: "instances run on the image: " + strings.Join(users, ", "),
			Hint:    "terminate them first: aloft down for an application, or aws ec2 terminate-instances",
		}}
	}
	if err := o.confirm(fmt.Sprintf("Delete the image %s (%s)?", image.Name, image.ID)); err != nil {
		return err
	}
	if err := images.Delete(ctx, image); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(o.Err, "%s Image %s (%s) is deleted.\n", o.style(o.Err).Good("✓"), image.Name, image.ID)
	if o.json {
		return view.JSON(o.Out, image)
	}
	return nil
}

// find returns the imported image with the name or the id of the command line.
func (o *localImageRemoveOptions) find(
	ctx context.Context, images importedimage.Images,
) (found importedimage.Image, err error) {
	all, err := images.List(ctx)
	if err != nil {
		return found, err
	}
	for _, image := range all {
		if image.Name == o.image || image.ID == o.image {
			return image, nil
		}
	}
	return found, diag.List{{
		Where:   o.image,
		Summary: "there is no imported image of this name or ID in " + images.Region,
		Hint: o.nextCommand("aloft local image list", ".") + " shows them; aloft down --images deletes the images " +
			"of an application",
	}}
}
