package resource

import (
	"context"
	"slices"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// kind implements the operations on one kind of resource. What the planner needs
// to know about a kind is in package stack.
type kind struct {
	name stack.Kind
	// find returns the application's resources of the kind.
	find findFunc
	// create creates a resource and waits until it is usable. old are the resources
	// that it replaces.
	create createFunc
	// update changes what differs from the desired resource. It is nil for a kind
	// that cannot be changed in place.
	update updateFunc
	// remove deletes a resource and waits until it is gone. It succeeds if the
	// resource does not exist.
	remove deleteFunc
}

type (
	findFunc   func(context.Context, *discovery) ([]plan.Found, error)
	createFunc func(ctx context.Context, p *Provisioner, r stack.Resource, old []plan.Found) (plan.Found, error)
	updateFunc func(ctx context.Context, p *Provisioner, r stack.Resource, current plan.Found) error
	deleteFunc func(*Provisioner, context.Context, plan.Found) error
)

// kinds lists all kinds.
var kinds = []kind{
	vpcKind,
	subnetKind,
	internetGatewayKind,
	elasticIPKind,
	natGatewayKind,
	routeTableKind,
	securityGroupKind,
	keyPairKind,
	connectEndpointKind,
	environmentKind,
	logGroupKind,
	roleKind,
	instanceProfileKind,
	serverKind,
	imageKind,
	targetGroupKind,
	bucketKind,
	loadBalancerKind,
	certificateKind,
	listenerKind,
	recordKind,
	targetKind,
	launchTemplateKind,
	scalingGroupKind,
	scalingPolicyKind,
	scheduleKind,
	memberKind,
	topicKind,
	alarmKind,
}

func kindOf(name stack.Kind) kind {
	if i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name }); i >= 0 {
		return kinds[i]
	}
	return kind{}
}

// listed returns a findFunc for a kind that is found without knowledge of others.
func listed(list func(*Cloud, context.Context) ([]plan.Found, error)) findFunc {
	return func(ctx context.Context, d *discovery) ([]plan.Found, error) { return list(d.Cloud, ctx) }
}

// created returns a createFunc for a kind whose body is a B.
func created[B stack.Body](
	create func(*Provisioner, context.Context, stack.Resource, B) (plan.Found, error),
) createFunc {
	return func(ctx context.Context, p *Provisioner, r stack.Resource, _ []plan.Found) (plan.Found, error) {
		return create(p, ctx, r, r.Body.(B))
	}
}

// updated returns an updateFunc for a kind whose body is a B.
func updated[B stack.Body](
	update func(*Provisioner, context.Context, stack.Resource, B, plan.Found) error,
) updateFunc {
	return func(ctx context.Context, p *Provisioner, r stack.Resource, current plan.Found) error {
		return update(p, ctx, r, r.Body.(B), current)
	}
}
