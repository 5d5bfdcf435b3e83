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

// AttachInstances takes running instances into a group, which is desired to be
// that much larger.
func (a *API) AttachInstances(ctx context.Context, in *autoscaling.AttachInstancesInput) (*autoscaling.AttachInstancesOutput, error) {
	switch {
	case len(in.InstanceIds) == 0:
		return nil, model.Null("instanceIds")
	case len(in.InstanceIds) > 20:
		return nil, invalid("The number of instance ids that may be passed in is limited to 20")
	}
	return &autoscaling.AttachInstancesOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		if err := checkCapacityChange(g, len(in.InstanceIds), "attach"); err != nil {
			return err
		}
		for _, id := range in.InstanceIds {
			if err := a.attachInstance(tx, g, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *API) attachInstance(tx *store.Tx, g *store.ScalingGroup, id string) error {
	machine, ok := store.Instances.Get(tx, id)
	switch {
	case !ok || machine.Region != g.Region:
		return invalid("Invalid Instance ID(s): [%s] specified", id)
	case machine.State != store.Running:
		return invalid("Instance %s is not in correct state. Instance(s) must be in 'running' state.", id)
	case !slices.Contains(g.Zones, machine.Zone):
		return invalid(
			"Instance %s is in Availability Zone %s, which is not one of the Auto Scaling group's", id, machine.Zone,
		)
	}
	if other, ok := store.ScalingInstances.Get(tx, id); ok {
		return invalid("Instance %s is already part of AutoScalingGroup:%s", id, other.Group)
	}
	if image, ok := store.Images.Get(tx, machine.ImageID); !ok || image.State != "available" {
		return invalid("The image of instance %s, %s, is no longer available", id, machine.ImageID)
	}
	if subnet, ok := store.Subnets.Get(tx, g.SubnetIDs[0]); ok && subnet.VPCID != machine.VPCID {
		return invalid("Instance %s is not in the VPC of the Auto Scaling group", id)
	}
	now := a.Now()
	i := &store.ScalingInstance{
		InstanceID: id, Region: g.Region, Group: g.Name, Zone: machine.Zone, SubnetID: machine.SubnetID, Attached: true,
		Protected: g.ProtectNewInstances, Health: scalinggroup.Healthy,
	}
	scalinggroup.Describe(tx, i)
	scalinggroup.SetLifecycleState(i, store.LifecyclePending, now)
	cause := scalinggroup.CauseUserAttached(now, a.changeDesired(tx, g, 1))
	i.ActivityID = scalinggroup.BeginActivity(tx, a.IDs, i, scalinggroup.DescribeAttach+id, cause, now).ID
	store.ScalingInstances.Put(tx, i)
	store.Instances.Edit(tx, id, func(row *store.Instance) {
		row.Tags = maps.Clone(row.Tags)
		if row.Tags == nil {
			row.Tags = store.Tags{}
		}
		row.Tags[scalinggroup.TagKey] = g.Name
	})
	return nil
}
