//go:build linux

package cloud

import (
	"errors"
	"strings"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// alarmActions runs the actions of alarms: it carries out scaling policies, and tells topics.
type alarmActions struct {
	policies capacity.Policies
	ids      *identity.Source
	region   func(name string) string // returns the name of a region for people
}

// Execute implements alarms.Actions.
func (a alarmActions) Execute(tx *store.Tx, action string, f alarm.Firing) error {
	if !strings.HasPrefix(action, "arn:aws:sns:") {
		return a.policies.Execute(tx, action, f)
	}
	topic, ok := store.Topics.Get(tx, action)
	if !ok || topic.Region != f.Alarm.Region {
		return errors.New("the topic does not exist")
	}
	notification.Publish(tx, topic, notification.AlarmMessage(f, a.ids.UUID(), a.region(f.Alarm.Region.Name())), f.At)
	return nil
}
