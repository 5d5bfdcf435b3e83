package capacity

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"
	_ "time/tzdata" // a host need not know the zones that schedules name

	"github.com/adhocore/gronx"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// recurrence is five fields: minute, hour, day of the month, month and day of the
// week, of which either day is enough when both are restricted (Scheduled scaling
// for Amazon EC2 Auto Scaling; crontab(5)).
var recurrence = func() *regexp.Regexp {
	const value = `(?:\d{1,2}|[A-Za-z]{3})`
	const item = `(?:\*|` + value + `(?:-` + value + `)?)(?:/\d{1,2})?`
	const field = item + `(?:,` + item + `)*`
	return regexp.MustCompile(`^(?:` + field + `\s+){4}` + field + `$`)
}()

// CheckRecurrence tells whether the expression is one of a schedule.
func CheckRecurrence(expression string) bool {
	return recurrence.MatchString(expression) && gronx.IsValid(expression)
}

// Zone finds a time zone by the name that IANA gave it; empty: UTC.
func Zone(name string) (*time.Location, error) { return time.LoadLocation(name) }

// NextRun is when an action is to run for the first time at or after the time. false:
// it does not any more. One that recurs runs at its start too (Amazon EC2 Auto
// Scaling API Reference, PutScheduledUpdateGroupAction).
func NextRun(action *store.ScheduledAction, from time.Time) (time.Time, bool) {
	next := action.Start
	if next.Before(from) {
		zone, err := Zone(action.TimeZone)
		if err != nil || action.Recurrence == "" {
			return time.Time{}, false
		}
		if whole := from.Truncate(time.Minute); whole.Before(from) {
			from = whole.Add(time.Minute)
		}
		if next, err = gronx.NextTickAfter(action.Recurrence, from.In(zone), true); err != nil {
			return time.Time{}, false // a day that never comes
		}
	}
	if !action.End.IsZero() && next.After(action.End) {
		return time.Time{}, false
	}
	return next.UTC(), true
}

// RunSchedule runs what is due of the schedules of all groups, in its order, and
// tells when the next action is (zero: there is none). An action that was missed,
// because nothing ran then, runs once; those that will not run again go.
func RunSchedule(tx *store.Tx, now time.Time) (next time.Time, problem error) {
	actions := store.ScheduledActions.List(tx)
	slices.SortFunc(actions, func(x, y *store.ScheduledAction) int {
		return cmp.Or(lastDue(x, now).Compare(lastDue(y, now)), cmp.Compare(x.Name, y.Name))
	})
	for _, action := range actions {
		due := action.Next
		if !due.After(now) {
			if err := applySchedule(tx, action, now); err != nil {
				problem = fmt.Errorf("run the scheduled action %s of the group %s: %w", action.Name, action.Group, err)
			}
			var again bool
			if due, again = NextRun(action, now.Add(1)); action.Recurrence == "" || !again {
				store.ScheduledActions.Delete(tx, action.ARN)
				continue
			}
			store.ScheduledActions.Edit(tx, action.ARN, func(row *store.ScheduledAction) { row.Next = due })
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return next, problem
}

// lastDue is when an action that is due was to run last.
func lastDue(action *store.ScheduledAction, now time.Time) time.Time {
	if zone, err := Zone(action.TimeZone); err == nil && action.Recurrence != "" && !action.Next.After(now) {
		if at, err := gronx.PrevTickBefore(action.Recurrence, now.In(zone), true); err == nil && at.After(action.Next) {
			return at
		}
	}
	return action.Next
}

// applySchedule sets the sizes of a group as the action says. What would not fit together
// changes nothing.
func applySchedule(tx *store.Tx, action *store.ScheduledAction, now time.Time) error {
	key := action.Region + "/" + action.Group
	group, ok := store.ScalingGroups.Get(tx, key)
	if !ok || group.Deleting || scalinggroup.Suspended(group, scalinggroup.ScheduledActions) {
		return nil
	}
	least, most, desired := group.Min, group.Max, group.Desired
	for _, s := range []struct{ to, from *int32 }{{&least, action.Min}, {&most, action.Max}, {&desired, action.Desired}} {
		if s.from != nil {
			*s.to = *s.from
		}
	}
	if least > most {
		return fmt.Errorf("max bound, %d, must be greater than or equal to min bound, %d", most, least)
	}
	if action.Desired != nil && (desired < least || desired > most) {
		return fmt.Errorf(
			"desired capacity:%d must be between the specified min size:%d and max size:%d",
			desired,
			least,
			most,
		)
	}
	desired = min(max(desired, least), most)
	store.ScalingGroups.Edit(tx, key, func(row *store.ScalingGroup) { row.Min, row.Max = least, most })
	because := fmt.Sprintf(
		"a scheduled action update of AutoScalingGroup constraints to min: %d, max: %d, desired: %d",
		least,
		most,
		desired,
	)
	scalinggroup.ChangeDesired(tx, key, desired, because, now)
	return nil
}
