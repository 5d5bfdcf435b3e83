package resource

import (
	"context"
	"crypto/rand"
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

// natGatewayLimit is how long a NAT gateway may take to be available or deleted. Both
// take minutes on AWS.
const natGatewayLimit = 15 * time.Minute

var natGatewayKind = kind{
	name:   stack.KindNatGateway,
	find:   listed((*Cloud).natGateways),
	create: created((*Provisioner).createNatGateway),
	update: updated((*Provisioner).updateNatGateway),
	remove: (*Provisioner).deleteNatGateway,
}

type natGatewayAPI interface {
	DescribeNatGateways(
		context.Context, *ec2.DescribeNatGatewaysInput, ...func(*ec2.Options),
	) (*ec2.DescribeNatGatewaysOutput, error)
	CreateNatGateway(
		context.Context, *ec2.CreateNatGatewayInput, ...func(*ec2.Options),
	) (*ec2.CreateNatGatewayOutput, error)
	DeleteNatGateway(
		context.Context, *ec2.DeleteNatGatewayInput, ...func(*ec2.Options),
	) (*ec2.DeleteNatGatewayOutput, error)
}

// natGateways returns the NAT gateways that exist. Those that were deleted or failed have
// nothing any more, and EC2 forgets them after an hour.
func (c *Cloud) natGateways(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeNatGatewaysPaginator(c.EC2, &ec2.DescribeNatGatewaysInput{
			Filter: append(c.tagged(), awsapi.Filter("state", "pending", "available", "deleting")),
		}),
		func(page *ec2.DescribeNatGatewaysOutput) []types.NatGateway { return page.NatGateways },
	)
	return describe(list, describeNatGateway), awsapi.Wrap("list NAT gateways", err)
}

func describeNatGateway(g types.NatGateway) plan.Found {
	f := foundByTags(stack.KindNatGateway, g.NatGatewayId, g.Tags)
	f.Created = aws.ToTime(g.CreateTime).UTC().Format(time.RFC3339)
	f.Set(stack.AttrSubnet, aws.ToString(g.SubnetId))
	f.Set(stack.AttrState, string(g.State))
	for _, a := range g.NatGatewayAddresses {
		if id := aws.ToString(a.AllocationId); id != "" {
			f.Set(stack.AttrElasticIP, id)
		}
	}
	if g.State == types.NatGatewayStateDeleting {
		f.Broken = "it is being deleted"
	}
	return f
}

func (p *Provisioner) createNatGateway(
	ctx context.Context, r stack.Resource, body stack.NatGateway,
) (plan.Found, error) {
	var f plan.Found
	token := rand.Text()
	err := retryEventual(ctx, "create "+r.Address, func(ctx context.Context) error {
		out, err := p.EC2.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{
			SubnetId: p.id(body.Subnet), AllocationId: p.id(body.ElasticIP), ClientToken: &token,
			TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeNatgateway),
		})
		if err == nil {
			f = describeNatGateway(*out.NatGateway)
		}
		return err
	})
	if err != nil {
		return f, err
	}
	return f, p.waitNatGatewayAvailable(ctx, r.Address, f.ID)
}

// updateNatGateway waits for a gateway that an interrupted run created.
func (p *Provisioner) updateNatGateway(
	ctx context.Context, r stack.Resource, _ stack.NatGateway, current plan.Found,
) error {
	return p.waitNatGatewayAvailable(ctx, r.Address, current.ID)
}

func (p *Provisioner) waitNatGatewayAvailable(ctx context.Context, address, id string) error {
	what := "NAT gateway " + id + " to be available"
	return awsapi.Wait(ctx, natGatewayLimit, what, func(ctx context.Context) (bool, error) {
		g, err := p.readNatGateway(ctx, id)
		if g == nil || err != nil {
			return false, err // just created
		}
		switch g.State {
		case types.NatGatewayStateAvailable:
			return true, nil
		case types.NatGatewayStatePending:
			p.progress(address, "NAT gateway %s is pending", id)
			return false, nil
		}
		return false, &diag.Diagnostic{
			Where:   address,
			Summary: fmt.Sprintf("NAT gateway %s is %s", id, g.State),
			Detail:  aws.ToString(g.FailureMessage),
			Hint:    "run aloft up again: it creates another",
		}
	})
}

// readNatGateway returns a NAT gateway, or nil if EC2 does not know it.
func (p *Provisioner) readNatGateway(ctx context.Context, id string) (*types.NatGateway, error) {
	list, err := p.EC2.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{id}})
	if err != nil {
		return nil, ignoreNotFound("read NAT gateway "+id, err)
	}
	if len(list.NatGateways) == 0 {
		return nil, nil
	}
	return &list.NatGateways[0], nil
}

// deleteNatGateway deletes a gateway and waits until it has given back its Elastic IP
// address and its network interface.
func (p *Provisioner) deleteNatGateway(ctx context.Context, f plan.Found) error {
	_, err := p.EC2.DeleteNatGateway(ctx, &ec2.DeleteNatGatewayInput{NatGatewayId: &f.ID})
	if err := ignoreNotFound("delete NAT gateway "+f.ID, err); err != nil {
		return err
	}
	what := "NAT gateway " + f.ID + " to be deleted"
	return awsapi.Wait(ctx, natGatewayLimit, what, func(ctx context.Context) (bool, error) {
		g, err := p.readNatGateway(ctx, f.ID)
		if g == nil || err != nil {
			return err == nil, err
		}
		if g.State == types.NatGatewayStateDeleting {
			p.progress(f.Address, "NAT gateway %s is being deleted", f.ID)
		}
		return g.State == types.NatGatewayStateDeleted || g.State == types.NatGatewayStateFailed, nil
	})
}
