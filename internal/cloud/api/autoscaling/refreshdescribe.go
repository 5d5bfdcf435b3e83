package autoscaling

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeInstanceRefreshes returns a group's refreshes, newest first.
func (a *API) DescribeInstanceRefreshes(
	ctx context.Context, in *autoscaling.DescribeInstanceRefreshesInput,
) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	view := a.Store.Read(ctx)
	g, err := findGroup(view, wire.RegionFrom(ctx), in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if len(in.InstanceRefreshIds) > maxDescribed {
		return nil, invalid("You can specify up to %d instance refresh IDs.", maxDescribed)
	}
	var rows []*store.InstanceRefresh
	for _, row := range store.InstanceRefreshesByGroup.List(view, g.Key()) {
		if a.Now().Sub(row.Created) <= refreshRetention &&
			(len(in.InstanceRefreshIds) == 0 || slices.Contains(in.InstanceRefreshIds, row.ID)) {
			rows = append(rows, row)
		}
	}
	key := func(row *store.InstanceRefresh) string { return newestFirst(row.Created, row.ID) }
	slices.SortFunc(rows, func(x, y *store.InstanceRefresh) int { return strings.Compare(key(x), key(y)) })
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
		InstanceRefreshId:    &row.ID,
		AutoScalingGroupName: &row.Group,
		Status:               types.InstanceRefreshStatus(row.Status),
		Strategy:             types.RefreshStrategy(row.Strategy),
		StartTime:            timeOrNil(row.Started),
		EndTime:              timeOrNil(row.Ended),
		Preferences:          &types.RefreshPreferences{},
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
			RollbackReason:               &row.RollbackReason,
			RollbackStartTime:            timeOrNil(row.RollbackStarted),
			PercentageCompleteOnRollback: &row.PercentAtRollback,
			InstancesToUpdateOnRollback:  &row.RemainingAtRollback,
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
