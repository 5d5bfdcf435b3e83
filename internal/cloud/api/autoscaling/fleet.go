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

// Compute is what a fleet needs of Amazon EC2.
type Compute interface {
	RunInstancesFor(ctx context.Context, region string, l compute.Launch) ([]string, error)
	TerminateInstances(ctx context.Context, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error)
}

// Balancing is what a fleet needs of Elastic Load Balancing.
type Balancing interface {
	RegisterTargets(ctx context.Context, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error)
	DeregisterTargets(ctx context.Context, in *elb.DeregisterTargetsInput) (*elb.DeregisterTargetsOutput, error)
}

var (
	_ Compute   = (*compute.API)(nil)
	_ Balancing = (*elbv2.API)(nil)
)

// Fleet is how groups act in the other services: what AWS does with its
// service-linked role. Its errors are the services' messages.
type Fleet struct {
	Store     *store.Store
	Compute   Compute
	Balancing Balancing
}

// inRegion is a context of a call in a region.
func inRegion(ctx context.Context, region string) context.Context {
	return wire.WithCaller(ctx, wire.Caller{AccountID: identity.Account, Region: region})
}

// messageOnly is what a service answered, without its code.
func messageOnly(err error) error {
	if aws, ok := errors.AsType[*wire.Error](err); ok {
		return errors.New(aws.Message)
	}
	return err
}

// Launch starts an instance of a group, with the tags that the group
// propagates, in one transaction with join.
func (f *Fleet) Launch(
	ctx context.Context,
	group *store.ScalingGroup,
	source scalinggroup.Source,
	subnet, token string,
	join func(tx *store.Tx, id string) error,
) error {
	tags := store.Tags{}
	for _, t := range group.Tags {
		if t.Propagate {
			tags[t.Key] = t.Value
		}
	}
	_, err := f.Compute.RunInstancesFor(ctx, group.Region, compute.Launch{
		Template: source.Template, Type: source.InstanceType, SubnetID: subnet, Count: 1, Token: token, Tags: tags,
		Reserved: store.Tags{scalinggroup.TagKey: group.Name},
		Also:     func(tx *store.Tx, ids []string) error { return join(tx, ids[0]) },
	})
	return messageOnly(err)
}

// Terminate ends an instance. Protection from termination does not keep Auto
// Scaling from it (Amazon EC2 User Guide, Change instance termination
// protection).
func (f *Fleet) Terminate(ctx context.Context, region, id string) error {
	if err := f.Store.Update(func(tx *store.Tx) error {
		if i, ok := store.Instances.Get(tx, id); ok && i.DisableAPITermination {
			store.Instances.Edit(tx, id, func(i *store.Instance) { i.DisableAPITermination = false })
		}
		return nil
	}); err != nil {
		return err
	}
	_, err := f.Compute.TerminateInstances(inRegion(ctx, region), &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	return messageOnly(err)
}

// Register adds an instance to a target group, at the group's port.
func (f *Fleet) Register(ctx context.Context, region, arn, id string) error {
	_, err := f.Balancing.RegisterTargets(
		inRegion(ctx, region),
		&elb.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: &id}}},
	)
	return messageOnly(err)
}

// Deregister lets a target drain.
func (f *Fleet) Deregister(ctx context.Context, t *store.Target) error {
	_, err := f.Balancing.DeregisterTargets(inRegion(ctx, t.Region), &elb.DeregisterTargetsInput{
		TargetGroupArn: &t.TargetGroupARN,
		Targets:        []types.TargetDescription{{Id: &t.ID, Port: &t.Port}},
	})
	return messageOnly(err)
}
