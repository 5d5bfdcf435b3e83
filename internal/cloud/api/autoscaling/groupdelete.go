package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DeleteAutoScalingGroup deletes a group that has no instances, or, forced, lets
// it go with them: it is told as being deleted until the last one is gone.
func (a *API) DeleteAutoScalingGroup(ctx context.Context, in *autoscaling.DeleteAutoScalingGroupInput) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	force := aws.ToBool(in.ForceDelete)
	return &autoscaling.DeleteAutoScalingGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		switch {
		case g.DeletionProtection == "prevent-all-deletion", g.DeletionProtection == "prevent-force-deletion" && force:
			return invalid(
				"The Auto Scaling group %s cannot be deleted because its deletion protection is %s",
				g.Name,
				g.DeletionProtection,
			)
		case len(scalinggroup.Instances(tx, g.Key())) > 0 && !force:
			return wire.Errorf(
				"ResourceInUse",
				"You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
			)
		case len(store.ScalingActivities.By(tx, "open", g.Key())) > 0 && !force:
			return wire.Errorf(
				"ScalingActivityInProgress",
				"You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
			)
		case len(scalinggroup.Instances(tx, g.Key()))+len(store.ScalingActivities.By(tx, "open", g.Key())) == 0:
			scalinggroup.Delete(tx, g.Key(), a.Now())
			return nil
		}
		scalinggroup.ChangeDesired(tx, g.Key(), 0, scalinggroup.BecauseUserSetSizes(0, 0, 0), a.Now())
		store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Min, g.Max, g.Deleting = 0, 0, true })
		return nil
	})
}
