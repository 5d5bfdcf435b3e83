package cloudwatch

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DeleteAlarms deletes the named alarms and ignores names without an alarm. At most one of
// them may be a composite alarm, and no other composite alarm may depend on them.
func (a *API) DeleteAlarms(
	ctx context.Context, in *cloudwatch.DeleteAlarmsInput,
) (*cloudwatch.DeleteAlarmsOutput, error) {
	composites := 0
	return &cloudwatch.DeleteAlarmsOutput{}, a.eachAlarm(ctx, in.AlarmNames,
		func(tx *store.Tx, row *store.Alarm) error {
			for _, parent := range alarm.Parents(tx, row.Region, row.Name) {
				if !slices.Contains(in.AlarmNames, parent.Name) || parent.Name == row.Name {
					return validationError(
						"Cannot delete %s as there are composite alarm(s) depending on it.", row.Name,
					)
				}
			}
			if alarm.IsComposite(row) {
				composites++
			}
			if composites > 1 {
				return validationError("At most one composite alarm can be deleted in one operation.")
			}
			alarm.Delete(tx, row, a.Now())
			return nil
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
	return a.eachAlarm(ctx, names, func(tx *store.Tx, row *store.Alarm) error {
		if row.ActionsDisabled == enabled {
			changed := *row
			changed.ActionsDisabled = !enabled
			alarm.Put(tx, &changed, a.Now())
		}
		return nil
	})
}

// eachAlarm calls do for each named alarm that exists, in one transaction.
func (a *API) eachAlarm(ctx context.Context, names []string, do func(tx *store.Tx, row *store.Alarm) error) error {
	switch {
	case len(names) == 0:
		return missingParameter("AlarmNames")
	case len(names) > maxAlarmNames:
		return tooManyAlarmNames()
	}
	return a.Store.Update(func(tx *store.Tx) error {
		for _, name := range names {
			if row, ok := store.Alarms.Get(tx, alarm.ARN(wire.RegionFrom(ctx), name)); ok {
				if err := do(tx, row); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
