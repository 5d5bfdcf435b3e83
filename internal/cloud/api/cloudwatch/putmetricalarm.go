package cloudwatch

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// staticComparisons compare with a fixed number, unlike those of anomaly
// detection.
var staticComparisons = []string{
	"GreaterThanOrEqualToThreshold",
	"GreaterThanThreshold",
	"LessThanThreshold",
	"LessThanOrEqualToThreshold",
}

// PutMetricAlarm creates an alarm or replaces its configuration.
func (a *API) PutMetricAlarm(
	ctx context.Context, in *cloudwatch.PutMetricAlarmInput,
) (*cloudwatch.PutMetricAlarmOutput, error) {
	checks := []func(*cloudwatch.PutMetricAlarmInput) error{
		checkSupported, checkAlarm, checkMetricActions(wire.RegionFrom(ctx)),
		func(in *cloudwatch.PutMetricAlarmInput) error { return checkMetric(ctx, in) }, checkEvaluation,
	}
	for _, check := range checks {
		if err := check(in); err != nil {
			return nil, err
		}
	}
	row := &store.Alarm{
		Region:            wire.RegionFrom(ctx),
		Name:              *in.AlarmName,
		Description:       aws.ToString(in.AlarmDescription),
		ActionsDisabled:   in.ActionsEnabled != nil && !*in.ActionsEnabled,
		OKActions:         in.OKActions,
		AlarmActions:      in.AlarmActions,
		NoDataActions:     in.InsufficientDataActions,
		Namespace:         aws.ToString(in.Namespace),
		Metric:            aws.ToString(in.MetricName),
		Statistic:         string(in.Statistic),
		ExtendedStatistic: aws.ToString(in.ExtendedStatistic),
		Period:            aws.ToInt32(in.Period),
		EvaluationPeriods: *in.EvaluationPeriods,
		DatapointsToAlarm: aws.ToInt32(in.DatapointsToAlarm),
		Threshold:         *in.Threshold,
		Comparison:        string(in.ComparisonOperator),
		TreatMissing:      aws.ToString(in.TreatMissingData),
		EvaluateLowSample: aws.ToString(in.EvaluateLowSampleCountPercentile),
		Unit:              string(in.Unit),
	}
	for _, d := range in.Dimensions {
		row.Dimensions = append(row.Dimensions, store.MetricDimension{Name: *d.Name, Value: *d.Value})
	}
	if len(in.Metrics) > 0 {
		text, _ := json.Marshal(in.Metrics) // the SDK's types always encode
		row.Queries = string(text)
	}
	var err error
	if row.Tags, err = addTags(nil, in.Tags); err != nil {
		return nil, err
	}
	return &cloudwatch.PutMetricAlarmOutput{}, a.Store.Update(func(tx *store.Tx) error {
		if err := checkKind(tx, row); err != nil {
			return err
		}
		alarm.Put(tx, row, a.Now())
		return nil
	})
}

// checkSupported refuses what alarms here cannot do.
func checkSupported(in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case in.ActionConfiguration != nil:
		return wire.NotImplemented("the parameter ActionConfiguration of alarms")
	case in.WarmUpConfiguration != nil:
		return wire.NotImplemented("the parameter WarmUpConfiguration of alarms")
	case in.EvaluationInterval != nil:
		return validationError("EvaluationInterval can be specified only for alarms with EvaluationCriteria.")
	case in.ThresholdMetricId != nil:
		return wire.NotImplemented("anomaly detection: the parameter ThresholdMetricId of alarms")
	case strings.Contains(string(in.ComparisonOperator), "LowerThreshold"),
		strings.Contains(string(in.ComparisonOperator), "UpperThreshold"):
		return wire.NotImplemented("anomaly detection: the comparison %s", string(in.ComparisonOperator))
	}
	return nil
}

func checkAlarm(in *cloudwatch.PutMetricAlarmInput) error {
	if err := checkAlarmName(in.AlarmName); err != nil {
		return err
	}
	switch {
	case in.ComparisonOperator == "":
		return missingParameter("ComparisonOperator")
	case !slices.Contains(staticComparisons, string(in.ComparisonOperator)):
		return model.OutOfSet("comparisonOperator", in.ComparisonOperator, staticComparisons...)
	case in.EvaluationPeriods == nil:
		return missingParameter("EvaluationPeriods")
	case *in.EvaluationPeriods < 1:
		return atLeastOne("evaluationPeriods", *in.EvaluationPeriods)
	case in.Threshold == nil:
		return missingParameter("Threshold")
	case math.IsNaN(*in.Threshold) || math.IsInf(*in.Threshold, 0):
		return validationError("The parameter Threshold must be a number.")
	case utf8.RuneCountInString(aws.ToString(in.AlarmDescription)) > maxDescription:
		return model.TooLong("alarmDescription", maxDescription)
	}
	return nil
}

func checkAlarmName(name *string) error {
	switch n := aws.ToString(name); {
	case n == "":
		return missingParameter("AlarmName")
	case utf8.RuneCountInString(n) > maxAlarmName:
		return model.Refuse("alarmName", n, "have length less than or equal to %d", maxAlarmName)
	case strings.IndexFunc(n, unicode.IsControl) >= 0:
		return validationError("Alarm names must not contain control characters.")
	}
	return nil
}

func atLeastOne(member string, value int32) error {
	return model.Refuse(member, value, "have value greater than or equal to 1")
}

// checkMetricActions accepts the actions that can run here: scaling policies, messages to topics of
// Amazon SNS, and actions on the instance that the metric is about.
func checkMetricActions(region identity.Region) func(in *cloudwatch.PutMetricAlarmInput) error {
	return func(in *cloudwatch.PutMetricAlarmInput) error {
		onInstance := false
		runs := func(fields []string) bool {
			_, acts := alarm.InstanceActionOf(strings.Join(fields, ":"))
			onInstance = onInstance || acts
			return acts || fields[2] == "sns" ||
				fields[2] == "autoscaling" && strings.HasPrefix(fields[5], "scalingPolicy:")
		}
		const others = "alarm actions other than policies of Amazon EC2 Auto Scaling, topics of Amazon SNS and " +
			"actions on instances"
		if err := checkActions(region, actionsOf(
			in.OKActions, in.AlarmActions, in.InsufficientDataActions,
		), runs, others); err != nil {
			return err
		}
		if onInstance && !slices.ContainsFunc(in.Dimensions, func(d types.Dimension) bool {
			return aws.ToString(d.Name) == alarm.InstanceDimension
		}) {
			return validationError("Actions on Amazon EC2 instances need an alarm on a metric with the dimension %s.",
				alarm.InstanceDimension)
		}
		return nil
	}
}

// stateActions are the actions of one state of an alarm.
type stateActions struct {
	member string
	arns   []string
}

func actionsOf(ok, inAlarm, noData []string) []stateActions {
	return []stateActions{{"oKActions", ok}, {"alarmActions", inAlarm}, {"insufficientDataActions", noData}}
}

// checkActions accepts the actions of an alarm's states that runs holds for, which reads the
// six fields of an ARN. others are what it does not accept.
func checkActions(region identity.Region, states []stateActions, runs func([]string) bool, others string) error {
	for _, state := range states {
		if len(state.arns) > maxActions {
			return model.TooLong(state.member, maxActions)
		}
		for _, action := range state.arns {
			switch fields := strings.SplitN(action, ":", 6); {
			case len(fields) < 6 || fields[0] != "arn":
				return validationError("Invalid arn syntax: %s", action)
			case !runs(fields):
				return wire.NotImplemented("%s: %s", others, action)
			case fields[3] != region.Name():
				return validationError("Invalid region %s specified. Only %s is supported.", fields[3], region.Name())
			}
		}
	}
	return nil
}

// checkEvaluation checks how an alarm treats missing data and few samples, and
// how many data points must breach.
func checkEvaluation(in *cloudwatch.PutMetricAlarmInput) error {
	switch treat := aws.ToString(in.TreatMissingData); treat {
	case "", "breaching", "notBreaching", "ignore", "missing":
	default:
		return validationError(
			"Treat missing data value '%s' is not supported. Must be one of [breaching, notBreaching, ignore, "+
				"missing].",
			treat,
		)
	}
	switch low := aws.ToString(in.EvaluateLowSampleCountPercentile); {
	case low == "":
	case in.ExtendedStatistic == nil:
		return validationError("EvaluateLowSampleCountPercentile can be specified only with a percentile.")
	case low != "evaluate" && low != "ignore":
		return validationError(
			"Option %s is not supported for EvaluateLowSampleCountPercentile. Must be one of [evaluate, ignore].",
			low,
		)
	}
	switch m := in.DatapointsToAlarm; {
	case m == nil:
	case *m < 1:
		return atLeastOne("datapointsToAlarm", *m)
	case *m > *in.EvaluationPeriods:
		return validationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
	}
	return nil
}
