package alarm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// IsComposite reports whether an alarm follows the states of other alarms and not a metric.
func IsComposite(row *store.Alarm) bool { return row.Rule != "" }

// Children returns the names of the alarms in the rule of an alarm; none for an alarm on a
// metric.
func Children(row *store.Alarm) []string {
	if !IsComposite(row) {
		return nil
	}
	rule, err := ParseRule(row.Region, row.Rule)
	if err != nil {
		return nil // PutCompositeAlarm has read it
	}
	return rule.Children
}

// Parents returns the composite alarms with an alarm in their rules, in the order of their
// names.
func Parents(r store.Reader, region identity.Region, name string) (out []*store.Alarm) {
	for _, row := range store.Alarms.InRegion(r, region) {
		if slices.Contains(Children(row), name) {
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(a, b *store.Alarm) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// EvaluateComposite returns the state that follows from the rule of a composite alarm. inputs
// stands for what it follows from. The alarm keeps its state until those change, so that a
// state that a user set lasts as long (Amazon CloudWatch API Reference, SetAlarmState). ok is
// false if they have not changed, or if the alarm depends on itself: AWS does not evaluate
// such alarms.
func EvaluateComposite(r store.Reader, row *store.Alarm) (v Verdict, inputs string, ok bool) {
	rule, err := ParseRule(row.Region, row.Rule)
	if err != nil || inCycle(r, row) {
		return Verdict{}, "", false
	}
	states := map[string]string{}
	var latest *store.Alarm
	parts := []string{"evaluated"}
	for _, name := range rule.Children {
		child, exists := store.Alarms.Get(r, ARN(row.Region, name))
		if !exists {
			continue
		}
		states[name] = child.State
		parts = append(parts, child.State+strconv.FormatInt(child.StateChanged.UnixNano(), 36))
		if latest == nil || child.StateChanged.After(latest.StateChanged) {
			latest = child
		}
	}
	if inputs = strings.Join(parts, " "); inputs == row.Inputs {
		return Verdict{}, "", false
	}
	v.State = OK
	if rule.Holds(func(name string) string { return states[name] }) {
		v.State = InAlarm
	}
	v.Reason, v.Data = compositeReason(row, v.State, latest)
	return v, inputs, true
}

// reconfigured is what the state of a composite alarm was last derived from if its
// configuration has changed since.
const reconfigured = "reconfigured"

// compositeReason returns why a composite alarm has a state, as text and as JSON. latest is
// the child whose state changed last, nil for a rule without children.
func compositeReason(row *store.Alarm, state string, latest *store.Alarm) (reason, data string) {
	children := []triggering{}
	if latest != nil {
		children = append(children, triggering{latest.ARN, triggeringState{
			latest.State, latest.StateChanged.UTC().Format(dataTime),
		}})
	}
	data = encodeJSON(map[string]any{"triggeringAlarms": children})
	switch {
	case row.Inputs == "":
		return fmt.Sprintf("%s was created and its alarm rule evaluates to %s", row.ARN, state), data
	case row.Inputs == reconfigured || latest == nil:
		return fmt.Sprintf("%s was updated and its alarm rule evaluates to %s", row.ARN, state), data
	}
	return fmt.Sprintf("%s transitioned to %s at %s", latest.ARN, latest.State,
		latest.StateChanged.UTC().Format("Monday 02 January, 2006 15:04:05 MST")), data
}

// triggering is a child in the reason for the state of a composite alarm.
type triggering struct {
	ARN   string          `json:"arn"`
	State triggeringState `json:"state"`
}

type triggeringState struct {
	Value     string `json:"value"`
	Timestamp string `json:"timestamp"`
}

// inCycle reports whether the evaluation of an alarm would come to an alarm twice on one path.
func inCycle(r store.Reader, row *store.Alarm) bool {
	const visiting, done = 1, 2
	seen := map[string]int{}
	var visit func(row *store.Alarm) bool
	visit = func(row *store.Alarm) bool {
		switch seen[row.ARN] {
		case visiting:
			return true
		case done:
			return false
		}
		seen[row.ARN] = visiting
		for _, name := range Children(row) {
			if child, ok := store.Alarms.Get(r, ARN(row.Region, name)); ok && visit(child) {
				return true
			}
		}
		seen[row.ARN] = done
		return false
	}
	return visit(row)
}

// SetComposite sets a composite alarm to the state that follows from inputs.
func SetComposite(tx *store.Tx, row *store.Alarm, v Verdict, inputs string, now time.Time) {
	if v.State != row.State {
		SetState(tx, row, v, now)
	}
	store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) { edited.Inputs = inputs })
}
