package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// StartInstanceRefresh begins to replace the instances of a group. The scaling
// loop does it.
func (a *API) StartInstanceRefresh(ctx context.Context, in *autoscaling.StartInstanceRefreshInput) (*autoscaling.StartInstanceRefreshOutput, error) {
	g, err := findActiveGroup(a.Store.View(), wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	row := &store.InstanceRefresh{
		ID:       a.IDs.UUID(),
		Region:   g.Region,
		Group:    g.Name,
		Strategy: "Rolling",
		Created:  a.Now().UTC(),
		Status:   store.RefreshPending,
	}
	preferences, err := a.completePreferences(g, in.Preferences)
	if err := cmp.Or(err, checkStrategy(in.Strategy), a.setDesiredConfiguration(row, g, in.DesiredConfiguration)); err != nil {
		return nil, err
	}
	if *preferences.AutoRollback {
		if err := a.checkAutoRollback(row, g); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(preferences)
	if err != nil {
		return nil, fmt.Errorf("keep the preferences of an instance refresh: %w", err)
	}
	row.Preferences = string(text)
	return &autoscaling.StartInstanceRefreshOutput{
			InstanceRefreshId: &row.ID,
		}, a.Store.Update(func(tx *store.Tx) error {
			if _, err := findActiveGroup(tx, g.Region, in.AutoScalingGroupName); err != nil {
				return err
			}
			if _, going := scalinggroup.ActiveRefresh(tx, g.Key()); going {
				return wire.Errorf(
					"InstanceRefreshInProgress",
					"An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
				)
			}
			for _, old := range store.InstanceRefreshes.By(tx, "group", g.Key()) {
				if row.Created.Sub(old.Created) > refreshRetention {
					store.InstanceRefreshes.Delete(tx, old.ID)
				}
			}
			store.InstanceRefreshes.Put(tx, row)
			return nil
		})
}

func checkStrategy(strategy types.RefreshStrategy) error {
	switch strategy {
	case "", types.RefreshStrategyRolling:
		return nil
	case types.RefreshStrategyReplaceRootVolume:
		return wire.NotImplemented("replacing root volumes of running instances (Strategy ReplaceRootVolume)")
	}
	return model.OutOfSet("strategy", strategy, "Rolling", "ReplaceRootVolume")
}

// setDesiredConfiguration writes the desired configuration into the row, if there is one. It must
// be one that the group could launch with.
func (a *API) setDesiredConfiguration(row *store.InstanceRefresh, g *store.ScalingGroup, desired *types.DesiredConfiguration) error {
	if desired == nil || desired.LaunchTemplate == nil && desired.MixedInstancesPolicy == nil {
		return nil
	}
	wanted := *g
	if err := a.setLaunchSource(&wanted, desired.LaunchTemplate, desired.MixedInstancesPolicy); err != nil {
		return err
	}
	if err := a.checkLaunch(&wanted); err != nil {
		return err
	}
	row.Template, row.Mixed = wanted.Template, wanted.Mixed
	return nil
}

// checkNotRefreshing refuses another configuration than the group has while a
// refresh with a desired configuration brings one.
func checkNotRefreshing(r store.Reader, g, wanted *store.ScalingGroup) error {
	row, ok := scalinggroup.ActiveRefresh(r, g.Key())
	if ok && scalinggroup.HasDesiredConfiguration(row) && (wanted.Template != g.Template || wanted.Mixed != g.Mixed) {
		return invalid(
			"An active instance refresh with a desired configuration exists. All configuration options derived from the desired configuration are not available for update while the instance refresh is active.",
		)
	}
	return nil
}
