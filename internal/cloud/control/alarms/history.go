//go:build linux

package alarms

import (
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

// deleteOldHistory deletes alarm history older than alarm.Retention.
func (l *Loop) deleteOldHistory(now time.Time) {
	var old []string
	for _, item := range store.AlarmHistories.List(l.Store.View()) {
		if now.Sub(item.At) > alarm.Retention {
			old = append(old, item.ID)
		}
	}
	if len(old) == 0 {
		return
	}
	err := l.Store.Update(func(tx *store.Tx) error {
		for _, id := range old {
			store.AlarmHistories.Delete(tx, id)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("delete old history of alarms", "error", err)
	}
}
