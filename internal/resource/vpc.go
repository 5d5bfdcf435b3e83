package resource

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// vpcAvailableLimit is how long AWS may take until a new VPC is available.
const vpcAvailableLimit = 5 * time.Minute

var vpcKind = kind{
	name:   stack.KindVPC,
	find:   listed((*Cloud).vpcs),
	create: created((*Provisioner).createVPC),
	update: updated((*Provisioner).updateVPC),
	remove: (*Provisioner).deleteVPC,
}

type vpcAPI interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeVpcAttribute(
		context.Context, *ec2.DescribeVpcAttributeInput, ...func(*ec2.Options),
	) (*ec2.DescribeVpcAttributeOutput, error)
	CreateVpc(context.Context, *ec2.CreateVpcInput, ...func(*ec2.Options)) (*ec2.CreateVpcOutput, error)
	ModifyVpcAttribute(
		context.Context, *ec2.ModifyVpcAttributeInput, ...func(*ec2.Options),
	) (*ec2.ModifyVpcAttributeOutput, error)
	DeleteVpc(context.Context, *ec2.DeleteVpcInput, ...func(*ec2.Options)) (*ec2.DeleteVpcOutput, error)
}

func (c *Cloud) vpcs(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeVpcsPaginator(c.EC2, &ec2.DescribeVpcsInput{Filters: c.tagged()}),
		func(page *ec2.DescribeVpcsOutput) []types.Vpc { return page.Vpcs },
	)
	if err != nil {
		return nil, fmt.Errorf("list VPCs: %w", err)
	}
	var all []plan.Found
	for _, v := range list {
		f := foundByTags(stack.KindVPC, v.VpcId, v.Tags)
		f.Set(stack.AttrCIDR, aws.ToString(v.CidrBlock))
		on, err := c.hasDNSHostnames(ctx, f.ID)
		if err != nil {
			return nil, err
		}
		f.Set(stack.AttrDNSHostnames, onOff(on))
		all = append(all, f)
	}
	return all, nil
}

// hasDNSHostnames reports whether a VPC's instances get DNS host names. It returns false
// if the VPC is not known.
func (c *Cloud) hasDNSHostnames(ctx context.Context, id string) (bool, error) {
	out, err := c.EC2.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{
		VpcId: &id, Attribute: types.VpcAttributeNameEnableDnsHostnames,
	})
	if err != nil {
		return false, ignoreNotFound("read the DNS host names attribute of VPC "+id, err)
	}
	return out.EnableDnsHostnames != nil && aws.ToBool(out.EnableDnsHostnames.Value), nil
}

func (p *Provisioner) createVPC(ctx context.Context, r stack.Resource, body stack.VPC) (plan.Found, error) {
	in := &ec2.CreateVpcInput{
		CidrBlock:         aws.String(body.CIDR.String()),
		TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeVpc),
	}
	out, err := p.EC2.CreateVpc(ctx, in, awsapi.SendOnce)
	if err != nil {
		return plan.Found{}, fmt.Errorf("create VPC %s: %w", body.CIDR, err)
	}
	f := foundByTags(stack.KindVPC, out.Vpc.VpcId, out.Vpc.Tags)
	what := "VPC " + f.ID + " to be available"
	err = awsapi.Wait(ctx, vpcAvailableLimit, what, func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{f.ID}})
		if awsapi.IsNotFound(err) {
			return false, nil
		}
		return err == nil && len(list.Vpcs) > 0 && list.Vpcs[0].State == types.VpcStateAvailable, err
	})
	if err != nil {
		return f, err
	}
	return f, p.enableDNSHostnames(ctx, f.ID)
}

func (p *Provisioner) updateVPC(ctx context.Context, _ stack.Resource, _ stack.VPC, current plan.Found) error {
	return p.enableDNSHostnames(ctx, current.ID)
}

func (p *Provisioner) enableDNSHostnames(ctx context.Context, id string) error {
	err := retryEventual(ctx, "enable DNS host names in VPC "+id, func(ctx context.Context) error {
		_, err := p.EC2.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{
			VpcId: &id, EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)},
		})
		return err
	})
	if err != nil {
		return err
	}
	what := "VPC " + id + " to have DNS host names"
	return awsapi.Wait(ctx, attributeLimit, what, func(ctx context.Context) (bool, error) {
		return p.hasDNSHostnames(ctx, id)
	})
}

func (p *Provisioner) deleteVPC(ctx context.Context, f plan.Found) error {
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		_, err := p.EC2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &f.ID})
		return err
	}, awsapi.Filter("vpc-id", f.ID))
}
