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

func describeLoadBalancer(b types.LoadBalancer) plan.Found {
	f := plan.Found{
		Kind:   stack.KindLoadBalancer,
		ID:     aws.ToString(b.LoadBalancerArn),
		Name:   aws.ToString(b.LoadBalancerName),
		Status: map[string]string{},
	}
	f.Created = aws.ToTime(b.CreatedTime).UTC().Format(time.RFC3339)
	f.Set("scheme", string(b.Scheme))
	var subnets []string
	for _, zone := range b.AvailabilityZones {
		subnets = append(subnets, aws.ToString(zone.SubnetId))
	}
	f.Set("subnets", subnets...)
	f.Set("security groups", b.SecurityGroups...)
	state := ""
	if b.State != nil {
		if state = string(b.State.Code); b.State.Code == types.LoadBalancerStateEnumActiveImpaired {
			state = string(types.LoadBalancerStateEnumActive) // it routes, and AWS is adding resources to it
		}
		if b.State.Code == types.LoadBalancerStateEnumFailed {
			f.Broken = "load balancer failed: " + aws.ToString(b.State.Reason)
		}
	}
	f.Set("state", state)
	f.Status["dns name"] = aws.ToString(b.DNSName)
	return f
}

func (s *Site) createLoadBalancer(ctx context.Context, r stack.Resource, body stack.LoadBalancer) (plan.Found, error) {
	var f plan.Found
	err := s.soon(ctx, "create load balancer "+body.BalancerName, func(ctx context.Context) error {
		made, err := s.ELB.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
			Name: &body.BalancerName, Type: types.LoadBalancerTypeEnumApplication, Scheme: types.LoadBalancerSchemeEnumInternetFacing,
			Subnets: s.ids(body.Subnets), SecurityGroups: s.ids(body.Groups), Tags: elbTags(s.tags(r)),
		})
		if err == nil {
			f = describeLoadBalancer(made.LoadBalancers[0])
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
	return f, s.balancerActive(ctx, r.Address, f.ID)
}

func (s *Site) balancerActive(ctx context.Context, address, arn string) error {
	return awsapi.Wait(ctx, 10*time.Minute, "the load balancer to be active", func(ctx context.Context) (bool, error) {
		list, err := s.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
		if awsapi.IsNotFound(err) {
			return false, nil // just made
		}
		if err != nil {
			return false, fmt.Errorf("look at the load balancer: %w", err)
		}
		f := describeLoadBalancer(list.LoadBalancers[0])
		if f.Broken != "" {
			return false, &diag.Diagnostic{
				Where:   address,
				Summary: f.Broken,
				Hint:    "run aloft up again: it makes another",
			}
		}
		if f.Get("state") != "active" {
			s.progress(address, "the load balancer is %s", f.Get("state"))
		}
		return f.Get("state") == "active", nil
	})
}

func (s *Site) updateLoadBalancer(
	ctx context.Context,
	r stack.Resource,
	body stack.LoadBalancer,
	now plan.Found,
) error {
	differ := func(name string, want []string) bool {
		return !slices.Equal(slices.Sorted(slices.Values(want)), now.Values[name])
	}
	if subnets := s.ids(body.Subnets); differ("subnets", subnets) {
		if _, err := s.ELB.SetSubnets(ctx, &elb.SetSubnetsInput{LoadBalancerArn: &now.ID, Subnets: subnets}); err != nil {
			return fmt.Errorf("set the subnets of load balancer %s: %w", now.Name, err)
		}
	}
	if groups := s.ids(body.Groups); differ("security groups", groups) {
		if _, err := s.ELB.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: &now.ID, SecurityGroups: groups}); err != nil {
			return fmt.Errorf("set the security groups of load balancer %s: %w", now.Name, err)
		}
	}
	return s.balancerActive(ctx, r.Address, now.ID)
}

func (s *Site) deleteLoadBalancer(ctx context.Context, f plan.Found) error {
	_, err := s.ELB.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &f.ID})
	if err != nil && !awsapi.IsNotFound(err) {
		return fmt.Errorf("delete load balancer %s: %w", f.Name, err)
	}
	return awsapi.Wait(ctx, 10*time.Minute, "the load balancer to be gone", func(ctx context.Context) (bool, error) {
		_, err := s.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{f.ID}})
		if awsapi.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
}
