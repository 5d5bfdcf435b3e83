package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// reachability returns the result of an instance's status checks. An instance that
// does not run has none.
func reachability(row vm) (types.SummaryStatus, types.StatusType) {
	switch {
	case row.State == store.Running && row.Reachable:
		return types.SummaryStatusOk, types.StatusTypePassed
	case row.State == store.Running:
		return types.SummaryStatusInitializing, types.StatusTypeInitializing
	}
	return types.SummaryStatusNotApplicable, ""
}

// statusType is the resource type of instances with the filters of
// DescribeInstanceStatus. The local cloud schedules no events and checks neither
// volumes nor applications.
func statusType() *resourceType[store.Instance] {
	t := instances
	t.filters, t.at = statusFilters, checkedAt
	return &t
}

var statusFilters = filters[vm]{
	"availability-zone":            instances.filters["availability-zone"],
	"availability-zone-id":         instances.filters["availability-zone-id"],
	"instance-state-code":          instances.filters["instance-state-code"],
	"instance-state-name":          instances.filters["instance-state-name"],
	"instance-status.status":       field(statusCheck),
	"instance-status.reachability": optionalField(reachabilityCheck),
	"system-status.status":         field(statusCheck),
	"system-status.reachability":   optionalField(reachabilityCheck),
	"operator.managed":             constant[vm]("false"),
	"event.code":                   noValue[vm],
	"event.description":            noValue[vm],
	"event.instance-event-id":      noValue[vm],
	"event.not-after":              noValue[vm],
	"event.not-before":             noValue[vm],
	"event.not-before-deadline":    noValue[vm],
}

func statusCheck(row vm) string { status, _ := reachability(row); return string(status) }

func reachabilityCheck(row vm) string { _, detail := reachability(row); return string(detail) }

// DescribeInstanceStatus returns the results of instances' status checks: ok when the
// machine has booted, initializing before.
func (a *API) DescribeInstanceStatus(
	ctx context.Context, in *ec2.DescribeInstanceStatusInput,
) (*ec2.DescribeInstanceStatusOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	requested := in.Filters
	if !aws.ToBool(in.IncludeAllInstances) {
		requested = append(
			requested[:len(requested):len(requested)],
			types.Filter{Name: aws.String("instance-state-name"), Values: []string{store.Running}},
		)
	}
	rows, next, err := statusType().describe(view, region, describeQuery{
		ids: in.InstanceIds, idParameter: "instancesSet", filters: requested,
		page: pageRequest{in.MaxResults, in.NextToken}, at: a.Now(),
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeInstanceStatusOutput{
		NextToken: next,
		InstanceStatuses: list(rows, func(row vm) types.InstanceStatus {
			status, detail := reachability(row)
			summary := &types.InstanceStatusSummary{Status: status}
			if detail != "" {
				summary.Details = []types.InstanceStatusDetails{{Name: types.StatusNameReachability, Status: detail}}
			}
			return types.InstanceStatus{
				InstanceId:       aws.String(row.ID),
				AvailabilityZone: aws.String(row.Zone),
				InstanceState:    instanceState(row.State),
				InstanceStatus:   summary,
				SystemStatus:     summary,
			}
		}),
	}, nil
}
