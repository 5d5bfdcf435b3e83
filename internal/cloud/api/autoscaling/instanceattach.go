package autoscaling

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AttachInstances adds running instances to a group and raises its desired
// capacity by what they provide.
func (a *API) AttachInstances(
	ctx context.Context, in *autoscaling.AttachInstancesInput,
) (*autoscaling.AttachInstancesOutput, error) {
	switch {
	case len(in.InstanceIds) == 0:
		return nil, model.Null("instanceIds")
	case len(in.InstanceIds) > maxMoved:
		return nil, invalid("The number of instance ids that may be passed in is limited to %d", maxMoved)
	}
	return &autoscaling.AttachInstancesOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		sources, err := scalinggroup.SourcesOf(tx, g)
		if err != nil {
			return err
		}
		units := 0
		for _, id := range in.InstanceIds {
			units += scalinggroup.Units(attached(tx, g, sources, id))
		}
		if err := checkDesiredChange(g, units, "attach", len(in.InstanceIds)); err != nil {
			return err
		}
		for _, id := range in.InstanceIds {
			if err := checkAttachable(tx, g, id); err != nil {
				return err
			}
			a.attach(tx, g, attached(tx, g, sources, id))
		}
		return nil
	})
}

// checkAttachable refuses an instance that cannot be attached to the group.
func checkAttachable(r store.Reader, g *store.ScalingGroup, id string) error {
	i, ok := store.Instances.Get(r, id)
	switch {
	case !ok || i.Region != g.Region:
		return invalid("Invalid Instance ID(s): [%s] specified", id)
	case i.State != store.Running:
		return invalid("Instance %s is not in correct state. Instance(s) must be in 'running' state.", id)
	case !slices.Contains(g.Zones, i.Zone):
		return invalid(
			"Instance %s is in Availability Zone %s, which is not one of the Auto Scaling group's", id, i.Zone,
		)
	}
	if other, ok := store.ScalingInstances.Get(r, id); ok {
		return invalid("Instance %s is already part of AutoScalingGroup:%s", id, other.Group)
	}
	if image, ok := store.Images.Get(r, i.ImageID); !ok || image.State != "available" {
		return invalid("The image of instance %s, %s, is no longer available", id, i.ImageID)
	}
	if subnet, ok := store.Subnets.Get(r, g.SubnetIDs[0]); ok && subnet.VPCID != i.VPCID {
		return invalid("Instance %s is not in the VPC of the Auto Scaling group", id)
	}
	return nil
}

// attached returns an instance as the group's, which launches from the sources. It is not yet
// stored, and may not even exist.
func attached(
	r store.Reader, g *store.ScalingGroup, sources []scalinggroup.Source, id string,
) *store.ScalingInstance {
	i := &store.ScalingInstance{
		InstanceID: id, Region: g.Region, Group: g.Name, Attached: true,
		Protected: g.ProtectNewInstances, Health: scalinggroup.Healthy,
	}
	if machine, ok := store.Instances.Get(r, id); ok {
		i.Zone, i.SubnetID = machine.Zone, machine.SubnetID
	}
	scalinggroup.Describe(r, i)
	i.Weight = scalinggroup.WeightOf(sources, i)
	return i
}

func (a *API) attach(tx *store.Tx, g *store.ScalingGroup, i *store.ScalingInstance) {
	now := a.Now()
	scalinggroup.SetLifecycleState(i, store.LifecyclePending, now)
	cause := scalinggroup.CauseUserAttached(now, addToDesired(tx, g, scalinggroup.Units(i)))
	i.ActivityID = scalinggroup.BeginActivity(tx, a.IDs, i, scalinggroup.DescribeAttach+i.InstanceID, cause, now).ID
	store.ScalingInstances.Put(tx, i)
	store.Instances.Edit(tx, i.InstanceID, func(row *store.Instance) {
		row.Tags = maps.Clone(row.Tags)
		if row.Tags == nil {
			row.Tags = store.Tags{}
		}
		row.Tags[scalinggroup.TagKey] = g.Name
	})
}
