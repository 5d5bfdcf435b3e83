package capacity

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"
	_ "time/tzdata" // so that time zones work on hosts without a time zone database

	"github.com/adhocore/gronx"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// recurrence matches five fields: minute, hour, day of the month, month and day of the
// week. If both days are restricted, either suffices (Scheduled scaling for Amazon EC2
// Auto Scaling; crontab(5)).
var recurrence = func() *regexp.Regexp {
	const value = `(?:\d{1,2}|[A-Za-z]{3})`
	const item = `(?:\*|` + value + `(?:-` + value + `)?)(?:/\d{1,2})?`
	const field = item + `(?:,` + item + `)*`
	return regexp.MustCompile(`^(?:` + field + `\s+){4}` + field + `$`)
}()

// CheckRecurrence reports whether the expression is a valid recurrence.
func CheckRecurrence(expression string) bool {
	return recurrence.MatchString(expression) && gronx.IsValid(expression)
}

// Zone returns the time zone with an IANA name. The empty name is UTC.
func Zone(name string) (*time.Location, error) { return time.LoadLocation(name) }

// NextRun returns when an action runs next, at or after a time, and reports whether it
// runs again at all. A recurring action also runs at its start (Amazon EC2 Auto Scaling
// API Reference, PutScheduledUpdateGroupAction).
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
			return time.Time{}, false // a day that never comes, such as February 30
		}
	}
	if !action.End.IsZero() && next.After(action.End) {
		return time.Time{}, false
	}
	return next.UTC(), true
}

// RunSchedule runs the due actions of all groups in order and returns the time of the
// next action, zero if there is none. An action that was missed several times runs
// once. RunSchedule deletes actions that never run again.
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

// lastDue returns the last time at which a due action should have run.
func lastDue(action *store.ScheduledAction, now time.Time) time.Time {
	if zone, err := Zone(action.TimeZone); err == nil && action.Recurrence != "" && !action.Next.After(now) {
		if at, err := gronx.PrevTickBefore(action.Recurrence, now.In(zone), true); err == nil && at.After(action.Next) {
			return at
		}
	}
	return action.Next
}

// applySchedule sets a group's sizes to those of an action. Sizes that contradict each
// other change nothing.
func applySchedule(tx *store.Tx, action *store.ScheduledAction, now time.Time) error {
	key := action.Region.Key(action.Group)
	group, ok := store.ScalingGroups.Get(tx, key)
	if !ok || group.Deleting || scalinggroup.Suspended(group, scalinggroup.ScheduledActions) {
		return nil
	}
	least, most, desired := group.Min, group.Max, group.Desired
	for _, s := range []struct{ to, from *int32 }{
		{&least, action.Min}, {&most, action.Max}, {&desired, action.Desired},
	} {
		if s.from != nil {
			*s.to = *s.from
		}
	}
	if least > most {
		return fmt.Errorf("max bound, %d, must be greater than or equal to min bound, %d", most, least)
	}
	if action.Desired != nil && (desired < least || desired > most) {
		return fmt.Errorf(
			"desired capacity:%d must be between the specified min size:%d and max size:%d", desired, least, most,
		)
	}
	desired = min(max(desired, least), most)
	store.ScalingGroups.Edit(tx, key, func(row *store.ScalingGroup) { row.Min, row.Max = least, most })
	because := scalinggroup.BecauseOfSchedule(least, most, desired)
	scalinggroup.ChangeDesired(tx, key, desired, because, now)
	return nil
}
