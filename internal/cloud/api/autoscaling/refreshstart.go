package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// StartInstanceRefresh creates an instance refresh. The scaling loop carries it
// out.
func (a *API) StartInstanceRefresh(
	ctx context.Context, in *autoscaling.StartInstanceRefreshInput,
) (*autoscaling.StartInstanceRefreshOutput, error) {
	g, err := findActiveGroup(a.Store.View(), wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	row, err := a.newRefresh(ctx, g, in)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.StartInstanceRefreshOutput{InstanceRefreshId: &row.ID}
	return out, a.Store.Update(func(tx *store.Tx) error {
		if _, err := findActiveGroup(tx, g.Region, in.AutoScalingGroupName); err != nil {
			return err
		}
		if _, active := scalinggroup.ActiveRefresh(tx, g.Key()); active {
			return wire.Errorf("InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks "+
				"the execution of this Instance Refresh.")
		}
		deleteOldRefreshes(tx, g, row.Created)
		store.InstanceRefreshes.Put(tx, row)
		return nil
	})
}

// newRefresh returns the refresh of a request that is valid for the group.
func (a *API) newRefresh(
	ctx context.Context, g *store.ScalingGroup, in *autoscaling.StartInstanceRefreshInput,
) (*store.InstanceRefresh, error) {
	row := &store.InstanceRefresh{
		ID: a.IDs.UUID(), Region: g.Region, Group: g.Name,
		Strategy: "Rolling", Created: a.Now().UTC(), Status: store.RefreshPending,
	}
	preferences, err := a.completePreferences(g, in.Preferences)
	if err := cmp.Or(
		err, checkStrategy(in.Strategy), a.setDesiredConfiguration(ctx, row, g, in.DesiredConfiguration),
	); err != nil {
		return nil, err
	}
	if *preferences.AutoRollback {
		if err := a.checkAutoRollback(row, g); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(preferences)
	if err != nil {
		return nil, fmt.Errorf("encode the preferences of an instance refresh: %w", err)
	}
	row.Preferences = string(text)
	return row, nil
}

func deleteOldRefreshes(tx *store.Tx, g *store.ScalingGroup, now time.Time) {
	for _, old := range store.InstanceRefreshesByGroup.List(tx, g.Key()) {
		if now.Sub(old.Created) > refreshRetention {
			store.InstanceRefreshes.Delete(tx, old.ID)
		}
	}
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

// setDesiredConfiguration copies the desired configuration, if there is one,
// into the refresh. The group must be able to launch instances with it.
func (a *API) setDesiredConfiguration(
	ctx context.Context, row *store.InstanceRefresh, g *store.ScalingGroup, desired *types.DesiredConfiguration,
) error {
	if desired == nil || desired.LaunchTemplate == nil && desired.MixedInstancesPolicy == nil {
		return nil
	}
	refreshed := *g
	source := launchSource{template: desired.LaunchTemplate, mixed: desired.MixedInstancesPolicy}
	if err := a.setLaunchSource(a.Store.View(), &refreshed, source); err != nil {
		return err
	}
	if err := a.checkLaunch(ctx, &refreshed, nil); err != nil {
		return err
	}
	row.Template, row.Mixed = refreshed.Template, refreshed.Mixed
	return nil
}

// checkNotRefreshing refuses a change of the group's launch source while a refresh
// with a desired configuration is active: the refresh sets the launch source
// itself. changed is the group after the change.
func checkNotRefreshing(r store.Reader, g, changed *store.ScalingGroup) error {
	row, active := scalinggroup.ActiveRefresh(r, g.Key())
	if !active || !scalinggroup.HasDesiredConfiguration(row) ||
		changed.Template == g.Template && changed.Mixed == g.Mixed && changed.Configuration == g.Configuration {
		return nil
	}
	return invalid("An active instance refresh with a desired configuration exists. All configuration options " +
		"derived from the desired configuration are not available for update while the instance refresh is active.")
}
