package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// refreshRetention is how long instance refreshes are told of (Amazon EC2 Auto
// Scaling API Reference, DescribeInstanceRefreshes).
const refreshRetention = 6 * 7 * 24 * time.Hour

// StartInstanceRefresh begins to replace the instances of a group. The scaling
// loop does it.
func (a *API) StartInstanceRefresh(ctx context.Context, in *autoscaling.StartInstanceRefreshInput) (*autoscaling.StartInstanceRefreshOutput, error) {
	g, err := findActiveGroup(a.Store.View(), region(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	row := &store.InstanceRefresh{
		ID:       scalinggroup.UUID(),
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

// checkAutoRollback refuses a refresh that could not be rolled back. AWS's words
// for the first case are known, those for the others are not.
func (a *API) checkAutoRollback(row *store.InstanceRefresh, g *store.ScalingGroup) error {
	if !scalinggroup.HasDesiredConfiguration(row) {
		return invalid(
			"The request isn't valid. The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a desired configuration and try again.",
		)
	}
	why, err := a.irreversibleReason(a.Store.View(), g)
	if err == nil && why != "" {
		err = invalid(
			"The request isn't valid. The AutoRollback parameter cannot be set to true when the Auto Scaling group %s. Set AutoRollback to false or update the Auto Scaling group and try again.",
			why,
		)
	}
	return err
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

// irreversibleReason tells why nothing can be rolled back to the group's own
// configuration; "": it can. What $Latest and $Default mean, and what a parameter
// of Systems Manager holds, may be another thing by then (Amazon EC2 Auto Scaling
// User Guide, Undo changes with a rollback).
func (a *API) irreversibleReason(r store.Reader, g *store.ScalingGroup) (string, error) {
	sources, err := scalinggroup.SourcesOf(g)
	if err != nil {
		return "", err
	}
	for _, s := range sources {
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

// findActiveRefresh finds the refresh of a group that has not come to its end, if it is in
// one of the statuses.
func findActiveRefresh(
	tx *store.Tx,
	region string,
	name *string,
	statuses ...string,
) (*store.InstanceRefresh, *store.ScalingGroup, error) {
	g, err := findGroup(tx, region, name)
	if err != nil {
		return nil, nil, err
	}
	row, ok := scalinggroup.ActiveRefresh(tx, g.Key())
	if !ok || !slices.Contains(statuses, row.Status) {
		return nil, g, wire.Errorf(
			"ActiveInstanceRefreshNotFound",
			"No in progress, baking, pending, or cancelling Instance Refresh found for Auto Scaling group %s",
			g.Name,
		)
	}
	return row, g, nil
}

// CancelInstanceRefresh stops a refresh, or a rollback, and leaves what it has
// done.
func (a *API) CancelInstanceRefresh(ctx context.Context, in *autoscaling.CancelInstanceRefreshInput) (*autoscaling.CancelInstanceRefreshOutput, error) {
	out := &autoscaling.CancelInstanceRefreshOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		row, _, err := findActiveRefresh(
			tx,
			region(ctx),
			in.AutoScalingGroupName,
			store.RefreshPending,
			store.RefreshInProgress,
			store.RefreshBaking,
			store.RefreshRollbackInProgress,
			store.RefreshCancelling,
		)
		if err != nil {
			return err
		}
		out.InstanceRefreshId = &row.ID
		store.InstanceRefreshes.Edit(tx, row.ID, func(row *store.InstanceRefresh) {
			row.Status, row.StatusReason, row.Abrupt = store.RefreshCancelling, "", !constraint.Default(
				in.WaitForTransitioningInstances,
				true,
			)
		})
		return nil
	})
}

// RollbackInstanceRefresh replaces what a refresh has replaced by instances of
// the group's own configuration.
func (a *API) RollbackInstanceRefresh(ctx context.Context, in *autoscaling.RollbackInstanceRefreshInput) (*autoscaling.RollbackInstanceRefreshOutput, error) {
	out := &autoscaling.RollbackInstanceRefreshOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		row, g, err := findActiveRefresh(
			tx,
			region(ctx),
			in.AutoScalingGroupName,
			store.RefreshPending,
			store.RefreshInProgress,
			store.RefreshBaking,
		)
		if err != nil {
			return err
		}
		why, err := a.irreversibleReason(tx, g)
		if err != nil {
			return err
		}
		if why != "" || !scalinggroup.HasDesiredConfiguration(row) {
			return wire.Errorf(
				"IrreversibleInstanceRefresh",
				"The request failed because a desired configuration was not found or an incompatible launch template (uses a Systems Manager parameter instead of an AMI ID) or launch template version ($Latest or $Default) is present on the Auto Scaling group.",
			)
		}
		out.InstanceRefreshId = &row.ID
		store.InstanceRefreshes.Edit(tx, row.ID, func(row *store.InstanceRefresh) {
			scalinggroup.BeginRollback(row, "Rollback was initiated due to user request.", a.Now())
		})
		return nil
	})
}

// DescribeInstanceRefreshes lists the refreshes of a group, the latest first.
func (a *API) DescribeInstanceRefreshes(ctx context.Context, in *autoscaling.DescribeInstanceRefreshesInput) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	view := a.Store.View()
	g, err := findGroup(view, region(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if len(in.InstanceRefreshIds) > 50 {
		return nil, invalid("You can specify up to 50 instance refresh IDs.")
	}
	var rows []*store.InstanceRefresh
	for _, row := range store.InstanceRefreshes.By(view, "group", g.Key()) {
		if a.Now().Sub(row.Created) <= refreshRetention &&
			(len(in.InstanceRefreshIds) == 0 || slices.Contains(in.InstanceRefreshIds, row.ID)) {
			rows = append(rows, row)
		}
	}
	// A key that falls as time goes on.
	key := func(row *store.InstanceRefresh) string {
		return fmt.Sprintf("%020d %s", uint64(1<<63)-uint64(row.Created.UnixNano()), row.ID)
	}
	slices.SortFunc(rows, func(x, y *store.InstanceRefresh) int { return compareText(key(x), key(y)) })
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 100}, rows, key)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeInstanceRefreshesOutput{InstanceRefreshes: []types.InstanceRefresh{}, NextToken: next}
	for _, row := range rows {
		item, err := describeRefresh(row)
		if err != nil {
			return nil, err
		}
		out.InstanceRefreshes = append(out.InstanceRefreshes, item)
	}
	return out, nil
}

func describeRefresh(row *store.InstanceRefresh) (types.InstanceRefresh, error) {
	item := types.InstanceRefresh{
		InstanceRefreshId: &row.ID, AutoScalingGroupName: &row.Group, Status: types.InstanceRefreshStatus(row.Status),
		Strategy:  types.RefreshStrategy(row.Strategy),
		StartTime: timeOrNil(row.Started), EndTime: timeOrNil(row.Ended), Preferences: &types.RefreshPreferences{},
	}
	setNonEmpty(&item.StatusReason, row.StatusReason)
	if err := json.Unmarshal([]byte(row.Preferences), item.Preferences); err != nil {
		return item, fmt.Errorf("read the preferences of instance refresh %s: %w", row.ID, err)
	}
	if !row.Started.IsZero() {
		item.PercentageComplete, item.InstancesToUpdate = &row.Percent, &row.Remaining
	}
	if !row.RollbackStarted.IsZero() {
		item.RollbackDetails = &types.RollbackDetails{
			RollbackReason: &row.RollbackReason, RollbackStartTime: timeOrNil(row.RollbackStarted),
			PercentageCompleteOnRollback: &row.PercentAtRollback, InstancesToUpdateOnRollback: &row.RemainingAtRollback,
		}
	}
	switch {
	case row.Mixed != "":
		item.DesiredConfiguration = &types.DesiredConfiguration{MixedInstancesPolicy: &types.MixedInstancesPolicy{}}
		if err := json.Unmarshal([]byte(row.Mixed), item.DesiredConfiguration.MixedInstancesPolicy); err != nil {
			return item, fmt.Errorf("read the desired configuration of instance refresh %s: %w", row.ID, err)
		}
	case scalinggroup.HasDesiredConfiguration(row):
		item.DesiredConfiguration = &types.DesiredConfiguration{LaunchTemplate: describeTemplateRef(row.Template)}
	}
	return item, nil
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return aws.Time(t)
}
