package autoscaling

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func shrinkingClause(from, to int32) string {
	return fmt.Sprintf(", shrinking the capacity from %d to %d", from, to)
}

func increasingClause(from, to int32) string {
	return fmt.Sprintf(", increasing the capacity from %d to %d", from, to)
}

// checkCapacityChange refuses to move the desired capacity out of the group's sizes.
func checkCapacityChange(g *store.ScalingGroup, by int, doing string) error {
	desired := int(g.Desired) + by
	if int(g.Min) <= desired && desired <= int(g.Max) {
		return nil
	}
	n := max(by, -by)
	what := "1 instance"
	if n != 1 {
		what = fmt.Sprintf("%d instances", n)
	}
	return invalid(
		"AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To %s %s, please update the AutoScalingGroup sizes appropriately.",
		g.Name,
		g.Min,
		g.Max,
		g.Desired,
		doing,
		what,
	)
}

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
		g, err := findActiveGroup(tx, region(ctx), in.AutoScalingGroupName)
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
	cause := scalinggroup.CauseSentence(
		now, "an instance was attached in response to a user request%s", a.changeDesired(tx, g, 1),
	)
	i.ActivityID = scalinggroup.BeginActivity(tx, i, "Attaching an existing EC2 instance: "+id, cause, now).ID
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

// DetachInstances lets instances leave a group, after their connections are
// drained, and leaves them running. They are replaced unless the desired
// capacity is lowered.
func (a *API) DetachInstances(ctx context.Context, in *autoscaling.DetachInstancesInput) (*autoscaling.DetachInstancesOutput, error) {
	if err := model.Required("shouldDecrementDesiredCapacity", in.ShouldDecrementDesiredCapacity != nil); err != nil {
		return nil, err
	}
	var begun []*store.ScalingActivity
	out := &autoscaling.DetachInstancesOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		rows, g, err := a.findLeaving(
			tx,
			region(ctx),
			in.AutoScalingGroupName,
			in.InstanceIds,
			*in.ShouldDecrementDesiredCapacity,
			"detach",
			store.LifecycleStandby,
		)
		if err != nil {
			return err
		}
		for _, i := range rows {
			suffix := ""
			if *in.ShouldDecrementDesiredCapacity && i.State == store.LifecycleInService {
				suffix = a.changeDesired(tx, g, -1)
			}
			begun = append(
				begun,
				a.beginTransition(tx, i, store.LifecycleDetaching, "Detaching EC2 instance: ", "detached", suffix),
			)
		}
		out.Activities = describeActivities(tx, begun)
		return nil
	})
}

// findLeaving finds the instances that are to leave, and refuses those that are in
// none of the states from which one can: in service, or the other one.
func (a *API) findLeaving(
	tx *store.Tx,
	region string,
	name *string,
	ids []string,
	decrement bool,
	doing, other string,
) ([]*store.ScalingInstance, *store.ScalingGroup, error) {
	g, err := findActiveGroup(tx, region, name)
	if err != nil {
		return nil, nil, err
	}
	rows, err := findGroupInstances(tx, g, ids, 20)
	if err != nil {
		return nil, nil, err
	}
	serving := 0
	for _, i := range rows {
		switch i.State {
		case store.LifecycleInService:
			serving++
		case other:
		default:
			if other == "" {
				return nil, nil, invalid("The instance %s is not in InService.", i.InstanceID)
			}
			return nil, nil, invalid("The instance %s is not in InService or Standby.", i.InstanceID)
		}
	}
	if decrement && serving > 0 {
		if err := checkCapacityChange(g, -serving, doing); err != nil {
			return nil, nil, err
		}
	}
	return rows, g, nil
}

// beginTransition moves an instance out of service, with an activity.
func (a *API) beginTransition(
	tx *store.Tx,
	i *store.ScalingInstance,
	state, description, done, suffix string,
) *store.ScalingActivity {
	now := a.Now()
	activity := scalinggroup.BeginActivity(
		tx,
		i,
		description+i.InstanceID,
		scalinggroup.CauseSentence(
			now, "instance %s was %s in response to a user request%s", i.InstanceID, done, suffix,
		),
		now,
	)
	store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, state, now)
		i.ActivityID, i.Replace, i.Successor, i.Surplus = activity.ID, "", "", false
	})
	return activity
}

// EnterStandby takes instances out of service without ending them: their
// connections are drained, and nobody checks their health.
func (a *API) EnterStandby(ctx context.Context, in *autoscaling.EnterStandbyInput) (*autoscaling.EnterStandbyOutput, error) {
	if err := model.Required("shouldDecrementDesiredCapacity", in.ShouldDecrementDesiredCapacity != nil); err != nil {
		return nil, err
	}
	var begun []*store.ScalingActivity
	out := &autoscaling.EnterStandbyOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		rows, g, err := a.findLeaving(
			tx,
			region(ctx),
			in.AutoScalingGroupName,
			in.InstanceIds,
			*in.ShouldDecrementDesiredCapacity,
			"place into standby",
			"",
		)
		if err != nil {
			return err
		}
		for _, i := range rows {
			suffix := ""
			if *in.ShouldDecrementDesiredCapacity {
				suffix = a.changeDesired(tx, g, -1)
			}
			begun = append(begun, a.beginTransition(
				tx, i, store.LifecycleEnteringStandby, "Moving EC2 instance to Standby: ", "moved to standby", suffix,
			))
		}
		out.Activities = describeActivities(tx, begun)
		return nil
	})
}

// ExitStandby puts instances back into service: the group is desired to be that
// much larger. They pass the launch hooks like new ones.
func (a *API) ExitStandby(ctx context.Context, in *autoscaling.ExitStandbyInput) (*autoscaling.ExitStandbyOutput, error) {
	var begun []*store.ScalingActivity
	out := &autoscaling.ExitStandbyOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		rows, err := findGroupInstances(tx, g, in.InstanceIds, 20)
		if err != nil {
			return err
		}
		for _, i := range rows {
			if i.State != store.LifecycleStandby {
				return invalid("The instance %s is not in Standby.", i.InstanceID)
			}
		}
		if err := checkCapacityChange(g, len(rows), "move out of standby"); err != nil {
			return err
		}
		for _, i := range rows {
			activity := a.beginTransition(
				tx,
				i,
				store.LifecyclePending,
				"Moving EC2 instance out of Standby: ",
				"moved out of standby",
				a.changeDesired(tx, g, 1),
			)
			scalinggroup.UpdateActivity(tx, activity.ID, scalinggroup.PreInService, 30)
			activity, _ = store.ScalingActivities.Get(tx, activity.ID)
			begun = append(begun, activity)
		}
		out.Activities = describeActivities(tx, begun)
		return nil
	})
}
