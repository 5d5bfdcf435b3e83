package elbv2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// A target group of type alb has one target: an Application Load Balancer of its VPC, which has
// a listener at the target's port (Network Load Balancer guide, Use an Application Load Balancer
// as a target of a Network Load Balancer). Clients report the messages that name an issue.

const alb = string(types.TargetTypeEnumAlb)

// resolveLoadBalancers refuses load balancers that cannot be registered.
func resolveLoadBalancers(r store.Reader, group *store.TargetGroup, targets []*store.Target) error {
	for _, t := range targets {
		lb, ok := store.LoadBalancers.Get(r, t.ID)
		switch {
		case !ok || lb.Region != group.Region || lb.IsNetwork():
			return wire.Errorf(
				"InvalidTarget", "The following targets are not valid Application Load Balancers: '%s'", t.ID,
			)
		case lb.VPCID != group.VPCID:
			return wire.Errorf("InvalidTarget", "%s'%s'", outsideVPC(group), t.ID)
		case !listensAt(r, lb, t.Port): // hashicorp/terraform-provider-aws, issue 38987
			return invalid("If the target type is ALB, the target must have at least one listener that matches the " +
				"target group port or any specified port overrides")
		}
		others := append(slices.Clone(targets), store.TargetsByTargetGroup.List(r, group.ARN)...)
		if slices.ContainsFunc(others, func(o *store.Target) bool {
			return o.DeregisteredAt.IsZero() && o.Key() != t.Key()
		}) {
			return wire.Errorf("TooManyTargets", "You can register one Application Load Balancer per target group")
		}
	}
	return nil
}

func listensAt(r store.Reader, lb *store.LoadBalancer, port int32) bool {
	return slices.ContainsFunc(
		store.ListenersByLoadBalancer.List(r, lb.ARN), func(l *store.Listener) bool { return l.Port == port },
	)
}

// registrations returns the targets that are the load balancer.
func registrations(r store.Reader, loadBalancerARN string) []*store.Target {
	return slices.DeleteFunc(
		store.TargetsByID.List(r, loadBalancerARN), func(t *store.Target) bool { return !t.DeregisteredAt.IsZero() },
	)
}

// checkNotRegistered refuses to delete a load balancer that is a target.
func checkNotRegistered(r store.Reader, lb *store.LoadBalancer) error {
	if len(registrations(r, lb.ARN)) == 0 {
		return nil
	}
	return wire.Errorf( // ExpediaGroup/apiary-data-lake, issue 85
		"ResourceInUse",
		"Load balancer '%s' cannot be deleted because it is currently associated with another service", lb.ARN,
	)
}

// checkPortNotRegistered refuses to take a listener from its port, at which its load balancer is
// a target (hashicorp/terraform-provider-aws, issue 26102).
func checkPortNotRegistered(r store.Reader, l *store.Listener) error {
	for _, t := range registrations(r, l.LoadBalancerARN) {
		if t.Port == l.Port {
			return wire.Errorf(
				"ResourceInUse", "Listener port '%d' is in use by registered target '%s' and cannot be removed",
				l.Port, l.LoadBalancerARN,
			)
		}
	}
	return nil
}

// checkModifiable refuses to change the attributes of a target group of type alb, which always
// have their defaults.
func checkModifiable(group *store.TargetGroup) error {
	if group.TargetType != alb {
		return nil
	}
	return attributeConflict("You cannot modify the attributes of target groups with the target type 'alb'")
}
