package alarm

import (
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// What suppresses the actions of a composite alarm (Amazon CloudWatch API Reference,
// CompositeAlarm, ActionsSuppressedBy).
const (
	ByAlarm           = "Alarm"
	ByWaitPeriod      = "WaitPeriod"
	ByExtensionPeriod = "ExtensionPeriod"
)

// Suppression returns what suppresses the actions of a composite alarm at a time, "" if
// nothing does, and until when at most; zero: until the suppressor leaves the state ALARM. The
// alarm waits after it entered its state, so that the suppressor can follow, and after the
// suppressor left ALARM, so that the alarm can (Amazon CloudWatch User Guide, "Suppressing
// composite alarm actions").
func Suppression(r store.Reader, row *store.Alarm, now time.Time) (by string, until time.Time) {
	if row.Suppressor == "" {
		return "", time.Time{}
	}
	name, err := NameIn(row.Region, row.Suppressor)
	if err != nil {
		return "", time.Time{} // PutCompositeAlarm has read it
	}
	suppressor, ok := store.Alarms.Get(r, ARN(row.Region, name))
	if ok && suppressor.State == InAlarm {
		return ByAlarm, time.Time{}
	}
	if ok && !suppressor.AlarmLeft.IsZero() {
		end := suppressor.AlarmLeft.Add(time.Duration(row.SuppressorExtension) * time.Second)
		if now.Before(end) {
			return ByExtensionPeriod, end
		}
	}
	if end := row.StateChanged.Add(time.Duration(row.SuppressorWait) * time.Second); now.Before(end) {
		return ByWaitPeriod, end
	}
	return "", time.Time{}
}

// MarkSuppressed records what suppresses the actions of a composite alarm, "" for nothing.
func MarkSuppressed(tx *store.Tx, arn, by string) {
	store.Alarms.Edit(tx, arn, func(edited *store.Alarm) { edited.SuppressedBy = by })
}
