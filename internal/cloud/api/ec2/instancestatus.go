package ec2

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// reachability returns the result of an instance's own status check. An instance that
// does not run has none. One with a read-only disk fails, as with a corrupt filesystem
// (Amazon EC2 User Guide, "Status checks for Amazon EC2 instances").
func reachability(row vm) (types.SummaryStatus, types.StatusType) {
	switch {
	case row.State == store.Running && !row.ImpairedSince.IsZero():
		return types.SummaryStatusImpaired, types.StatusTypeFailed
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
	"system-status.status":         field(func(row vm) string { return statusCheck(system(row)) }),
	"system-status.reachability":   optionalField(func(row vm) string { return reachabilityCheck(system(row)) }),
	"operator.managed":             constant[vm]("false"),
	"operator.principal":           noValue[vm],
	"attached-ebs-status.status":   noValue[vm],
	"event.code":                   noValue[vm],
	"event.description":            noValue[vm],
	"event.instance-event-id":      noValue[vm],
	"event.not-after":              noValue[vm],
	"event.not-before":             noValue[vm],
	"event.not-before-deadline":    noValue[vm],
}

func statusCheck(row vm) string { status, _ := reachability(row); return string(status) }

func reachabilityCheck(row vm) string { _, detail := reachability(row); return string(detail) }

// system returns an instance as the status checks of its system see it, which is the host: no
// problem of the machine's own is one of the host's.
func system(row vm) vm {
	if row.ImpairedSince.IsZero() {
		return row
	}
	sound := *row
	sound.ImpairedSince = time.Time{}
	return &sound
}

// statusSummary describes the result of an instance's status checks.
func statusSummary(row vm) *types.InstanceStatusSummary {
	status, detail := reachability(row)
	summary := &types.InstanceStatusSummary{Status: status}
	if detail == "" {
		return summary
	}
	details := types.InstanceStatusDetails{Name: types.StatusNameReachability, Status: detail}
	if detail == types.StatusTypeFailed {
		details.ImpairedSince = aws.Time(row.ImpairedSince)
	}
	summary.Details = []types.InstanceStatusDetails{details}
	return summary
}

// DescribeInstanceStatus returns the results of instances' status checks: ok when the
// machine has booted, initializing before, impaired while its disk is read-only.
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
			return types.InstanceStatus{
				InstanceId:       aws.String(row.ID),
				AvailabilityZone: aws.String(row.Zone),
				InstanceState:    instanceState(row.State),
				InstanceStatus:   statusSummary(row),
				SystemStatus:     statusSummary(system(row)),
			}
		}),
	}, nil
}
