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

// settle is how long AWS may take to know everywhere what it has just made.
const settle = 5 * time.Minute

func (c *Cloud) vpcs(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(ctx, ec2.NewDescribeVpcsPaginator(c.EC2, &ec2.DescribeVpcsInput{Filters: c.ours()}),
		func(page *ec2.DescribeVpcsOutput) []types.Vpc { return page.Vpcs },
		func(v types.Vpc) plan.Found {
			f := found(stack.KindVPC, v.VpcId, v.Tags)
			f.Set("cidr", aws.ToString(v.CidrBlock))
			return f
		})
	if err != nil {
		return nil, fmt.Errorf("list VPCs: %w", err)
	}
	for i := range all {
		out, err := c.EC2.DescribeVpcAttribute(
			ctx,
			&ec2.DescribeVpcAttributeInput{VpcId: &all[i].ID, Attribute: types.VpcAttributeNameEnableDnsHostnames},
		)
		if err != nil && !awsapi.IsNotFound(err) {
			return nil, fmt.Errorf("read the DNS hostnames of VPC %s: %w", all[i].ID, err)
		}
		on := out != nil && out.EnableDnsHostnames != nil && aws.ToBool(out.EnableDnsHostnames.Value)
		all[i].Set("dns hostnames", onOff(on))
	}
	return all, nil
}

func (s *Site) createVPC(ctx context.Context, r stack.Resource, body stack.VPC) (plan.Found, error) {
	out, err := s.EC2.CreateVpc(
		ctx,
		&ec2.CreateVpcInput{
			CidrBlock:         aws.String(body.CIDR.String()),
			TagSpecifications: tagged(s.tags(r), types.ResourceTypeVpc),
		},
		awsapi.Once,
	)
	if err != nil {
		return plan.Found{}, fmt.Errorf("create VPC %s: %w", body.CIDR, err)
	}
	f := found(stack.KindVPC, out.Vpc.VpcId, out.Vpc.Tags)
	err = awsapi.Wait(ctx, settle, "VPC "+f.ID+" to be available", func(ctx context.Context) (bool, error) {
		seen, err := s.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{f.ID}})
		if awsapi.IsNotFound(err) {
			return false, nil
		}
		return err == nil && len(seen.Vpcs) > 0 && seen.Vpcs[0].State == types.VpcStateAvailable, err
	})
	if err != nil {
		return f, err
	}
	return f, s.nameHosts(ctx, f.ID)
}

func (s *Site) updateVPC(ctx context.Context, _ stack.VPC, now plan.Found) error {
	return s.nameHosts(ctx, now.ID)
}

func (s *Site) nameHosts(ctx context.Context, id string) error {
	return s.soon(ctx, "switch on the DNS hostnames of VPC "+id, func(ctx context.Context) error {
		_, err := s.EC2.ModifyVpcAttribute(
			ctx,
			&ec2.ModifyVpcAttributeInput{
				VpcId:              &id,
				EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)},
			},
		)
		return err
	})
}

func (s *Site) deleteVPC(ctx context.Context, f plan.Found) error {
	return s.whenFree(ctx, f, func(ctx context.Context) error {
		_, err := s.EC2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &f.ID})
		return err
	})
}
