package autoscaling

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// PutScheduledUpdateGroupAction creates or replaces a scheduled action.
func (a *API) PutScheduledUpdateGroupAction(
	ctx context.Context, in *autoscaling.PutScheduledUpdateGroupActionInput,
) (*autoscaling.PutScheduledUpdateGroupActionOutput, error) {
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
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		return a.putScheduledAction(tx, g, &request)
	})
}

// BatchPutScheduledUpdateGroupAction creates or replaces scheduled actions. The
// response lists those that it refused.
func (a *API) BatchPutScheduledUpdateGroupAction(
	ctx context.Context, in *autoscaling.BatchPutScheduledUpdateGroupActionInput,
) (*autoscaling.BatchPutScheduledUpdateGroupActionOutput, error) {
	if err := checkBatchSize(len(in.ScheduledUpdateGroupActions)); err != nil {
		return nil, err
	}
	out := &autoscaling.BatchPutScheduledUpdateGroupActionOutput{
		FailedScheduledUpdateGroupActions: []types.FailedScheduledUpdateGroupActionRequest{},
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		for i := range in.ScheduledUpdateGroupActions {
			request := &in.ScheduledUpdateGroupActions[i]
			if err := a.putScheduledAction(tx, g, request); err != nil {
				failure := describeFailure(request.ScheduledActionName, err)
				out.FailedScheduledUpdateGroupActions = append(out.FailedScheduledUpdateGroupActions, failure)
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
	if n < 1 || n > maxActionsBatch {
		return invalid("The number of scheduled actions in a request must be between 1 and %d", maxActionsBatch)
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

// putScheduledAction checks and stores an action, in place of the group's
// action with the same name.
func (a *API) putScheduledAction(
	tx *store.Tx, g *store.ScalingGroup, in *types.ScheduledUpdateGroupActionRequest,
) error {
	now := a.Now()
	if err := cmp.Or(
		checkName("scheduledActionName", in.ScheduledActionName), checkActionSizes(in), checkActionTimes(in, now),
	); err != nil {
		return err
	}
	row := &store.ScheduledAction{
		Region:     g.Region,
		Group:      g.Name,
		Name:       *in.ScheduledActionName,
		Min:        in.MinSize,
		Max:        in.MaxSize,
		Desired:    in.DesiredCapacity,
		Start:      aws.ToTime(in.StartTime).UTC(),
		End:        aws.ToTime(in.EndTime).UTC(),
		Recurrence: aws.ToString(in.Recurrence),
		TimeZone:   aws.ToString(in.TimeZone),
	}
	others := store.ScheduledActionsByGroup.List(tx, g.Key())
	for _, other := range others {
		switch {
		case other.Name == row.Name:
			row.ARN = other.ARN
		case row.Recurrence == "" && other.Recurrence == "" && other.Start.Equal(row.Start):
			return wire.Errorf("AlreadyExists", "There is already a scheduled action at %s: %s",
				row.Start.Format(time.RFC3339), other.Name)
		}
	}
	if row.ARN == "" {
		if len(others) >= maxScheduledActions {
			return wire.Errorf("LimitExceeded", "You have reached the limit of %d scheduled actions for the "+
				"AutoScalingGroup %s", maxScheduledActions, g.Name)
		}
		row.ARN = identity.ARN("autoscaling", g.Region, fmt.Sprintf(
			"scheduledUpdateGroupAction:%s:autoScalingGroupName/%s:scheduledActionName/%s",
			a.IDs.UUID(), g.Name, row.Name,
		))
	}
	var ok bool
	if row.Next, ok = capacity.NextRun(row, now); !ok {
		return invalid("The scheduled action %s would never run", row.Name)
	}
	store.ScheduledActions.Put(tx, row)
	return nil
}

// DeleteScheduledAction deletes a scheduled action.
func (a *API) DeleteScheduledAction(
	ctx context.Context, in *autoscaling.DeleteScheduledActionInput,
) (*autoscaling.DeleteScheduledActionOutput, error) {
	return &autoscaling.DeleteScheduledActionOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
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
	for _, row := range store.ScheduledActionsByGroup.List(tx, g.Key()) {
		if row.Name == *name {
			store.ScheduledActions.Delete(tx, row.ARN)
			return nil
		}
	}
	return invalid(
		"Scheduled action name not found - Scheduled action %s not found in AutoScalingGroup %s", *name, g.Name,
	)
}

// BatchDeleteScheduledAction deletes scheduled actions. The response lists
// those that do not exist.
func (a *API) BatchDeleteScheduledAction(
	ctx context.Context, in *autoscaling.BatchDeleteScheduledActionInput,
) (*autoscaling.BatchDeleteScheduledActionOutput, error) {
	if err := checkBatchSize(len(in.ScheduledActionNames)); err != nil {
		return nil, err
	}
	out := &autoscaling.BatchDeleteScheduledActionOutput{
		FailedScheduledActions: []types.FailedScheduledUpdateGroupActionRequest{},
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
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
