package autoscaling

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	compute "aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Compute is the part of Amazon EC2 that a Fleet calls.
type Compute interface {
	RunInstancesFor(ctx context.Context, region identity.Region, l compute.Launch) ([]string, error)
	TerminateInstances(ctx context.Context, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error)
	StartInstances(ctx context.Context, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error)
	StopInstances(ctx context.Context, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error)
}

// Balancing is the part of Elastic Load Balancing that a Fleet calls.
type Balancing interface {
	RegisterTargets(ctx context.Context, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error)
	DeregisterTargets(ctx context.Context, in *elb.DeregisterTargetsInput) (*elb.DeregisterTargetsOutput, error)
}

var (
	_ Compute   = (*compute.API)(nil)
	_ Balancing = (*elbv2.API)(nil)
)

// Fleet calls the other services on behalf of Auto Scaling groups, as AWS does
// with its service-linked role. The services' errors are of type
// *scalinggroup.Refusal.
type Fleet struct {
	Store     *store.Store
	Compute   Compute
	Balancing Balancing
	Publisher Publisher // nil: every role may publish
}

// MayPublish implements scaling.Fleet.
func (f *Fleet) MayPublish(r store.Reader, roleARN, topicARN string) bool {
	return f.Publisher.may(r, roleARN, topicARN)
}

// inRegion returns a context for calls in a region.
func inRegion(ctx context.Context, region identity.Region) context.Context {
	return wire.WithCaller(ctx, wire.Caller{Region: region})
}

// asRefusal returns a service's error as a refusal.
func asRefusal(err error) error {
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		return &scalinggroup.Refusal{Code: refused.Code, Message: refused.Message}
	}
	return err
}

// Launch launches an instance of a group with the tags that the group
// propagates. join runs in the same transaction and adds the instance to the
// group. A launch with the token of an earlier one launches nothing: join
// receives the earlier instance.
func (f *Fleet) Launch(
	ctx context.Context, group *store.ScalingGroup, source scalinggroup.Source, subnet, token string,
	join func(tx *store.Tx, id string) error,
) error {
	tags := store.Tags{}
	for _, t := range group.Tags {
		if t.Propagate {
			tags[t.Key] = t.Value
		}
	}
	launch, err := launchFrom(f.Store.View(), group, source, nil)
	if err != nil {
		return asRefusal(err)
	}
	launch.SubnetID, launch.Count, launch.Token, launch.Tags = subnet, 1, token, tags
	launch.Reserved = store.Tags{scalinggroup.TagKey: group.Name}
	launch.Also = func(tx *store.Tx, ids []string) error { return join(tx, ids[0]) }
	_, err = f.Compute.RunInstancesFor(ctx, group.Region, launch)
	return asRefusal(err)
}

// Terminate terminates an instance. Termination protection does not prevent it
// (Amazon EC2 User Guide, Change instance termination protection).
func (f *Fleet) Terminate(ctx context.Context, region identity.Region, id string) error {
	if err := f.Store.Update(func(tx *store.Tx) error {
		if i, ok := store.Instances.Get(tx, id); ok && i.DisableAPITermination {
			store.Instances.Edit(tx, id, func(i *store.Instance) { i.DisableAPITermination = false })
		}
		return nil
	}); err != nil {
		return err
	}
	in := &ec2.TerminateInstancesInput{InstanceIds: []string{id}}
	_, err := f.Compute.TerminateInstances(inRegion(ctx, region), in)
	return asRefusal(err)
}

// Start starts an instance of a warm pool.
func (f *Fleet) Start(ctx context.Context, region identity.Region, id string) error {
	_, err := f.Compute.StartInstances(inRegion(ctx, region), &ec2.StartInstancesInput{InstanceIds: []string{id}})
	return asRefusal(err)
}

// Stop stops an instance for a warm pool.
func (f *Fleet) Stop(ctx context.Context, region identity.Region, id string) error {
	_, err := f.Compute.StopInstances(inRegion(ctx, region), &ec2.StopInstancesInput{InstanceIds: []string{id}})
	return asRefusal(err)
}

// Register adds an instance to a target group, at the target group's port.
func (f *Fleet) Register(ctx context.Context, region identity.Region, arn, id string) error {
	_, err := f.Balancing.RegisterTargets(inRegion(ctx, region), &elb.RegisterTargetsInput{
		TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: &id}},
	})
	return asRefusal(err)
}

// Deregister deregisters a target, which then drains.
func (f *Fleet) Deregister(ctx context.Context, t *store.Target) error {
	_, err := f.Balancing.DeregisterTargets(inRegion(ctx, t.Region), &elb.DeregisterTargetsInput{
		TargetGroupArn: &t.TargetGroupARN, Targets: []types.TargetDescription{{Id: &t.ID, Port: &t.Port}},
	})
	return asRefusal(err)
}
