package autoscaling

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of scheduled actions (Amazon EC2 Auto Scaling User Guide, Scheduled
// scaling; API Reference, BatchPutScheduledUpdateGroupAction).
const (
	maxScheduled = 125
	maxBatch     = 50
)

// PutScheduledUpdateGroupAction makes a scheduled action or replaces it.
func (a *API) PutScheduledUpdateGroupAction(ctx context.Context, in *autoscaling.PutScheduledUpdateGroupActionInput) (*autoscaling.PutScheduledUpdateGroupActionOutput, error) {
	start := in.StartTime
	if in.Time != nil {
		if start != nil && !start.Equal(*in.Time) {
			return nil, invalid("Time and StartTime must not be different")
		}
		start = in.Time
	}
	request := types.ScheduledUpdateGroupActionRequest{
		ScheduledActionName: in.ScheduledActionName,
		DesiredCapacity:     in.DesiredCapacity,
		MinSize:             in.MinSize,
		MaxSize:             in.MaxSize,
		StartTime:           start,
		EndTime:             in.EndTime,
		Recurrence:          in.Recurrence,
		TimeZone:            in.TimeZone,
	}
	return &autoscaling.PutScheduledUpdateGroupActionOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		return a.putScheduledAction(tx, g, &request)
	})
}

// BatchPutScheduledUpdateGroupAction makes or replaces scheduled actions, and tells
// which it could not.
func (a *API) BatchPutScheduledUpdateGroupAction(ctx context.Context, in *autoscaling.BatchPutScheduledUpdateGroupActionInput) (*autoscaling.BatchPutScheduledUpdateGroupActionOutput, error) {
	if err := checkBatchSize(len(in.ScheduledUpdateGroupActions)); err != nil {
		return nil, err
	}
	out := &autoscaling.BatchPutScheduledUpdateGroupActionOutput{
		FailedScheduledUpdateGroupActions: []types.FailedScheduledUpdateGroupActionRequest{},
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		for i := range in.ScheduledUpdateGroupActions {
			request := &in.ScheduledUpdateGroupActions[i]
			if err := a.putScheduledAction(tx, g, request); err != nil {
				out.FailedScheduledUpdateGroupActions = append(
					out.FailedScheduledUpdateGroupActions,
					describeFailure(request.ScheduledActionName, err),
				)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkBatchSize(n int) error {
	if n < 1 || n > maxBatch {
		return invalid("The number of scheduled actions in a request must be between 1 and %d", maxBatch)
	}
	return nil
}

func describeFailure(name *string, err error) types.FailedScheduledUpdateGroupActionRequest {
	out := types.FailedScheduledUpdateGroupActionRequest{ScheduledActionName: name}
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		out.ErrorCode, out.ErrorMessage = &refusal.Code, &refusal.Message
	}
	return out
}

// putScheduledAction checks and stores one action.
func (a *API) putScheduledAction(tx *store.Tx, g *store.ScalingGroup, in *types.ScheduledUpdateGroupActionRequest) error {
	now := a.Now()
	if err := cmp.Or(
		checkName("scheduledActionName", in.ScheduledActionName), checkActionSizes(in), checkActionTimes(in, now),
	); err != nil {
		return err
	}
	row := &store.ScheduledAction{
		Region:  g.Region,
		Group:   g.Name,
		Name:    *in.ScheduledActionName,
		Min:     in.MinSize,
		Max:     in.MaxSize,
		Desired: in.DesiredCapacity,
		Start: aws.ToTime(in.StartTime).
			UTC(),
		End:        aws.ToTime(in.EndTime).UTC(),
		Recurrence: aws.ToString(in.Recurrence),
		TimeZone:   aws.ToString(in.TimeZone),
	}
	others := store.ScheduledActions.By(tx, "group", g.Key())
	for _, other := range others {
		switch {
		case other.Name == row.Name:
			row.ARN = other.ARN
		case row.Recurrence == "" && other.Recurrence == "" && other.Start.Equal(row.Start):
			return wire.Errorf(
				"AlreadyExists",
				"There is already a scheduled action at %s: %s",
				row.Start.Format(time.RFC3339),
				other.Name,
			)
		}
	}
	if row.ARN == "" {
		if len(others) >= maxScheduled {
			return wire.Errorf(
				"LimitExceeded",
				"You have reached the limit of %d scheduled actions for the AutoScalingGroup %s",
				maxScheduled,
				g.Name,
			)
		}
		row.ARN = identity.ARN("autoscaling", g.Region, fmt.Sprintf(
			"scheduledUpdateGroupAction:%s:autoScalingGroupName/%s:scheduledActionName/%s",
			scalinggroup.UUID(),
			g.Name,
			row.Name,
		))
	}
	var ok bool
	if row.Next, ok = capacity.NextRun(row, now); !ok {
		return invalid("The scheduled action %s would never run", row.Name)
	}
	store.ScheduledActions.Put(tx, row)
	return nil
}

func checkActionSizes(in *types.ScheduledUpdateGroupActionRequest) error {
	if in.MinSize == nil && in.MaxSize == nil && in.DesiredCapacity == nil {
		return invalid("At least one of the following must be specified: MinSize, MaxSize, DesiredCapacity")
	}
	least, most := aws.ToInt32(in.MinSize), constraint.Default(in.MaxSize, math.MaxInt32)
	switch desired := constraint.Default(in.DesiredCapacity, least); {
	case least > most:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", most, least)
	case desired < least || desired > most:
		return invalid(
			"Desired capacity:%d must be between the specified min size:%d and max size:%d", desired, least, most,
		)
	}
	return cmp.Or(
		model.Between("minSize", in.MinSize, 0, math.MaxInt32),
		model.Between("maxSize", in.MaxSize, 0, math.MaxInt32),
		model.Between("desiredCapacity", in.DesiredCapacity, 0, math.MaxInt32),
	)
}

func checkActionTimes(in *types.ScheduledUpdateGroupActionRequest, now time.Time) error {
	if _, err := capacity.Zone(aws.ToString(in.TimeZone)); err != nil || aws.ToString(in.TimeZone) == "Local" {
		return invalid("Given time zone: %s is invalid", *in.TimeZone)
	}
	switch {
	case in.Recurrence == nil && in.StartTime == nil:
		return invalid("At least one of StartTime and Recurrence must be specified")
	case in.Recurrence != nil && !capacity.CheckRecurrence(*in.Recurrence):
		return invalid("Given recurrence string: %s is invalid", *in.Recurrence)
	case in.StartTime != nil && in.StartTime.Before(now):
		return invalid("Given start time is in the past")
	case in.EndTime != nil && in.EndTime.Before(now):
		return invalid("Given end time is in the past")
	case in.EndTime != nil && in.StartTime != nil && !in.StartTime.Before(*in.EndTime):
		return invalid("Given start time must be before the given end time")
	}
	return nil
}

// DeleteScheduledAction deletes a scheduled action.
func (a *API) DeleteScheduledAction(ctx context.Context, in *autoscaling.DeleteScheduledActionInput) (*autoscaling.DeleteScheduledActionOutput, error) {
	return &autoscaling.DeleteScheduledActionOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		return deleteScheduledAction(tx, g, in.ScheduledActionName)
	})
}

func deleteScheduledAction(tx *store.Tx, g *store.ScalingGroup, name *string) error {
	if err := model.Required("scheduledActionName", name != nil); err != nil {
		return err
	}
	for _, row := range store.ScheduledActions.By(tx, "group", g.Key()) {
		if row.Name == *name {
			store.ScheduledActions.Delete(tx, row.ARN)
			return nil
		}
	}
	return invalid(
		"Scheduled action name not found - Scheduled action %s not found in AutoScalingGroup %s", *name, g.Name,
	)
}

// BatchDeleteScheduledAction deletes scheduled actions, and tells which it could
// not.
func (a *API) BatchDeleteScheduledAction(ctx context.Context, in *autoscaling.BatchDeleteScheduledActionInput) (*autoscaling.BatchDeleteScheduledActionOutput, error) {
	if err := checkBatchSize(len(in.ScheduledActionNames)); err != nil {
		return nil, err
	}
	out := &autoscaling.BatchDeleteScheduledActionOutput{
		FailedScheduledActions: []types.FailedScheduledUpdateGroupActionRequest{},
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		for _, name := range in.ScheduledActionNames {
			if err := deleteScheduledAction(tx, g, &name); err != nil {
				out.FailedScheduledActions = append(out.FailedScheduledActions, describeFailure(&name, err))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DescribeScheduledActions describes what is scheduled and has not run yet. Times
// are those at which actions run next.
func (a *API) DescribeScheduledActions(ctx context.Context, in *autoscaling.DescribeScheduledActionsInput) (*autoscaling.DescribeScheduledActionsOutput, error) {
	view, here := a.Store.View(), region(ctx)
	rows := store.ScheduledActions.By(view, "region", here)
	if in.AutoScalingGroupName != nil {
		g, err := findGroup(view, here, in.AutoScalingGroupName)
		if err != nil {
			return nil, err
		}
		rows = store.ScheduledActions.By(view, "group", g.Key())
	}
	rows = slices.DeleteFunc(rows, func(row *store.ScheduledAction) bool {
		if len(in.ScheduledActionNames) > 0 {
			return !slices.Contains(in.ScheduledActionNames, row.Name)
		}
		return in.StartTime != nil && row.Next.Before(*in.StartTime) || in.EndTime != nil && row.Next.After(*in.EndTime)
	})
	key := func(row *store.ScheduledAction) string { return row.Group + "\x00" + row.Name }
	slices.SortFunc(rows, func(x, y *store.ScheduledAction) int { return cmp.Compare(key(x), key(y)) })
	rows, next, err := paginate(pageRequest{max: in.MaxRecords, token: in.NextToken, standard: 50, most: 100}, rows, key)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeScheduledActionsOutput{
		ScheduledUpdateGroupActions: []types.ScheduledUpdateGroupAction{},
		NextToken:                   next,
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
			Time:                 &row.Next,
		}
		if row.Recurrence != "" {
			item.Recurrence = &row.Recurrence
		}
		if row.TimeZone != "" {
			item.TimeZone = &row.TimeZone
		}
		if !row.End.IsZero() {
			item.EndTime = &row.End
		}
		out.ScheduledUpdateGroupActions = append(out.ScheduledUpdateGroupActions, item)
	}
	return out, nil
}
