package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DeleteAutoScalingGroup deletes a group that has no instances. With ForceDelete
// it deletes any group: the group is described as being deleted until its last
// instance has terminated. With the manner Times, a group without instances is too for
// a while.
func (a *API) DeleteAutoScalingGroup(
	ctx context.Context, in *autoscaling.DeleteAutoScalingGroupInput,
) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	return &autoscaling.DeleteAutoScalingGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		instances := len(scalinggroup.Instances(tx, g.Key()))
		activities := len(store.OpenScalingActivitiesByGroup.List(tx, g.Key()))
		force := aws.ToBool(in.ForceDelete)
		switch {
		case g.DeletionProtection == "prevent-all-deletion", g.DeletionProtection == "prevent-force-deletion" && force:
			return invalid("The Auto Scaling group %s cannot be deleted because its deletion protection is %s",
				g.Name, g.DeletionProtection)
		case instances > 0 && !force:
			return wire.Errorf("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or "+
				"pending Spot instance request(s) still in the group.")
		case activities > 0 && !force:
			return wire.Errorf("ScalingActivityInProgress", "You cannot delete an AutoScalingGroup while there are "+
				"scaling activities in progress for that group.")
		}
		gone := a.Manners.Until(a.Now(), manners.DeleteScalingGroup, g.ARN)
		if instances+activities == 0 && gone.IsZero() {
			scalinggroup.Delete(tx, g.Key(), a.Now())
			return nil
		}
		scalinggroup.ChangeDesired(tx, g.Key(), 0, scalinggroup.BecauseUserSetSizes(0, 0, 0), a.Now())
		store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) {
			g.Min, g.Max, g.Deleting, g.GoneAt = 0, 0, true, gone
		})
		return nil
	})
}
