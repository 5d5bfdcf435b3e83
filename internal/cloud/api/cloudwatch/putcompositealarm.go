package cloudwatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of a composite alarm (Amazon CloudWatch API Reference, PutCompositeAlarm).
const (
	maxRule    = 10240
	maxParents = 150 // of any alarm
)

// PutCompositeAlarm creates a composite alarm or replaces its configuration. Alarms may
// depend on each other in a cycle; those are not evaluated.
func (a *API) PutCompositeAlarm(
	ctx context.Context, in *cloudwatch.PutCompositeAlarmInput,
) (*cloudwatch.PutCompositeAlarmOutput, error) {
	here := wire.RegionFrom(ctx)
	if err := checkComposite(wire.RegionFrom(ctx), in); err != nil {
		return nil, err
	}
	rule, err := readRule(here, *in.AlarmRule)
	if err != nil {
		return nil, err
	}
	row := &store.Alarm{
		Region: here, Name: *in.AlarmName, Description: aws.ToString(in.AlarmDescription),
		ActionsDisabled: in.ActionsEnabled != nil && !*in.ActionsEnabled,
		OKActions:       in.OKActions, AlarmActions: in.AlarmActions, NoDataActions: in.InsufficientDataActions,
		Rule: *in.AlarmRule, Suppressor: aws.ToString(in.ActionsSuppressor),
		SuppressorWait:      aws.ToInt32(in.ActionsSuppressorWaitPeriod),
		SuppressorExtension: aws.ToInt32(in.ActionsSuppressorExtensionPeriod),
	}
	if row.Tags, err = addTags(nil, in.Tags); err != nil {
		return nil, err
	}
	return &cloudwatch.PutCompositeAlarmOutput{}, a.Store.Update(func(tx *store.Tx) error {
		if err := cmp.Or(
			checkKind(tx, row), checkChildren(tx, row, rule.Children), checkSuppressor(tx, row),
		); err != nil {
			return err
		}
		alarm.Put(tx, row, a.Now())
		return nil
	})
}

func checkComposite(region identity.Region, in *cloudwatch.PutCompositeAlarmInput) error {
	if err := checkAlarmName(in.AlarmName); err != nil {
		return err
	}
	wait, extension := in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod
	switch rule := aws.ToString(in.AlarmRule); {
	case in.ActionConfiguration != nil:
		return wire.NotImplemented("the parameter ActionConfiguration of alarms")
	case rule == "" || strings.TrimSpace(rule) != rule:
		return validationError("AlarmRule must not contain leading or trailing whitespace or be null")
	case utf8.RuneCountInString(rule) > maxRule:
		return model.TooLong("alarmRule", maxRule)
	case utf8.RuneCountInString(aws.ToString(in.AlarmDescription)) > maxDescription:
		return model.TooLong("alarmDescription", maxDescription)
	case in.ActionsSuppressor == nil && (wait != nil || extension != nil):
		return validationError("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod can be specified " +
			"only with ActionsSuppressor.")
	case in.ActionsSuppressor != nil && (wait == nil || extension == nil):
		return validationError("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required when " +
			"ActionsSuppressor is specified.")
	case aws.ToInt32(wait) < 0, aws.ToInt32(extension) < 0:
		return validationError("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must not be negative.")
	}
	states := actionsOf(in.OKActions, in.AlarmActions, in.InsufficientDataActions)
	isTopic := func(fields []string) bool { return fields[2] == "sns" }
	return checkActions(region, states, isTopic,
		"actions of composite alarms other than topics of Amazon SNS")
}

func readRule(region identity.Region, text string) (alarm.Rule, error) {
	rule, err := alarm.ParseRule(region, text)
	switch {
	case errors.Is(err, alarm.ErrAtLeast):
		return rule, wire.NotImplemented("%s", err.Error())
	case err != nil:
		return rule, validationError("Invalid AlarmRule: %s", err)
	}
	return rule, nil
}

// checkKind refuses an alarm with the name of one of the other kind.
func checkKind(r store.Reader, row *store.Alarm) error {
	old, ok := store.Alarms.Get(r, alarm.ARN(row.Region, row.Name))
	if ok && alarm.IsComposite(old) != alarm.IsComposite(row) {
		return validationError("An alarm of another type exists with the name %s.", row.Name)
	}
	return nil
}

// checkChildren refuses a rule with alarms that do not exist, or that too many other rules
// have.
func checkChildren(r store.Reader, row *store.Alarm, children []string) error {
	var missing []string
	for _, name := range children {
		if _, ok := store.Alarms.Get(r, alarm.ARN(row.Region, name)); !ok && name != row.Name {
			missing = append(missing, name)
			continue
		}
		parents := alarm.Parents(r, row.Region, name)
		parents = slices.DeleteFunc(parents, func(p *store.Alarm) bool { return p.Name == row.Name })
		if len(parents) >= maxParents {
			return wire.Errorf(
				"LimitExceeded", "The alarm %s is in the rules of %d composite alarms.", name, maxParents,
			)
		}
	}
	if len(missing) > 0 {
		return validationError("Could not save the composite alarm as alarms [%s] in the alarm rule do not exist",
			strings.Join(missing, ", "))
	}
	return nil
}

// checkSuppressor refuses a suppressor that does not exist.
func checkSuppressor(r store.Reader, row *store.Alarm) error {
	if row.Suppressor == "" {
		return nil
	}
	name, err := alarm.NameIn(row.Region, row.Suppressor)
	if err != nil {
		return validationError("Invalid ActionsSuppressor: %s", err)
	}
	if _, ok := store.Alarms.Get(r, alarm.ARN(row.Region, name)); !ok {
		return validationError("Could not save the composite alarm as the suppressor alarm %s does not exist", name)
	}
	return nil
}

func describeComposite(row *store.Alarm) types.CompositeAlarm {
	out := types.CompositeAlarm{
		ActionsEnabled:                     aws.Bool(!row.ActionsDisabled),
		AlarmActions:                       orEmpty(row.AlarmActions),
		OKActions:                          orEmpty(row.OKActions),
		InsufficientDataActions:            orEmpty(row.NoDataActions),
		AlarmArn:                           &row.ARN,
		AlarmName:                          &row.Name,
		AlarmConfigurationUpdatedTimestamp: &row.Configured,
		AlarmDescription:                   optional(row.Description),
		AlarmRule:                          &row.Rule,
		StateValue:                         types.StateValue(row.State),
		StateReason:                        &row.StateReason,
		StateReasonData:                    optional(row.StateReasonData),
		StateUpdatedTimestamp:              &row.StateUpdated,
		StateTransitionedTimestamp:         &row.StateChanged,
		ActionsSuppressedBy:                types.ActionsSuppressedBy(row.SuppressedBy),
	}
	if row.SuppressedBy != "" {
		out.ActionsSuppressedReason = aws.String("Actions suppressed by " + row.SuppressedBy)
	}
	if row.Suppressor != "" {
		out.ActionsSuppressor = &row.Suppressor
		out.ActionsSuppressorWaitPeriod = &row.SuppressorWait
		out.ActionsSuppressorExtensionPeriod = &row.SuppressorExtension
	}
	return out
}
