package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// ImageSource is an image of another application in a region.
type ImageSource struct {
	plan.Found
	Region string
}

// CopyImage makes a copy of another application's image the image of a release, and waits
// until it is available. A copy that an earlier run has begun is used. Each application has
// an image of its own, so that none is deleted while another needs it.
func (p *Provisioner) CopyImage(ctx context.Context, r stack.Resource, from ImageSource) error {
	body := r.Body.(stack.Image)
	f, err := p.reusableImage(ctx, body)
	if err != nil {
		return err
	}
	if f.ID == "" {
		if f.ID, err = p.copyImage(ctx, r, body, from); err != nil {
			return err
		}
	}
	return p.waitImageAvailable(ctx, r.Address, f.ID)
}

func (p *Provisioner) copyImage(
	ctx context.Context, r stack.Resource, body stack.Image, from ImageSource,
) (id string, err error) {
	tags := p.tags(r, tag{stack.TagRelease, body.Release},
		tag{stack.TagBase, from.Status.Base}, tag{stack.TagBaseName, from.Status.BaseName})
	err = retryEventual(ctx, "copy image "+from.Name, func(ctx context.Context) error {
		out, err := p.EC2.CopyImage(ctx, &ec2.CopyImageInput{
			SourceImageId: &from.ID, SourceRegion: &from.Region, Name: &body.ImageName,
			Description:       aws.String("Aloft: " + p.App + ", release " + body.Release + ", a copy of " + from.ID),
			TagSpecifications: tagSpecifications(tags, types.ResourceTypeImage, types.ResourceTypeSnapshot),
		})
		if err == nil {
			id = aws.ToString(out.ImageId)
		}
		return err
	})
	if awsapi.IsExists(err) { // by an earlier call, whose response was lost
		f, findErr := p.reusableImage(ctx, body)
		if findErr != nil || f.ID == "" {
			return "", err
		}
		return f.ID, nil
	}
	return id, err
}
