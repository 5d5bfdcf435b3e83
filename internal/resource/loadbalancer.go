package resource

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// loadBalancerLimit is how long a load balancer may take to be active or deleted.
const loadBalancerLimit = 10 * time.Minute

var loadBalancerKind = kind{
	name:   stack.KindLoadBalancer,
	find:   findLoadBalancers,
	create: created((*Provisioner).createLoadBalancer),
	update: updated((*Provisioner).updateLoadBalancer),
	remove: (*Provisioner).deleteLoadBalancer,
}

type loadBalancerAPI interface {
	DescribeLoadBalancers(
		context.Context, *elb.DescribeLoadBalancersInput, ...func(*elb.Options),
	) (*elb.DescribeLoadBalancersOutput, error)
	CreateLoadBalancer(
		context.Context, *elb.CreateLoadBalancerInput, ...func(*elb.Options),
	) (*elb.CreateLoadBalancerOutput, error)
	SetSubnets(context.Context, *elb.SetSubnetsInput, ...func(*elb.Options)) (*elb.SetSubnetsOutput, error)
	SetSecurityGroups(
		context.Context, *elb.SetSecurityGroupsInput, ...func(*elb.Options),
	) (*elb.SetSecurityGroupsOutput, error)
	DescribeLoadBalancerAttributes(
		context.Context, *elb.DescribeLoadBalancerAttributesInput, ...func(*elb.Options),
	) (*elb.DescribeLoadBalancerAttributesOutput, error)
	ModifyLoadBalancerAttributes(
		context.Context, *elb.ModifyLoadBalancerAttributesInput, ...func(*elb.Options),
	) (*elb.ModifyLoadBalancerAttributesOutput, error)
	DeleteLoadBalancer(
		context.Context, *elb.DeleteLoadBalancerInput, ...func(*elb.Options),
	) (*elb.DeleteLoadBalancerOutput, error)
}

// listLoadBalancers returns the load balancers that have a name of the application.
func (c *Cloud) listLoadBalancers(ctx context.Context) ([]types.LoadBalancer, error) {
	list, err := collect(
		ctx,
		elb.NewDescribeLoadBalancersPaginator(c.ELB, &elb.DescribeLoadBalancersInput{}),
		func(page *elb.DescribeLoadBalancersOutput) []types.LoadBalancer { return page.LoadBalancers },
	)
	others := func(b types.LoadBalancer) bool { return !c.named(b.LoadBalancerName) }
	return slices.DeleteFunc(list, others), awsapi.Wrap("list load balancers", err)
}

func findLoadBalancers(ctx context.Context, d *discovery) ([]plan.Found, error) {
	balancing, err := d.findLoadBalancing(ctx)
	all := describe(balancing.balancers, describeLoadBalancer)
	for i := range all {
		balancing.setELBTags(&all[i])
		if err == nil {
			err = d.findBalancerSettings(ctx, &all[i])
		}
	}
	return all, err
}

func describeLoadBalancer(b types.LoadBalancer) plan.Found {
	f := plan.Found{
		Kind:    stack.KindLoadBalancer,
		ID:      aws.ToString(b.LoadBalancerArn),
		Name:    aws.ToString(b.LoadBalancerName),
		Created: aws.ToTime(b.CreatedTime).UTC().Format(time.RFC3339),
	}
	f.Set(stack.AttrScheme, string(b.Scheme))
	var subnets []string
	for _, zone := range b.AvailabilityZones {
		subnets = append(subnets, aws.ToString(zone.SubnetId))
	}
	f.Set(stack.AttrSubnets, subnets...)
	f.Set(stack.AttrSecurityGroups, b.SecurityGroups...)
	state := ""
	if b.State != nil {
		switch state = string(b.State.Code); b.State.Code {
		case types.LoadBalancerStateEnumActiveImpaired:
			state = stack.StateActive // it routes requests, and AWS is adding capacity
		case types.LoadBalancerStateEnumFailed:
			f.Broken = "load balancer failed: " + aws.ToString(b.State.Reason)
		case types.LoadBalancerStateEnumActive:
			f.Status.Problem = aws.ToString(b.State.Reason) // AWS gives none
		}
	}
	f.Set(stack.AttrState, state)
	f.Status.DNSName = aws.ToString(b.DNSName)
	return f
}

func (p *Provisioner) createLoadBalancer(
	ctx context.Context,
	r stack.Resource,
	body stack.LoadBalancer,
) (plan.Found, error) {
	var f plan.Found
	err := retryEventual(ctx, "create load balancer "+body.BalancerName, func(ctx context.Context) error {
		out, err := p.ELB.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
			Name:           &body.BalancerName,
			Type:           types.LoadBalancerTypeEnumApplication,
			Scheme:         types.LoadBalancerSchemeEnumInternetFacing,
			Subnets:        p.ids(body.Subnets),
			SecurityGroups: p.ids(body.Groups),
			Tags:           elbTags(p.tags(r)),
		})
		if err == nil {
			f = describeLoadBalancer(out.LoadBalancers[0])
		}
		return err
	})
	switch {
	case awsapi.IsExists(err):
		return f, nameTaken(r, "a load balancer", body.BalancerName, err)
	case awsapi.Code(err) == "OperationNotPermitted":
		return f, &diag.Diagnostic{
			Where:   r.Address,
			Summary: "AWS does not let this account create load balancers",
			Detail:  awsapi.Message(err),
			Hint:    "new accounts have to ask AWS Support once, under Service: Elastic Load Balancing",
			Cause:   err,
		}
	case err != nil:
		return f, err
	}
	f.Address = r.Address
	if err := p.waitLoadBalancerActive(ctx, r.Address, f.ID); err != nil {
		return f, err
	}
	if body.AccessLogs != (stack.Ref{}) {
		if err := p.setAccessLogs(ctx, f, *p.id(body.AccessLogs)); err != nil {
			return f, err
		}
	}
	if !body.Protected {
		return f, nil
	}
	return f, p.setProtection(ctx, f, true)
}

func (p *Provisioner) waitLoadBalancerActive(ctx context.Context, address, arn string) error {
	in := &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}}
	what := "the load balancer to be active"
	return awsapi.Wait(ctx, loadBalancerLimit, what, func(ctx context.Context) (bool, error) {
		list, err := p.ELB.DescribeLoadBalancers(ctx, in)
		if awsapi.IsNotFound(err) || err == nil && len(list.LoadBalancers) == 0 {
			return false, nil // just created
		}
		if err != nil {
			return false, fmt.Errorf("read the load balancer: %w", err)
		}
		f := describeLoadBalancer(list.LoadBalancers[0])
		if f.Broken != "" {
			return false, &diag.Diagnostic{
				Where:   address,
				Summary: f.Broken,
				Hint:    "run aloft up again: it creates another",
			}
		}
		state := f.Value(stack.AttrState)
		if state != stack.StateActive {
			p.progress(address, "the load balancer is %s", state)
		}
		return state == stack.StateActive, nil
	})
}

func (p *Provisioner) updateLoadBalancer(
	ctx context.Context,
	r stack.Resource,
	body stack.LoadBalancer,
	current plan.Found,
) error {
	differs := func(key stack.AttributeKey, desired []string) bool {
		return !slices.Equal(slices.Sorted(slices.Values(desired)), current.Values(key))
	}
	if subnets := p.ids(body.Subnets); differs(stack.AttrSubnets, subnets) {
		in := &elb.SetSubnetsInput{LoadBalancerArn: &current.ID, Subnets: subnets}
		if _, err := p.ELB.SetSubnets(ctx, in); err != nil {
			return fmt.Errorf("set the subnets of load balancer %s: %w", current.Name, err)
		}
	}
	if groups := p.ids(body.Groups); differs(stack.AttrSecurityGroups, groups) {
		in := &elb.SetSecurityGroupsInput{LoadBalancerArn: &current.ID, SecurityGroups: groups}
		if _, err := p.ELB.SetSecurityGroups(ctx, in); err != nil {
			return fmt.Errorf("set the security groups of load balancer %s: %w", current.Name, err)
		}
	}
	bucket := ""
	if body.AccessLogs != (stack.Ref{}) {
		bucket = *p.id(body.AccessLogs)
	}
	if bucket != current.Value(stack.AttrAccessLogs) {
		if err := p.setAccessLogs(ctx, current, bucket); err != nil {
			return err
		}
	}
	if body.Protected != (current.Value(stack.AttrProtection) == stack.On) {
		if err := p.setProtection(ctx, current, body.Protected); err != nil {
			return err
		}
	}
	return p.waitLoadBalancerActive(ctx, r.Address, current.ID)
}

func (p *Provisioner) deleteLoadBalancer(ctx context.Context, f plan.Found) error {
	_, err := p.ELB.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &f.ID})
	if p.Unprotect && awsapi.Code(err) == "OperationNotPermitted" {
		if err := p.setProtection(ctx, f, false); err != nil {
			return err
		}
		_, err = p.ELB.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &f.ID})
	}
	if awsapi.Code(err) == "OperationNotPermitted" {
		return &diag.Diagnostic{
			Where:   f.Address,
			Summary: "load balancer " + f.Name + " is protected against deletion",
			Detail:  awsapi.Message(err),
			Hint: "if it may go: aws elbv2 modify-load-balancer-attributes --load-balancer-arn " + f.ID +
				" --attributes Key=deletion_protection.enabled,Value=false; then run the same command again",
			Cause: err,
		}
	}
	if err := ignoreNotFound("delete load balancer "+f.Name, err); err != nil {
		return err
	}
	in := &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{f.ID}}
	what := "the load balancer to be gone"
	return awsapi.Wait(ctx, loadBalancerLimit, what, func(ctx context.Context) (bool, error) {
		list, err := p.ELB.DescribeLoadBalancers(ctx, in)
		if awsapi.IsNotFound(err) || err == nil && len(list.LoadBalancers) == 0 {
			return true, nil
		}
		return false, awsapi.Wrap("read the load balancer", err)
	})
}
