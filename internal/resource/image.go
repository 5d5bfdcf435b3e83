package resource

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// imageLimit is how long an image may take: as a rule three minutes, half an
// hour for large disks.
const imageLimit = 40 * time.Minute

func (c *Cloud) images(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		ec2.NewDescribeImagesPaginator(c.EC2, &ec2.DescribeImagesInput{Owners: []string{"self"}, Filters: c.ours()}),
		func(page *ec2.DescribeImagesOutput) []types.Image { return page.Images },
		func(i types.Image) plan.Found {
			f := found(stack.KindImage, i.ImageId, i.Tags)
			f.Name, f.Created = aws.ToString(i.Name), aws.ToString(i.CreationDate)
			f.Set("release", tag(i.Tags, stack.TagRelease))
			f.Set("state", string(i.State))
			if i.State != types.ImageStateAvailable && i.State != types.ImageStatePending {
				f.Broken = "image is " + string(i.State)
			}
			for _, m := range i.BlockDeviceMappings {
				if m.Ebs != nil && m.Ebs.SnapshotId != nil {
					f.Status["snapshot"] = *m.Ebs.SnapshotId
				}
			}
			return f
		},
	)
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	return all, nil
}

// createImage makes an image of the builder. The machine is rebooted for it, so
// that its disk is whole (Amazon EC2 API Reference, CreateImage).
func (s *Site) createImage(ctx context.Context, r stack.Resource, body stack.Image) (plan.Found, error) {
	all, err := s.images(ctx)
	if err != nil {
		return plan.Found{}, err
	}
	f := plan.Found{}
	for _, image := range all {
		switch {
		case image.Name != body.ImageName:
		case image.Broken != "": // its name is needed
			if err := s.deleteImage(ctx, image); err != nil {
				return f, err
			}
		default:
			f = image
		}
	}
	builder := *s.id(body.Builder)
	if f.ID == "" && builder == "" {
		return f, &diag.Diagnostic{
			Where:   r.Address,
			Summary: fmt.Sprintf("image %s is gone", body.ImageName),
			Hint:    "run aloft up again: it makes another",
		}
	}
	if f.ID == "" {
		tags := s.tags(r, pair{stack.TagRelease, body.Release})
		made, err := s.EC2.CreateImage(ctx, &ec2.CreateImageInput{
			InstanceId: &builder, Name: &body.ImageName, Description: aws.String("Aloft: " + s.App + ", release " + body.Release),
			TagSpecifications: tagged(tags, types.ResourceTypeImage, types.ResourceTypeSnapshot),
		})
		if err != nil {
			return f, fmt.Errorf("create image %s of %s: %w", body.ImageName, builder, err)
		}
		f = plan.Found{
			Address: r.Address,
			Kind:    stack.KindImage,
			ID:      aws.ToString(made.ImageId),
			Name:    body.ImageName,
			Status:  map[string]string{},
		}
	}
	return f, s.finishImage(ctx, r, body, f.ID)
}

// finishImage waits until an image can be used, and marks the machine that it was
// made of.
func (s *Site) finishImage(ctx context.Context, r stack.Resource, body stack.Image, id string) error {
	if err := s.imageAvailable(ctx, r.Address, id); err != nil {
		return err
	}
	if builder := *s.id(body.Builder); builder != "" {
		return s.markBuilt(ctx, builder, body.Release)
	}
	return nil
}

// imageAvailable waits until an image can be launched from, and says how far it
// is.
func (s *Site) imageAvailable(ctx context.Context, address, id string) error {
	return awsapi.Wait(ctx, imageLimit, "image "+id+" to be available", func(ctx context.Context) (bool, error) {
		list, err := s.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
		if awsapi.IsNotFound(err) || err == nil && len(list.Images) == 0 {
			return false, nil // just made
		}
		if err != nil {
			return false, fmt.Errorf("look at image %s: %w", id, err)
		}
		image, why := list.Images[0], ""
		if image.StateReason != nil {
			why = aws.ToString(image.StateReason.Message)
		}
		switch image.State {
		case types.ImageStateAvailable:
			return true, nil
		case types.ImageStatePending:
			if why == "" {
				why = "being made"
			}
			s.progress(address, "image %s: %s", aws.ToString(image.Name), why)
			return false, nil
		}
		return false, &diag.Diagnostic{
			Where:   address,
			Summary: fmt.Sprintf("image %s is %s", aws.ToString(image.Name), image.State),
			Detail:  why,
			Hint:    "set right what the reason names, then run aloft up again: it makes another",
		}
	})
}

// deleteImage deregisters an image and its snapshot in one call: a run killed
// between two would leave a snapshot that nothing leads to.
func (s *Site) deleteImage(ctx context.Context, f plan.Found) error {
	if _, err := s.EC2.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &f.ID, DeleteAssociatedSnapshots: aws.Bool(true)}); err != nil &&
		!awsapi.IsNotFound(err) {
		return fmt.Errorf("deregister image %s: %w", f.Name, err)
	}
	return nil
}
