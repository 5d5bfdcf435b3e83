package cloudwatch

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

// DeleteAlarms deletes alarms. Those that are there go also when others of the
// request are not.
func (a *API) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	return &cloudwatch.DeleteAlarmsOutput{}, a.eachAlarm(
		ctx, in.AlarmNames, func(tx *store.Tx, row *store.Alarm) { alarm.Delete(tx, row, a.Now()) },
	)
}

// EnableAlarmActions lets alarms act.
func (a *API) EnableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	return &cloudwatch.EnableAlarmActionsOutput{}, a.eachAlarm(
		ctx, in.AlarmNames, func(tx *store.Tx, row *store.Alarm) { a.setActionsEnabled(tx, row, true) },
	)
}

// DisableAlarmActions has alarms change their state and nothing else.
func (a *API) DisableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	return &cloudwatch.DisableAlarmActionsOutput{}, a.eachAlarm(
		ctx, in.AlarmNames, func(tx *store.Tx, row *store.Alarm) { a.setActionsEnabled(tx, row, false) },
	)
}

func (a *API) setActionsEnabled(tx *store.Tx, row *store.Alarm, enabled bool) {
	if row.ActionsDisabled == !enabled {
		return
	}
	changed := *row
	changed.ActionsDisabled = !enabled
	alarm.Put(tx, &changed, a.Now())
}

// eachAlarm does something with the named alarms that there are.
func (a *API) eachAlarm(ctx context.Context, names []string, do func(tx *store.Tx, row *store.Alarm)) error {
	switch {
	case len(names) == 0:
		return missingParameter("AlarmNames")
	case len(names) > maxNames:
		return tooManyNames()
	}
	return a.Store.Update(func(tx *store.Tx) error {
		for _, name := range names {
			if row, ok := store.Alarms.Get(tx, alarm.ARN(region(ctx), name)); ok {
				do(tx, row)
			}
		}
		return nil
	})
}
