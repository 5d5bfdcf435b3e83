package resource

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var subnetKind = kind{
	name:   stack.KindSubnet,
	find:   listed((*Cloud).subnets),
	create: created((*Provisioner).createSubnet),
	update: updated((*Provisioner).updateSubnet),
	remove: (*Provisioner).deleteSubnet,
}

type subnetAPI interface {
	DescribeSubnets(
		context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options),
	) (*ec2.DescribeSubnetsOutput, error)
	CreateSubnet(context.Context, *ec2.CreateSubnetInput, ...func(*ec2.Options)) (*ec2.CreateSubnetOutput, error)
	ModifySubnetAttribute(
		context.Context, *ec2.ModifySubnetAttributeInput, ...func(*ec2.Options),
	) (*ec2.ModifySubnetAttributeOutput, error)
	DeleteSubnet(context.Context, *ec2.DeleteSubnetInput, ...func(*ec2.Options)) (*ec2.DeleteSubnetOutput, error)
}

func (c *Cloud) subnets(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeSubnetsPaginator(c.EC2, &ec2.DescribeSubnetsInput{Filters: c.tagged()}),
		func(page *ec2.DescribeSubnetsOutput) []types.Subnet { return page.Subnets },
	)
	return describe(list, describeSubnet), awsapi.Wrap("list subnets", err)
}

func describeSubnet(s types.Subnet) plan.Found {
	f := foundByTags(stack.KindSubnet, s.SubnetId, s.Tags)
	f.Set(stack.AttrVPC, aws.ToString(s.VpcId))
	f.Set(stack.AttrCIDR, aws.ToString(s.CidrBlock))
	f.Set(stack.AttrZone, aws.ToString(s.AvailabilityZone))
	f.Set(stack.AttrPublicAddresses, onOff(aws.ToBool(s.MapPublicIpOnLaunch)))
	return f
}

func (p *Provisioner) createSubnet(ctx context.Context, r stack.Resource, body stack.Subnet) (plan.Found, error) {
	var f plan.Found
	err := retryEventual(ctx, "create "+body.Title(), func(ctx context.Context) error {
		out, err := p.EC2.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId:             p.id(body.VPC),
			CidrBlock:         aws.String(body.CIDR.String()),
			AvailabilityZone:  &body.Zone,
			TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeSubnet),
		})
		if err == nil {
			f = describeSubnet(*out.Subnet)
		}
		return err
	})
	if err != nil {
		return f, err
	}
	if body.Private {
		return f, nil
	}
	return f, p.setPublicAddresses(ctx, f.ID, true)
}

func (p *Provisioner) updateSubnet(
	ctx context.Context, _ stack.Resource, body stack.Subnet, current plan.Found,
) error {
	return p.setPublicAddresses(ctx, current.ID, !body.Private)
}

// setPublicAddresses sets whether instances in a subnet get public addresses, and waits
// until EC2 shows so: the change of an attribute may take a while to be known
// everywhere (Amazon EC2 API Reference, "Eventual consistency").
func (p *Provisioner) setPublicAddresses(ctx context.Context, id string, public bool) error {
	what := fmt.Sprintf("set public addresses in subnet %s to %s", id, onOff(public))
	err := retryEventual(ctx, what, func(ctx context.Context) error {
		_, err := p.EC2.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{
			SubnetId: &id, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: &public},
		})
		return err
	})
	if err != nil {
		return err
	}
	what = fmt.Sprintf("subnet %s to have public addresses %s", id, onOff(public))
	return awsapi.Wait(ctx, attributeLimit, what, func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{id}})
		if err != nil {
			return false, ignoreNotFound("read subnet "+id, err)
		}
		return len(list.Subnets) > 0 && aws.ToBool(list.Subnets[0].MapPublicIpOnLaunch) == public, nil
	})
}

func (p *Provisioner) deleteSubnet(ctx context.Context, f plan.Found) error {
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		_, err := p.EC2.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &f.ID})
		return err
	}, awsapi.Filter("subnet-id", f.ID))
}
