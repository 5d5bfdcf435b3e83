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

// endpointLimit is how long an EC2 Instance Connect Endpoint may take to be created and to be
// deleted. Both take minutes.
const endpointLimit = 20 * time.Minute

var connectEndpointKind = kind{
	name:   stack.KindConnectEndpoint,
	find:   listed((*Cloud).connectEndpoints),
	create: created((*Provisioner).createConnectEndpoint),
	update: updated((*Provisioner).updateConnectEndpoint),
	remove: (*Provisioner).deleteConnectEndpoint,
}

type connectEndpointAPI interface {
	DescribeInstanceConnectEndpoints(
		context.Context, *ec2.DescribeInstanceConnectEndpointsInput, ...func(*ec2.Options),
	) (*ec2.DescribeInstanceConnectEndpointsOutput, error)
	CreateInstanceConnectEndpoint(
		context.Context, *ec2.CreateInstanceConnectEndpointInput, ...func(*ec2.Options),
	) (*ec2.CreateInstanceConnectEndpointOutput, error)
	DeleteInstanceConnectEndpoint(
		context.Context, *ec2.DeleteInstanceConnectEndpointInput, ...func(*ec2.Options),
	) (*ec2.DeleteInstanceConnectEndpointOutput, error)
}

// connectEndpoints returns the application's endpoints. Those that are being deleted are
// listed, because their VPC can have no other until they are gone.
func (c *Cloud) connectEndpoints(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeInstanceConnectEndpointsPaginator(
			c.EC2, &ec2.DescribeInstanceConnectEndpointsInput{Filters: c.tagged()},
		),
		func(page *ec2.DescribeInstanceConnectEndpointsOutput) []types.Ec2InstanceConnectEndpoint {
			return page.InstanceConnectEndpoints
		},
	)
	var all []plan.Found
	for _, e := range list {
		if e.State != types.Ec2InstanceConnectEndpointStateDeleteComplete {
			all = append(all, describeConnectEndpoint(e))
		}
	}
	return all, awsapi.Wrap("list EC2 Instance Connect Endpoints", err)
}

// ConnectEndpoint returns the endpoint through which instances can be reached, if there is one:
// the application's own, or else one that exists in a VPC, which may be "".
func (c *Cloud) ConnectEndpoint(ctx context.Context, vpc string) (usable plan.Found, err error) {
	all, err := c.connectEndpoints(ctx)
	for _, f := range all {
		if f.Address == stack.AddressConnectEndpoint && f.Value(stack.AttrState) == stack.StateConnectable {
			usable = f
		}
	}
	if err != nil || usable.ID != "" || vpc == "" {
		return usable, err
	}
	n := &stack.ExistingNetwork{ID: vpc}
	if err := c.readEndpoints(ctx, n); err != nil {
		return usable, err
	}
	if e := n.Endpoint(); e != nil {
		usable = plan.Found{Address: stack.AddressConnectEndpoint, Kind: stack.KindConnectEndpoint, ID: e.ID}
		usable.Status.DNSName = e.DNSName
	}
	return usable, nil
}

func describeConnectEndpoint(e types.Ec2InstanceConnectEndpoint) plan.Found {
	f := foundByTags(stack.KindConnectEndpoint, e.InstanceConnectEndpointId, e.Tags)
	f.Set(stack.AttrSubnet, aws.ToString(e.SubnetId))
	f.Set(stack.AttrSecurityGroups, e.SecurityGroupIds...)
	f.Set(stack.AttrState, string(e.State))
	f.Status.DNSName = aws.ToString(e.DnsName)
	switch e.State {
	case types.Ec2InstanceConnectEndpointStateDeleteInProgress,
		types.Ec2InstanceConnectEndpointStateCreateFailed, types.Ec2InstanceConnectEndpointStateDeleteFailed:
		f.Broken = "it is in the state " + string(e.State)
	}
	return f
}

func (p *Provisioner) createConnectEndpoint(
	ctx context.Context, r stack.Resource, body stack.ConnectEndpoint,
) (plan.Found, error) {
	var f plan.Found
	err := retryEventual(ctx, "create the EC2 Instance Connect Endpoint", func(ctx context.Context) error {
		out, err := p.EC2.CreateInstanceConnectEndpoint(ctx, &ec2.CreateInstanceConnectEndpointInput{
			SubnetId: p.id(body.Subnet), SecurityGroupIds: p.ids([]stack.Ref{body.Group}),
			PreserveClientIp:  aws.Bool(false),
			TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeInstanceConnectEndpoint),
		})
		if err == nil {
			f = describeConnectEndpoint(*out.InstanceConnectEndpoint)
		}
		return err
	})
	if err != nil {
		return plan.Found{}, err
	}
	return p.awaitConnectEndpoint(ctx, r.Address, f)
}

// updateConnectEndpoint waits for an endpoint that an earlier run has created.
func (p *Provisioner) updateConnectEndpoint(
	ctx context.Context, r stack.Resource, _ stack.ConnectEndpoint, current plan.Found,
) error {
	f, err := p.awaitConnectEndpoint(ctx, r.Address, current)
	if err == nil {
		p.SetKnown(r.Address, f)
	}
	return err
}

// awaitConnectEndpoint waits until instances can be reached through an endpoint.
func (p *Provisioner) awaitConnectEndpoint(ctx context.Context, address string, f plan.Found) (plan.Found, error) {
	what := f.ID + " to be ready"
	err := awsapi.Wait(ctx, endpointLimit, what, func(ctx context.Context) (bool, error) {
		e, ok, err := p.connectEndpoint(ctx, f.ID)
		if err != nil || !ok {
			return false, err
		}
		if f = describeConnectEndpoint(e); f.Broken != "" {
			return false, &diag.Diagnostic{
				Where: address, Summary: f.ID + " cannot be used: " + f.Broken, Detail: aws.ToString(e.StateMessage),
				Hint: "run aloft up again: it replaces it",
			}
		}
		p.progress(address, "%s is %s", f.ID, e.State)
		return f.Value(stack.AttrState) == stack.StateConnectable, nil
	})
	return f, err
}

// connectEndpoint returns the endpoint with an id. ok is false if it does not exist, or is
// not known everywhere yet.
func (c *Cloud) connectEndpoint(ctx context.Context, id string) (types.Ec2InstanceConnectEndpoint, bool, error) {
	out, err := c.EC2.DescribeInstanceConnectEndpoints(ctx, &ec2.DescribeInstanceConnectEndpointsInput{
		InstanceConnectEndpointIds: []string{id},
	})
	if err != nil || len(out.InstanceConnectEndpoints) == 0 {
		return types.Ec2InstanceConnectEndpoint{}, false, ignoreNotFound("read "+id, err)
	}
	return out.InstanceConnectEndpoints[0], true, nil
}

func (p *Provisioner) deleteConnectEndpoint(ctx context.Context, f plan.Found) error {
	_, err := p.EC2.DeleteInstanceConnectEndpoint(ctx, &ec2.DeleteInstanceConnectEndpointInput{
		InstanceConnectEndpointId: &f.ID,
	})
	// The deletion of one that is being deleted may be refused.
	if err != nil && f.Value(stack.AttrState) != string(types.Ec2InstanceConnectEndpointStateDeleteInProgress) {
		if awsapi.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("delete %s: %w", f.ID, err)
	}
	return awsapi.Wait(ctx, endpointLimit, f.ID+" to be deleted", func(ctx context.Context) (bool, error) {
		e, ok, err := p.connectEndpoint(ctx, f.ID)
		if ok {
			p.progress(f.Address, "%s is %s", f.ID, e.State)
		}
		return err == nil && (!ok || e.State == types.Ec2InstanceConnectEndpointStateDeleteComplete), err
	})
}
