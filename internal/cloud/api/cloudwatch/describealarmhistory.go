package cloudwatch

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeAlarmHistory describes what happened to alarms in the last two weeks,
// including alarms deleted since.
func (a *API) DescribeAlarmHistory(
	ctx context.Context, in *cloudwatch.DescribeAlarmHistoryInput,
) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	if err := checkHistory(in); err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	var items []*store.AlarmHistory
	switch {
	case in.AlarmName != nil:
		items = store.AlarmHistoriesByAlarm.List(view, wire.RegionFrom(ctx).Key(*in.AlarmName))
	default:
		items = store.AlarmHistories.InRegion(view, wire.RegionFrom(ctx))
	}
	kinds := in.AlarmTypes
	if len(kinds) == 0 {
		kinds = []types.AlarmType{types.AlarmTypeMetricAlarm}
	}
	items = slices.DeleteFunc(items, func(item *store.AlarmHistory) bool {
		return !slices.Contains(kinds, historyType(item)) ||
			in.HistoryItemType != "" && string(in.HistoryItemType) != item.Type ||
			in.StartDate != nil && item.At.Before(*in.StartDate) || in.EndDate != nil && item.At.After(*in.EndDate)
	})
	slices.SortStableFunc(items, func(x, y *store.AlarmHistory) int {
		// A StateUpdate comes before its Actions.
		return cmp.Or(x.At.Compare(y.At), -cmp.Compare(x.Type, y.Type), cmp.Compare(x.ID, y.ID))
	})
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(items)
	}
	request := *in
	request.NextToken = nil
	items, next, err := pageRows(items, request, in.NextToken, in.MaxRecords, maxAlarmPage)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}, NextToken: next}
	for _, item := range items {
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, types.AlarmHistoryItem{
			AlarmName:       &item.Alarm,
			AlarmType:       historyType(item),
			HistoryItemType: types.HistoryItemType(item.Type),
			HistorySummary:  &item.Summary,
			HistoryData:     &item.Data,
			Timestamp:       &item.At,
		})
	}
	return out, nil
}

// historyType returns the type of the alarm of an item.
func historyType(item *store.AlarmHistory) types.AlarmType {
	if item.Kind == alarm.CompositeKind {
		return types.AlarmTypeCompositeAlarm
	}
	return types.AlarmTypeMetricAlarm
}

func checkHistory(in *cloudwatch.DescribeAlarmHistoryInput) error {
	switch {
	case in.AlarmContributorId != nil:
		return wire.NotImplemented("alarms with contributors: the parameter AlarmContributorId")
	case in.AlarmName != nil && *in.AlarmName == "":
		return missingParameter("AlarmName")
	case in.HistoryItemType != "" && !slices.Contains(in.HistoryItemType.Values(), in.HistoryItemType):
		return model.OutOfSet(
			"historyItemType", in.HistoryItemType,
			"ConfigurationUpdate", "StateUpdate", "Action", "AlarmContributorStateUpdate", "AlarmContributorAction",
		)
	case in.StartDate != nil && in.EndDate != nil && in.StartDate.After(*in.EndDate):
		return validationError("The parameter StartDate must be before the parameter EndDate.")
	case in.ScanBy != "" && !slices.Contains(in.ScanBy.Values(), in.ScanBy):
		return model.OutOfSet("scanBy", in.ScanBy, "TimestampDescending", "TimestampAscending")
	}
	return checkAlarmTypes(in.AlarmTypes)
}
