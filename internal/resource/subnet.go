package resource

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func (c *Cloud) subnets(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(ctx, ec2.NewDescribeSubnetsPaginator(c.EC2, &ec2.DescribeSubnetsInput{Filters: c.ours()}),
		func(page *ec2.DescribeSubnetsOutput) []types.Subnet { return page.Subnets }, describeSubnet)
	if err != nil {
		return nil, fmt.Errorf("list subnets: %w", err)
	}
	return all, nil
}

func describeSubnet(s types.Subnet) plan.Found {
	f := found(stack.KindSubnet, s.SubnetId, s.Tags)
	f.Set("vpc", aws.ToString(s.VpcId))
	f.Set("cidr", aws.ToString(s.CidrBlock))
	f.Set("zone", aws.ToString(s.AvailabilityZone))
	f.Set("public addresses", onOff(aws.ToBool(s.MapPublicIpOnLaunch)))
	return f
}

func (s *Site) createSubnet(ctx context.Context, r stack.Resource, body stack.Subnet) (plan.Found, error) {
	var f plan.Found
	err := s.soon(ctx, "create "+body.Title(), func(ctx context.Context) error {
		out, err := s.EC2.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: s.id(body.VPC), CidrBlock: aws.String(body.CIDR.String()), AvailabilityZone: &body.Zone,
			TagSpecifications: tagged(s.tags(r), types.ResourceTypeSubnet),
		})
		if err == nil {
			f = describeSubnet(*out.Subnet)
		}
		return err
	})
	if err != nil {
		return f, err
	}
	return f, s.mapPublic(ctx, f.ID)
}

func (s *Site) updateSubnet(ctx context.Context, _ stack.Subnet, now plan.Found) error {
	return s.mapPublic(ctx, now.ID)
}

func (s *Site) mapPublic(ctx context.Context, id string) error {
	return s.soon(ctx, "give the machines of subnet "+id+" public addresses", func(ctx context.Context) error {
		_, err := s.EC2.ModifySubnetAttribute(
			ctx,
			&ec2.ModifySubnetAttributeInput{
				SubnetId:            &id,
				MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)},
			},
		)
		return err
	})
}

func (s *Site) deleteSubnet(ctx context.Context, f plan.Found) error {
	return s.whenFree(ctx, f, func(ctx context.Context) error {
		_, err := s.EC2.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &f.ID})
		return err
	})
}
