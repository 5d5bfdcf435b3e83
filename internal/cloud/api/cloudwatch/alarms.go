package cloudwatch

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DeleteAlarms deletes the named alarms and ignores names without an alarm.
func (a *API) DeleteAlarms(
	ctx context.Context, in *cloudwatch.DeleteAlarmsInput,
) (*cloudwatch.DeleteAlarmsOutput, error) {
	return &cloudwatch.DeleteAlarmsOutput{}, a.eachAlarm(ctx, in.AlarmNames, func(tx *store.Tx, row *store.Alarm) {
		alarm.Delete(tx, row, a.Now())
	})
}

// EnableAlarmActions lets alarms run their actions.
func (a *API) EnableAlarmActions(
	ctx context.Context, in *cloudwatch.EnableAlarmActionsInput,
) (*cloudwatch.EnableAlarmActionsOutput, error) {
	return &cloudwatch.EnableAlarmActionsOutput{}, a.setActionsEnabled(ctx, in.AlarmNames, true)
}

// DisableAlarmActions keeps alarms from running their actions. Their states still
// change.
func (a *API) DisableAlarmActions(
	ctx context.Context, in *cloudwatch.DisableAlarmActionsInput,
) (*cloudwatch.DisableAlarmActionsOutput, error) {
	return &cloudwatch.DisableAlarmActionsOutput{}, a.setActionsEnabled(ctx, in.AlarmNames, false)
}

func (a *API) setActionsEnabled(ctx context.Context, names []string, enabled bool) error {
	return a.eachAlarm(ctx, names, func(tx *store.Tx, row *store.Alarm) {
		if row.ActionsDisabled == !enabled {
			return
		}
		changed := *row
		changed.ActionsDisabled = !enabled
		alarm.Put(tx, &changed, a.Now())
	})
}

// eachAlarm calls do for each named alarm that exists, in one transaction.
func (a *API) eachAlarm(ctx context.Context, names []string, do func(tx *store.Tx, row *store.Alarm)) error {
	switch {
	case len(names) == 0:
		return missingParameter("AlarmNames")
	case len(names) > maxAlarmNames:
		return tooManyAlarmNames()
	}
	return a.Store.Update(func(tx *store.Tx) error {
		for _, name := range names {
			if row, ok := store.Alarms.Get(tx, alarm.ARN(wire.RegionFrom(ctx), name)); ok {
				do(tx, row)
			}
		}
		return nil
	})
}
