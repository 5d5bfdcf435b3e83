package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeScheduledActions returns actions that will run, with the time of
// their next run.
func (a *API) DescribeScheduledActions(
	ctx context.Context, in *autoscaling.DescribeScheduledActionsInput,
) (*autoscaling.DescribeScheduledActionsOutput, error) {
	view, here := a.Store.Read(ctx), wire.RegionFrom(ctx)
	rows := store.ScheduledActions.InRegion(view, here)
	if in.AutoScalingGroupName != nil {
		g, err := findGroup(view, here, in.AutoScalingGroupName)
		if err != nil {
			return nil, err
		}
		rows = store.ScheduledActionsByGroup.List(view, g.Key())
	}
	rows = slices.DeleteFunc(rows, func(row *store.ScheduledAction) bool {
		if len(in.ScheduledActionNames) > 0 {
			return !slices.Contains(in.ScheduledActionNames, row.Name)
		}
		return in.StartTime != nil && row.Next.Before(*in.StartTime) ||
			in.EndTime != nil && row.Next.After(*in.EndTime)
	})
	key := func(row *store.ScheduledAction) string { return row.Group + "\x00" + row.Name }
	slices.SortFunc(rows, func(x, y *store.ScheduledAction) int { return cmp.Compare(key(x), key(y)) })
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 100}, rows, key)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeScheduledActionsOutput{
		ScheduledUpdateGroupActions: []types.ScheduledUpdateGroupAction{}, NextToken: next,
	}
	for _, row := range rows {
		item := types.ScheduledUpdateGroupAction{
			AutoScalingGroupName: &row.Group,
			ScheduledActionName:  &row.Name,
			ScheduledActionARN:   &row.ARN,
			MinSize:              row.Min,
			MaxSize:              row.Max,
			DesiredCapacity:      row.Desired,
			StartTime:            &row.Next,
			EndTime:              timeOrNil(row.End),
			Time:                 &row.Next,
		}
		setNonEmpty(&item.Recurrence, row.Recurrence)
		setNonEmpty(&item.TimeZone, row.TimeZone)
		out.ScheduledUpdateGroupActions = append(out.ScheduledUpdateGroupActions, item)
	}
	return out, nil
}
