package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var internetGatewayKind = kind{
	name:   stack.KindInternetGateway,
	find:   listed((*Cloud).internetGateways),
	create: created((*Provisioner).createInternetGateway),
	update: updated((*Provisioner).updateInternetGateway),
	remove: (*Provisioner).deleteInternetGateway,
}

type internetGatewayAPI interface {
	DescribeInternetGateways(
		context.Context, *ec2.DescribeInternetGatewaysInput, ...func(*ec2.Options),
	) (*ec2.DescribeInternetGatewaysOutput, error)
	CreateInternetGateway(
		context.Context, *ec2.CreateInternetGatewayInput, ...func(*ec2.Options),
	) (*ec2.CreateInternetGatewayOutput, error)
	AttachInternetGateway(
		context.Context, *ec2.AttachInternetGatewayInput, ...func(*ec2.Options),
	) (*ec2.AttachInternetGatewayOutput, error)
	DetachInternetGateway(
		context.Context, *ec2.DetachInternetGatewayInput, ...func(*ec2.Options),
	) (*ec2.DetachInternetGatewayOutput, error)
	DeleteInternetGateway(
		context.Context, *ec2.DeleteInternetGatewayInput, ...func(*ec2.Options),
	) (*ec2.DeleteInternetGatewayOutput, error)
}

func (c *Cloud) internetGateways(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeInternetGatewaysPaginator(c.EC2, &ec2.DescribeInternetGatewaysInput{Filters: c.tagged()}),
		func(page *ec2.DescribeInternetGatewaysOutput) []types.InternetGateway { return page.InternetGateways },
	)
	return describe(list, describeInternetGateway), awsapi.Wrap("list internet gateways", err)
}

func describeInternetGateway(g types.InternetGateway) plan.Found {
	f := foundByTags(stack.KindInternetGateway, g.InternetGatewayId, g.Tags)
	var vpcs []string
	for _, attachment := range g.Attachments {
		vpcs = append(vpcs, aws.ToString(attachment.VpcId))
	}
	f.Set(stack.AttrAttachedTo, vpcs...)
	return f
}

func (p *Provisioner) createInternetGateway(
	ctx context.Context,
	r stack.Resource,
	body stack.InternetGateway,
) (plan.Found, error) {
	in := &ec2.CreateInternetGatewayInput{
		TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeInternetGateway),
	}
	out, err := p.EC2.CreateInternetGateway(ctx, in, awsapi.SendOnce)
	if err != nil {
		return plan.Found{}, fmt.Errorf("create the internet gateway: %w", err)
	}
	f := describeInternetGateway(*out.InternetGateway)
	err = p.attachGateway(ctx, f.ID, body)
	if awsapi.Code(err) == "InvalidParameterValue" &&
		strings.Contains(awsapi.Message(err), "already has an internet gateway") {
		return p.adoptGateway(ctx, r, body, f, err)
	}
	return f, err
}

// adoptGateway returns the application's gateway that is attached to the VPC, and
// deletes the one that was just created: an earlier run was killed right after it
// attached the other, which was not listed when this run looked. taken is the refusal.
func (p *Provisioner) adoptGateway(
	ctx context.Context, r stack.Resource, body stack.InternetGateway, created plan.Found, taken error,
) (plan.Found, error) {
	var attached plan.Found
	vpc := *p.id(body.VPC)
	if err := awsapi.Wait(ctx, invisibleLimit, "the gateway of "+vpc, func(ctx context.Context) (bool, error) {
		all, err := p.internetGateways(ctx)
		i := slices.IndexFunc(all, func(f plan.Found) bool {
			return f.Address == r.Address && f.ID != created.ID && f.Value(stack.AttrAttachedTo) == vpc
		})
		if i >= 0 {
			attached = all[i]
		}
		return i >= 0, err
	}); err != nil {
		return created, errors.Join(taken, err)
	}
	return attached, p.deleteInternetGateway(ctx, created)
}

func (p *Provisioner) updateInternetGateway(
	ctx context.Context,
	_ stack.Resource,
	body stack.InternetGateway,
	current plan.Found,
) error {
	if current.Value(stack.AttrAttachedTo) != "" {
		if err := p.detachGateway(ctx, current); err != nil {
			return err
		}
	}
	return p.attachGateway(ctx, current.ID, body)
}

func (p *Provisioner) attachGateway(ctx context.Context, id string, body stack.InternetGateway) error {
	vpc := p.id(body.VPC)
	return retryEventual(ctx, "attach internet gateway "+id, func(ctx context.Context) error {
		in := &ec2.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: vpc}
		_, err := p.EC2.AttachInternetGateway(ctx, in)
		return acceptExisting(ctx, err, func(ctx context.Context) (bool, error) {
			all, err := p.internetGateways(ctx)
			return slices.ContainsFunc(all, func(f plan.Found) bool {
				return f.ID == id && f.Value(stack.AttrAttachedTo) == *vpc
			}), err
		})
	})
}

func (p *Provisioner) detachGateway(ctx context.Context, f plan.Found) error {
	vpc := f.Value(stack.AttrAttachedTo)
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		in := &ec2.DetachInternetGatewayInput{InternetGatewayId: &f.ID, VpcId: &vpc}
		_, err := p.EC2.DetachInternetGateway(ctx, in)
		return err
	}, awsapi.Filter("vpc-id", vpc))
}

func (p *Provisioner) deleteInternetGateway(ctx context.Context, f plan.Found) error {
	vpc := f.Value(stack.AttrAttachedTo)
	if vpc != "" {
		if err := p.detachGateway(ctx, f); err != nil && !awsapi.IsNotFound(err) {
			return err
		}
	}
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		_, err := p.EC2.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &f.ID})
		return err
	}, awsapi.Filter("vpc-id", vpc))
}
