package cloudwatch

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Pages of alarms and of their history, and how many names a request may have.
const (
	maxAlarmPage     = 100
	defaultAlarmPage = 50
	maxNames         = 100
)

// page cuts a page out of sorted rows. request is the request without its token.
func pageOf[T any](rows []T, request any, given *string, size *int32, usual int) (out []T, next *string, err error) {
	if size != nil && (*size < 1 || *size > maxAlarmPage) {
		return nil, nil, model.OutOfRange("maxRecords", *size, 1, maxAlarmPage)
	}
	if size != nil {
		usual = int(*size)
	}
	start, err := newToken(request, 0).offset(given)
	if err != nil {
		return nil, nil, err
	}
	rows = rows[min(start, len(rows)):]
	if len(rows) > usual {
		return rows[:usual], aws.String(newToken(request, start+usual).String()), nil
	}
	return rows, nil, nil
}

// DescribeAlarms describes alarms by name, prefix, state or action.
func (a *API) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if err := checkDescribe(in); err != nil {
		return nil, err
	}
	var rows []*store.Alarm
	if len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		rows = store.Alarms.By(a.Store.View(), "region", region(ctx))
	}
	rows = slices.DeleteFunc(rows, func(row *store.Alarm) bool {
		return len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, row.Name) ||
			!strings.HasPrefix(row.Name, aws.ToString(in.AlarmNamePrefix)) ||
			in.StateValue != "" && string(in.StateValue) != row.State ||
			in.ActionPrefix != nil &&
				!slices.ContainsFunc(
					slices.Concat(row.OKActions, row.AlarmActions, row.NoDataActions),
					func(action string) bool {
						return strings.HasPrefix(action, *in.ActionPrefix)
					},
				)
	})
	slices.SortFunc(rows, func(x, y *store.Alarm) int { return cmp.Compare(x.Name, y.Name) })
	asked := *in
	asked.NextToken = nil
	rows, next, err := pageOf(rows, asked, in.NextToken, in.MaxRecords, defaultAlarmPage)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsOutput{
		MetricAlarms:    []types.MetricAlarm{},
		CompositeAlarms: []types.CompositeAlarm{},
		NextToken:       next,
	}
	for _, row := range rows {
		out.MetricAlarms = append(out.MetricAlarms, alarmOf(row))
	}
	return out, nil
}

func checkDescribe(in *cloudwatch.DescribeAlarmsInput) error {
	states := []string{alarm.Insufficient, alarm.InAlarm, alarm.OK}
	switch {
	case in.ChildrenOfAlarmName != nil:
		return wire.NotImplemented("composite alarms: the parameter ChildrenOfAlarmName")
	case in.ParentsOfAlarmName != nil:
		return wire.NotImplemented("composite alarms: the parameter ParentsOfAlarmName")
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return combination("AlarmNamePrefix must not be specified together with AlarmNames.")
	case len(in.AlarmNames) > maxNames:
		return tooManyNames()
	case in.StateValue != "" && !slices.Contains(states, string(in.StateValue)):
		return model.OutOfSet("stateValue", in.StateValue, states...)
	}
	return checkTypes(in.AlarmTypes)
}

func checkTypes(given []types.AlarmType) error {
	for _, t := range given {
		if !slices.Contains(t.Values(), t) {
			return model.OutOfSet("alarmTypes", t, "CompositeAlarm", "MetricAlarm", "LogAlarm")
		}
	}
	return nil
}

func tooManyNames() error {
	return model.TooLong("alarmNames", maxNames)
}

// DescribeAlarmsForMetric describes the alarms on a metric.
func (a *API) DescribeAlarmsForMetric(ctx context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	wanted, err := identity(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	if in.Period != nil {
		if err := checkPeriod(in.Period); err != nil {
			return nil, err
		}
	}
	if err := checkUnit(in.Unit); err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	for _, row := range store.Alarms.By(a.Store.View(), "region", region(ctx)) {
		w := alarm.Watches(row)
		if w.Metric == wanted && (in.Period == nil || time.Duration(*in.Period)*time.Second == w.Period) &&
			(in.Unit == "" || string(in.Unit) == w.Unit) &&
			(in.Statistic == "" || string(in.Statistic) == w.Statistic) &&
			(in.ExtendedStatistic == nil || *in.ExtendedStatistic == w.Statistic) {
			out.MetricAlarms = append(out.MetricAlarms, alarmOf(row))
		}
	}
	slices.SortFunc(
		out.MetricAlarms,
		func(x, y types.MetricAlarm) int { return cmp.Compare(*x.AlarmName, *y.AlarmName) },
	)
	return out, nil
}

// DeleteAlarms deletes alarms. Those that are there go also when others of the
// request are not.
func (a *API) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	return &cloudwatch.DeleteAlarmsOutput{}, a.each(
		ctx,
		in.AlarmNames,
		func(tx *store.Tx, row *store.Alarm) { alarm.Delete(tx, row, a.Now()) },
	)
}

// EnableAlarmActions lets alarms act.
func (a *API) EnableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	return &cloudwatch.EnableAlarmActionsOutput{}, a.each(
		ctx,
		in.AlarmNames,
		func(tx *store.Tx, row *store.Alarm) { a.act(tx, row, true) },
	)
}

// DisableAlarmActions has alarms change their state and nothing else.
func (a *API) DisableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	return &cloudwatch.DisableAlarmActionsOutput{}, a.each(
		ctx,
		in.AlarmNames,
		func(tx *store.Tx, row *store.Alarm) { a.act(tx, row, false) },
	)
}

func (a *API) act(tx *store.Tx, row *store.Alarm, enabled bool) {
	if row.ActionsDisabled == !enabled {
		return
	}
	changed := *row
	changed.ActionsDisabled = !enabled
	alarm.Put(tx, &changed, a.Now())
}

// each does something with the named alarms that there are.
func (a *API) each(ctx context.Context, names []string, do func(tx *store.Tx, row *store.Alarm)) error {
	switch {
	case len(names) == 0:
		return missing("AlarmNames")
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

// SetAlarmState gives an alarm a state until it is evaluated again.
func (a *API) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	if err := checkAlarmName(in.AlarmName); err != nil {
		return nil, err
	}
	states := []string{alarm.Insufficient, alarm.InAlarm, alarm.OK}
	switch data := aws.ToString(in.StateReasonData); {
	case in.StateValue == "":
		return nil, missing("StateValue")
	case !slices.Contains(states, string(in.StateValue)):
		return nil, model.OutOfSet("stateValue", in.StateValue, states...)
	case in.StateReason == nil:
		return nil, missing("StateReason")
	case len(*in.StateReason) > 1023:
		return nil, model.TooLong("stateReason", 1023)
	case len(data) > 4000:
		return nil, model.TooLong("stateReasonData", 4000)
	case data != "" && !json.Valid([]byte(data)):
		return nil, wire.Errorf("InvalidFormat", "StateReasonData must be JSON.")
	}
	return &cloudwatch.SetAlarmStateOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, ok := store.Alarms.Get(tx, alarm.ARN(region(ctx), *in.AlarmName))
		if !ok {
			return &wire.Error{Code: "ResourceNotFound", Name: "ResourceNotFound", Status: http.StatusNotFound}
		}
		alarm.Set(
			tx,
			row,
			alarm.Verdict{
				State:  string(in.StateValue),
				Reason: *in.StateReason,
				Data:   aws.ToString(in.StateReasonData),
			},
			a.Now(),
		)
		return nil
	})
}
