package resource

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func (c *Cloud) internetGateways(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		ec2.NewDescribeInternetGatewaysPaginator(c.EC2, &ec2.DescribeInternetGatewaysInput{Filters: c.ours()}),
		func(page *ec2.DescribeInternetGatewaysOutput) []types.InternetGateway { return page.InternetGateways },
		func(g types.InternetGateway) plan.Found {
			f := found(stack.KindInternetGateway, g.InternetGatewayId, g.Tags)
			var vpcs []string
			for _, attachment := range g.Attachments {
				vpcs = append(vpcs, aws.ToString(attachment.VpcId))
			}
			f.Set("attached to", vpcs...)
			return f
		},
	)
	if err != nil {
		return nil, fmt.Errorf("list internet gateways: %w", err)
	}
	return all, nil
}

func (s *Site) createInternetGateway(
	ctx context.Context,
	r stack.Resource,
	body stack.InternetGateway,
) (plan.Found, error) {
	out, err := s.EC2.CreateInternetGateway(
		ctx,
		&ec2.CreateInternetGatewayInput{TagSpecifications: tagged(s.tags(r), types.ResourceTypeInternetGateway)},
		awsapi.Once,
	)
	if err != nil {
		return plan.Found{}, fmt.Errorf("create the internet gateway: %w", err)
	}
	f := found(stack.KindInternetGateway, out.InternetGateway.InternetGatewayId, out.InternetGateway.Tags)
	return f, s.attach(ctx, f.ID, body)
}

func (s *Site) updateInternetGateway(ctx context.Context, body stack.InternetGateway, now plan.Found) error {
	if vpc := now.Get("attached to"); vpc != "" {
		if err := s.detach(ctx, now); err != nil {
			return err
		}
	}
	return s.attach(ctx, now.ID, body)
}

func (s *Site) attach(ctx context.Context, id string, body stack.InternetGateway) error {
	return s.soon(ctx, "attach internet gateway "+id, func(ctx context.Context) error {
		_, err := s.EC2.AttachInternetGateway(
			ctx,
			&ec2.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: s.id(body.VPC)},
		)
		return already(
			ctx,
			err,
			func(ctx context.Context) (bool, error) { return s.attached(ctx, id, *s.id(body.VPC)) },
		)
	})
}

func (s *Site) attached(ctx context.Context, id, vpc string) (bool, error) {
	all, err := s.internetGateways(ctx)
	return slices.ContainsFunc(all, func(f plan.Found) bool { return f.ID == id && f.Get("attached to") == vpc }), err
}

func (s *Site) detach(ctx context.Context, f plan.Found) error {
	return s.whenFree(ctx, f, func(ctx context.Context) error {
		_, err := s.EC2.DetachInternetGateway(
			ctx,
			&ec2.DetachInternetGatewayInput{InternetGatewayId: &f.ID, VpcId: aws.String(f.Get("attached to"))},
		)
		return err
	})
}

func (s *Site) deleteInternetGateway(ctx context.Context, f plan.Found) error {
	if f.Get("attached to") != "" {
		if err := s.detach(ctx, f); err != nil && !awsapi.IsNotFound(err) {
			return err
		}
	}
	return s.whenFree(ctx, f, func(ctx context.Context) error {
		_, err := s.EC2.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &f.ID})
		return err
	})
}
