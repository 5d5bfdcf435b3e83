package resource

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// imageLimit is how long an image may take to be available: usually three minutes,
// half an hour for large disks.
const imageLimit = 40 * time.Minute

var imageKind = kind{
	name:   stack.KindImage,
	find:   listed((*Cloud).images),
	create: created((*Provisioner).createImage),
	update: updated((*Provisioner).updateImage),
	remove: (*Provisioner).deleteImage,
}

type imageAPI interface {
	DescribeImages(context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error)
	CreateImage(context.Context, *ec2.CreateImageInput, ...func(*ec2.Options)) (*ec2.CreateImageOutput, error)
	CopyImage(context.Context, *ec2.CopyImageInput, ...func(*ec2.Options)) (*ec2.CopyImageOutput, error)
	DeregisterImage(
		context.Context, *ec2.DeregisterImageInput, ...func(*ec2.Options),
	) (*ec2.DeregisterImageOutput, error)
}

func (c *Cloud) images(ctx context.Context) ([]plan.Found, error) {
	in := &ec2.DescribeImagesInput{Owners: []string{"self"}, Filters: c.tagged()}
	list, err := collect(
		ctx,
		ec2.NewDescribeImagesPaginator(c.EC2, in),
		func(page *ec2.DescribeImagesOutput) []types.Image { return page.Images },
	)
	return describe(list, describeImage), awsapi.Wrap("list images", err)
}

func describeImage(i types.Image) plan.Found {
	f := foundByTags(stack.KindImage, i.ImageId, i.Tags)
	f.Name, f.Created = aws.ToString(i.Name), aws.ToString(i.CreationDate)
	f.Status.TagIDs = []string{f.ID}
	for _, d := range i.BlockDeviceMappings {
		if d.Ebs != nil && d.Ebs.SnapshotId != nil {
			f.Status.TagIDs = append(f.Status.TagIDs, *d.Ebs.SnapshotId)
		}
	}
	f.Set(stack.AttrRelease, tagValue(i.Tags, stack.TagRelease))
	f.Status.Base, f.Status.BaseName = tagValue(i.Tags, stack.TagBase), tagValue(i.Tags, stack.TagBaseName)
	f.Set(stack.AttrState, string(i.State))
	if i.State != types.ImageStateAvailable && i.State != types.ImageStatePending {
		f.Broken = "image is " + string(i.State)
	}
	return f
}

// createImage creates an image from the builder. EC2 reboots the instance for it,
// so that its file systems are consistent (Amazon EC2 API Reference, CreateImage).
func (p *Provisioner) createImage(ctx context.Context, r stack.Resource, body stack.Image) (plan.Found, error) {
	f, err := p.reusableImage(ctx, body)
	if err != nil {
		return f, err
	}
	builder := *p.id(body.Builder)
	if f.ID == "" && builder == "" {
		return f, &diag.Diagnostic{
			Where:   r.Address,
			Summary: fmt.Sprintf("image %s is gone", body.ImageName),
			Hint:    "run aloft up again: it creates another",
		}
	}
	if f.ID == "" {
		tags := p.tags(r, tag{stack.TagRelease, body.Release},
			tag{stack.TagBase, p.BaseImage.ID}, tag{stack.TagBaseName, p.BaseImage.Name})
		var out *ec2.CreateImageOutput
		what := fmt.Sprintf("create image %s of %s", body.ImageName, builder)
		err := awsapi.Retry(ctx, eventualLimit, what, notImagedYet, func(ctx context.Context) (err error) {
			out, err = p.EC2.CreateImage(ctx, &ec2.CreateImageInput{
				InstanceId:        &builder,
				Name:              &body.ImageName,
				Description:       aws.String("Aloft: " + p.App + ", release " + body.Release),
				TagSpecifications: tagSpecifications(tags, types.ResourceTypeImage, types.ResourceTypeSnapshot),
			})
			return err
		})
		if err != nil {
			return f, fmt.Errorf("%s: %w", what, err)
		}
		f = plan.Found{
			Address: r.Address, Kind: stack.KindImage, ID: aws.ToString(out.ImageId), Name: body.ImageName,
		}
	}
	return f, p.updateImage(ctx, r, body, f)
}

// notImagedYet reports whether an image of an instance can be created later: EC2 does not
// know its state everywhere yet, or the instance is on its way to another one.
func notImagedYet(err error) bool {
	return awsapi.IsEventual(err) || awsapi.IsInUse(err) ||
		awsapi.Code(err) == "InvalidParameterValue" && strings.Contains(awsapi.Message(err), "is not in state")
}

// reusableImage returns an existing image of the name, or a zero Found if there is
// none. It deletes broken ones, because their name is needed.
func (p *Provisioner) reusableImage(ctx context.Context, body stack.Image) (plan.Found, error) {
	all, err := p.images(ctx)
	if err != nil {
		return plan.Found{}, err
	}
	reusable := plan.Found{}
	for _, f := range all {
		switch {
		case f.Name != body.ImageName:
		case f.Broken != "":
			if err := p.deleteImage(ctx, f); err != nil {
				return plan.Found{}, err
			}
		default:
			reusable = f
		}
	}
	return reusable, nil
}

// updateImage waits until an image is available, and marks the instance it was
// created from as built.
func (p *Provisioner) updateImage(ctx context.Context, r stack.Resource, body stack.Image, current plan.Found) error {
	if err := p.waitImageAvailable(ctx, r.Address, current.ID); err != nil {
		return err
	}
	if builder := *p.id(body.Builder); builder != "" {
		return p.markBuilt(ctx, builder, body.Release)
	}
	return nil
}

// waitImageAvailable waits until instances can be launched from an image.
func (p *Provisioner) waitImageAvailable(ctx context.Context, address, id string) error {
	return awsapi.Wait(ctx, imageLimit, "image "+id+" to be available", func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
		if awsapi.IsNotFound(err) || err == nil && len(list.Images) == 0 {
			return false, nil // just created
		}
		if err != nil {
			return false, fmt.Errorf("read image %s: %w", id, err)
		}
		image, reason := list.Images[0], ""
		if image.StateReason != nil {
			reason = aws.ToString(image.StateReason.Message)
		}
		switch image.State {
		case types.ImageStateAvailable:
			return true, nil
		case types.ImageStatePending:
			if reason == "" {
				reason = "being created"
			}
			p.progress(address, "image %s: %s", aws.ToString(image.Name), reason)
			return false, nil
		}
		return false, &diag.Diagnostic{
			Where:   address,
			Summary: fmt.Sprintf("image %s is %s", aws.ToString(image.Name), image.State),
			Detail:  reason,
			Hint:    "fix what the reason names, then run aloft up again: it creates another",
		}
	})
}

// deleteImage deletes an image and its snapshot in one call: a run killed between
// two calls would leave a snapshot that nothing refers to.
func (p *Provisioner) deleteImage(ctx context.Context, f plan.Found) error {
	in := &ec2.DeregisterImageInput{ImageId: &f.ID, DeleteAssociatedSnapshots: aws.Bool(true)}
	_, err := p.EC2.DeregisterImage(ctx, in)
	return ignoreNotFound("deregister image "+f.Name, err)
}
