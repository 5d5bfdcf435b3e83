package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// RollbackInstanceRefresh makes an active refresh replace the instances that it
// has launched by instances with the group's own configuration.
func (a *API) RollbackInstanceRefresh(
	ctx context.Context, in *autoscaling.RollbackInstanceRefreshInput,
) (*autoscaling.RollbackInstanceRefreshOutput, error) {
	out := &autoscaling.RollbackInstanceRefreshOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		row, g, err := findActiveRefresh(
			tx, wire.RegionFrom(ctx), in.AutoScalingGroupName,
			store.RefreshPending, store.RefreshInProgress, store.RefreshBaking,
		)
		if err != nil {
			return err
		}
		reason, err := a.irreversibleReason(tx, g)
		if err != nil {
			return err
		}
		if reason != "" || !scalinggroup.HasDesiredConfiguration(row) {
			return wire.Errorf("IrreversibleInstanceRefresh", "The request failed because a desired configuration was "+
				"not found or an incompatible launch template (uses a Systems Manager parameter instead of an AMI "+
				"ID) or launch template version ($Latest or $Default) is present on the Auto Scaling group.")
		}
		out.InstanceRefreshId = &row.ID
		store.InstanceRefreshes.Edit(tx, row.ID, func(row *store.InstanceRefresh) {
			scalinggroup.BeginRollback(row, "Rollback was initiated due to user request.", a.Now())
		})
		return nil
	})
}

// checkAutoRollback checks that a refresh could be rolled back. The message of
// the first error is AWS's; those of the others are not known.
func (a *API) checkAutoRollback(row *store.InstanceRefresh, g *store.ScalingGroup) error {
	if !scalinggroup.HasDesiredConfiguration(row) {
		return invalid("The request isn't valid. The AutoRollback parameter cannot be set to true when the " +
			"DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a desired configuration " +
			"and try again.")
	}
	reason, err := a.irreversibleReason(a.Store.View(), g)
	if err != nil || reason == "" {
		return err
	}
	return invalid("The request isn't valid. The AutoRollback parameter cannot be set to true when the Auto Scaling "+
		"group %s. Set AutoRollback to false or update the Auto Scaling group and try again.", reason)
}

// irreversibleReason returns why a refresh cannot be rolled back to the group's own
// configuration, or "" if it can. Its words continue "the Auto Scaling group". $Latest,
// $Default and a parameter of AWS Systems Manager can mean something else at the time
// of the rollback (Amazon EC2 Auto Scaling User Guide, Undo changes with a rollback).
func (a *API) irreversibleReason(r store.Reader, g *store.ScalingGroup) (string, error) {
	sources, err := scalinggroup.SourcesOf(r, g)
	if err != nil {
		return "", err
	}
	for _, s := range sources {
		if s.Configuration != "" {
			return "uses a launch configuration instead of a launch template", nil
		}
		if version := s.Template.Version; version == "" || version == "$Latest" || version == "$Default" {
			return "uses the $Latest or $Default version of its launch template", nil
		}
		aliased, err := a.Templates.UsesImageAlias(r, g.Region, s.Template)
		if err != nil {
			return "", launchTemplateError(err)
		}
		if aliased {
			return "has a launch template that uses an AWS Systems Manager parameter instead of an AMI ID", nil
		}
	}
	return "", nil
}
