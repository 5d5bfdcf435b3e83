package ec2

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type flowLog = *store.FlowLog

var flowLogs = resourceType[store.FlowLog]{
	table: store.FlowLogs, kind: types.ResourceTypeVpcFlowLog, prefix: "fl-",
	notFoundCode: "InvalidFlowLogId.NotFound", notFoundText: "The flowLog ID",
	key:  func(row flowLog) (identity.Region, string) { return row.Region, row.ID },
	tags: func(row flowLog) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row flowLog) store.Tags { return row.Tags }, filters[flowLog]{
		"deliver-log-status":   field(deliveryStatus),
		"flow-log-id":          field(func(row flowLog) string { return row.ID }),
		"log-destination-type": field(func(row flowLog) string { return row.DestinationType }),
		"log-group-name":       optionalField(func(row flowLog) string { return row.LogGroup }),
		"resource-id":          field(func(row flowLog) string { return row.ResourceID }),
		"traffic-type":         field(func(row flowLog) string { return row.Traffic }),
	}),
}

func deliveryStatus(row flowLog) string {
	if row.Failure != "" {
		return "FAILED"
	}
	return "SUCCESS"
}

func flowLogItem(row flowLog) types.FlowLog {
	item := types.FlowLog{
		FlowLogId: aws.String(row.ID), FlowLogStatus: aws.String("ACTIVE"), ResourceId: aws.String(row.ResourceID),
		TrafficType: types.TrafficType(row.Traffic), LogFormat: aws.String(row.Format),
		LogDestinationType: types.LogDestinationType(row.DestinationType), CreationTime: aws.Time(row.Created),
		MaxAggregationInterval: aws.Int32(row.Interval), DeliverLogsStatus: aws.String(deliveryStatus(row)),
		LogDestination: optionalString(row.Destination), LogGroupName: optionalString(row.LogGroup),
		DeliverLogsPermissionArn: optionalString(row.RoleARN), DeliverLogsErrorMessage: optionalString(row.Failure),
		Tags: tagSet(row.Tags),
	}
	if item.LogDestinationType == types.LogDestinationTypeS3 {
		item.DestinationOptions = &types.DestinationOptionsResponse{
			FileFormat:               types.DestinationFileFormatPlainText,
			HiveCompatiblePartitions: aws.Bool(row.Hive), PerHourPartition: aws.Bool(row.Hourly),
		}
	}
	return item
}

// DescribeFlowLogs lists flow logs.
func (a *API) DescribeFlowLogs(
	ctx context.Context, in *ec2.DescribeFlowLogsInput,
) (*ec2.DescribeFlowLogsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := flowLogs.describe(view, region, describeQuery{
		ids: in.FlowLogIds, idParameter: "flowLogIds", filters: in.Filter,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeFlowLogsOutput{FlowLogs: list(rows, flowLogItem), NextToken: next}, nil
}

// DeleteFlowLogs deletes flow logs. What they have recorded stays.
func (a *API) DeleteFlowLogs(ctx context.Context, in *ec2.DeleteFlowLogsInput) (*ec2.DeleteFlowLogsOutput, error) {
	if len(in.FlowLogIds) == 0 {
		return nil, missingParameter("flowLogId")
	}
	out := &ec2.DeleteFlowLogsOutput{Unsuccessful: []types.UnsuccessfulItem{}}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		unknown := slices.DeleteFunc(slices.Clone(in.FlowLogIds), func(id string) bool {
			row, ok := store.FlowLogs.Get(tx, id)
			return ok && row.Region == region
		})
		if len(unknown) > 0 {
			return wire.Errorf("InvalidFlowLogId.NotFound",
				"These flow log ids in the input list are not found: [TotalCount: %d] %s",
				len(unknown), strings.Join(unknown, " "))
		}
		for _, id := range in.FlowLogIds {
			store.FlowLogs.Delete(tx, id)
		}
		return nil
	})
}
