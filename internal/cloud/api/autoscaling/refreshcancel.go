package autoscaling

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// findActiveRefresh returns a group and its active refresh, which must have one
// of the statuses.
func findActiveRefresh(
	tx *store.Tx, region identity.Region, name *string, statuses ...string,
) (*store.InstanceRefresh, *store.ScalingGroup, error) {
	g, err := findGroup(tx, region, name)
	if err != nil {
		return nil, nil, err
	}
	row, ok := scalinggroup.ActiveRefresh(tx, g.Key())
	if !ok || !slices.Contains(statuses, row.Status) {
		return nil, nil, wire.Errorf("ActiveInstanceRefreshNotFound", "No in progress, baking, pending, or cancelling "+
			"Instance Refresh found for Auto Scaling group %s", g.Name)
	}
	return row, g, nil
}

// CancelInstanceRefresh stops a refresh or a rollback, and keeps the instances that
// it has launched so far.
func (a *API) CancelInstanceRefresh(
	ctx context.Context, in *autoscaling.CancelInstanceRefreshInput,
) (*autoscaling.CancelInstanceRefreshOutput, error) {
	out := &autoscaling.CancelInstanceRefreshOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		row, _, err := findActiveRefresh(
			tx, wire.RegionFrom(ctx), in.AutoScalingGroupName,
			store.RefreshPending, store.RefreshInProgress, store.RefreshBaking,
			store.RefreshRollbackInProgress, store.RefreshCancelling,
		)
		if err != nil {
			return err
		}
		out.InstanceRefreshId = &row.ID
		store.InstanceRefreshes.Edit(tx, row.ID, func(row *store.InstanceRefresh) {
			row.Status, row.StatusReason = store.RefreshCancelling, ""
			row.Abrupt = !constraint.Default(in.WaitForTransitioningInstances, true)
		})
		return nil
	})
}
