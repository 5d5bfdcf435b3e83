package cloudwatchlogs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// Clients ask about what no log group here has, because no operation makes it. There is none of it.

// DescribeSubscriptionFilters lists the filters by which a group's events go to others: none.
func (a *API) DescribeSubscriptionFilters(
	ctx context.Context, in *cloudwatchlogs.DescribeSubscriptionFiltersInput,
) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	if _, err := findGroup(a.Store.Read(ctx), wire.RegionFrom(ctx), *in.LogGroupName); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{SubscriptionFilters: []types.SubscriptionFilter{}}, nil
}

// DescribeDestinations lists where events of other accounts go: nowhere.
func (a *API) DescribeDestinations(
	context.Context, *cloudwatchlogs.DescribeDestinationsInput,
) (*cloudwatchlogs.DescribeDestinationsOutput, error) {
	return &cloudwatchlogs.DescribeDestinationsOutput{Destinations: []types.Destination{}}, nil
}

// DescribeExportTasks lists the exports of events to buckets: none.
func (a *API) DescribeExportTasks(
	context.Context, *cloudwatchlogs.DescribeExportTasksInput,
) (*cloudwatchlogs.DescribeExportTasksOutput, error) {
	return &cloudwatchlogs.DescribeExportTasksOutput{ExportTasks: []types.ExportTask{}}, nil
}
