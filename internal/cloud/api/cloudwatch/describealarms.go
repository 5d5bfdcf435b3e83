package cloudwatch

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeAlarms describes the alarms selected by name, prefix, state or action.
func (a *API) DescribeAlarms(
	ctx context.Context, in *cloudwatch.DescribeAlarmsInput,
) (*cloudwatch.DescribeAlarmsOutput, error) {
	if err := checkDescribeAlarms(in); err != nil {
		return nil, err
	}
	rows, err := selectAlarms(a.Store.Read(ctx), wire.RegionFrom(ctx), in)
	if err != nil {
		return nil, err
	}
	request := *in
	request.NextToken = nil
	rows, next, err := pageRows(rows, request, in.NextToken, in.MaxRecords, defaultAlarmPage)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsOutput{
		MetricAlarms:    []types.MetricAlarm{},
		CompositeAlarms: []types.CompositeAlarm{},
		NextToken:       next,
	}
	for _, row := range rows {
		metricAlarm, composite := describeAlarm(row), describeComposite(row)
		switch {
		case in.ParentsOfAlarmName != nil:
			composite = types.CompositeAlarm{AlarmName: &row.Name, AlarmArn: &row.ARN}
		case in.ChildrenOfAlarmName != nil:
			metricAlarm = types.MetricAlarm{
				AlarmName: &row.Name, AlarmArn: &row.ARN, StateValue: metricAlarm.StateValue,
				StateUpdatedTimestamp: &row.StateUpdated,
			}
			composite = types.CompositeAlarm{
				AlarmName: &row.Name, AlarmArn: &row.ARN, StateValue: composite.StateValue,
				StateUpdatedTimestamp: &row.StateUpdated,
			}
		}
		if alarm.IsComposite(row) {
			out.CompositeAlarms = append(out.CompositeAlarms, composite)
		} else {
			out.MetricAlarms = append(out.MetricAlarms, metricAlarm)
		}
	}
	return out, nil
}

// selectAlarms returns the alarms that a request selects, in the order of their names.
func selectAlarms(r store.Reader, region identity.Region, in *cloudwatch.DescribeAlarmsInput) ([]*store.Alarm, error) {
	var rows []*store.Alarm
	switch {
	case in.ParentsOfAlarmName != nil:
		return alarm.Parents(r, region, *in.ParentsOfAlarmName), nil
	case in.ChildrenOfAlarmName != nil:
		parent, ok := store.Alarms.Get(r, alarm.ARN(region, *in.ChildrenOfAlarmName))
		if !ok || !alarm.IsComposite(parent) {
			return nil, validationError("%s is not a composite alarm.", *in.ChildrenOfAlarmName)
		}
		for _, name := range alarm.Children(parent) {
			if row, ok := store.Alarms.Get(r, alarm.ARN(region, name)); ok {
				rows = append(rows, row)
			}
		}
	default:
		for _, row := range store.Alarms.InRegion(r, region) {
			if hasType(in.AlarmTypes, row) && matchesAlarm(in, row) {
				rows = append(rows, row)
			}
		}
	}
	slices.SortFunc(rows, func(x, y *store.Alarm) int { return cmp.Compare(x.Name, y.Name) })
	return rows, nil
}

// hasType reports whether an alarm is of one of some types: without any, if it watches a
// metric.
func hasType(given []types.AlarmType, row *store.Alarm) bool {
	if alarm.IsComposite(row) {
		return slices.Contains(given, types.AlarmTypeCompositeAlarm)
	}
	return len(given) == 0 || slices.Contains(given, types.AlarmTypeMetricAlarm)
}

// matchesAlarm reports whether the request selects the alarm.
func matchesAlarm(in *cloudwatch.DescribeAlarmsInput, row *store.Alarm) bool {
	hasAction := func() bool {
		actions := slices.Concat(row.OKActions, row.AlarmActions, row.NoDataActions)
		return slices.ContainsFunc(actions, func(a string) bool { return strings.HasPrefix(a, *in.ActionPrefix) })
	}
	return (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, row.Name)) &&
		strings.HasPrefix(row.Name, aws.ToString(in.AlarmNamePrefix)) &&
		(in.StateValue == "" || string(in.StateValue) == row.State) &&
		(in.ActionPrefix == nil || hasAction())
}

func checkDescribeAlarms(in *cloudwatch.DescribeAlarmsInput) error {
	states := []string{alarm.InsufficientData, alarm.InAlarm, alarm.OK}
	switch {
	case in.ChildrenOfAlarmName != nil && selectsElse(in, in.ParentsOfAlarmName):
		return invalidCombination("No other parameters than MaxRecords and NextToken can be specified together with " +
			"ChildrenOfAlarmName.")
	case in.ParentsOfAlarmName != nil && selectsElse(in, in.ChildrenOfAlarmName):
		return invalidCombination("No other parameters than MaxRecords and NextToken can be specified together with " +
			"ParentsOfAlarmName.")
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return invalidCombination("AlarmNamePrefix must not be specified together with AlarmNames.")
	case len(in.AlarmNames) > maxAlarmNames:
		return tooManyAlarmNames()
	case in.StateValue != "" && !slices.Contains(states, string(in.StateValue)):
		return model.OutOfSet("stateValue", in.StateValue, states...)
	}
	return checkAlarmTypes(in.AlarmTypes)
}

// selectsElse reports whether a request about related alarms selects alarms otherwise too.
func selectsElse(in *cloudwatch.DescribeAlarmsInput, other *string) bool {
	return other != nil || len(in.AlarmNames) > 0 || in.AlarmNamePrefix != nil || len(in.AlarmTypes) > 0 ||
		in.StateValue != "" || in.ActionPrefix != nil
}

func checkAlarmTypes(given []types.AlarmType) error {
	for _, t := range given {
		if !slices.Contains(t.Values(), t) {
			return model.OutOfSet("alarmTypes", t, "CompositeAlarm", "MetricAlarm", "LogAlarm")
		}
	}
	return nil
}

func tooManyAlarmNames() error {
	return model.TooLong("alarmNames", maxAlarmNames)
}

// DescribeAlarmsForMetric describes the alarms that watch a metric.
func (a *API) DescribeAlarmsForMetric(
	ctx context.Context, in *cloudwatch.DescribeAlarmsForMetricInput,
) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	id, err := metricID(in.Namespace, in.MetricName, in.Dimensions)
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
	for _, row := range store.Alarms.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx)) {
		if watches(in, row, id) {
			out.MetricAlarms = append(out.MetricAlarms, describeAlarm(row))
		}
	}
	slices.SortFunc(out.MetricAlarms, func(x, y types.MetricAlarm) int {
		return cmp.Compare(*x.AlarmName, *y.AlarmName)
	})
	return out, nil
}

// watches reports whether an alarm watches the metric that the request describes.
func watches(in *cloudwatch.DescribeAlarmsForMetricInput, row *store.Alarm, id metric.ID) bool {
	if alarm.IsComposite(row) {
		return false
	}
	w := alarm.WatchedBy(row)
	return w.Metric == id && (in.Period == nil || time.Duration(*in.Period)*time.Second == w.Period) &&
		(in.Unit == "" || string(in.Unit) == w.Unit) &&
		(in.Statistic == "" || string(in.Statistic) == w.Statistic) &&
		(in.ExtendedStatistic == nil || *in.ExtendedStatistic == w.Statistic)
}

func describeAlarm(row *store.Alarm) types.MetricAlarm {
	out := types.MetricAlarm{
		ActionsEnabled:                     aws.Bool(!row.ActionsDisabled),
		AlarmActions:                       orEmpty(row.AlarmActions),
		OKActions:                          orEmpty(row.OKActions),
		InsufficientDataActions:            orEmpty(row.NoDataActions),
		AlarmArn:                           &row.ARN,
		AlarmName:                          &row.Name,
		AlarmConfigurationUpdatedTimestamp: &row.Configured,
		AlarmDescription:                   optional(row.Description),
		ComparisonOperator:                 types.ComparisonOperator(row.Comparison),
		EvaluationPeriods:                  &row.EvaluationPeriods,
		Threshold:                          &row.Threshold,
		Dimensions:                         []types.Dimension{},
		MetricName:                         optional(row.Metric),
		Namespace:                          optional(row.Namespace),
		Statistic:                          types.Statistic(row.Statistic),
		ExtendedStatistic:                  optional(row.ExtendedStatistic),
		Unit:                               types.StandardUnit(row.Unit),
		TreatMissingData:                   optional(row.TreatMissing),
		EvaluateLowSampleCountPercentile:   optional(row.EvaluateLowSample),
		StateValue:                         types.StateValue(row.State),
		StateReason:                        &row.StateReason,
		StateReasonData:                    optional(row.StateReasonData),
		StateUpdatedTimestamp:              &row.StateUpdated,
		StateTransitionedTimestamp:         &row.StateChanged,
	}
	if row.DatapointsToAlarm > 0 {
		out.DatapointsToAlarm = &row.DatapointsToAlarm
	}
	if row.Period > 0 {
		out.Period = &row.Period
	}
	for _, d := range row.Dimensions {
		out.Dimensions = append(out.Dimensions, types.Dimension{Name: &d.Name, Value: &d.Value})
	}
	if row.Queries != "" {
		_ = json.Unmarshal([]byte(row.Queries), &out.Metrics) // written by PutMetricAlarm
	}
	return out
}

// orEmpty returns list, or an empty one instead of nil: CloudWatch includes empty
// lists of actions in its responses.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// optional returns nil for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
