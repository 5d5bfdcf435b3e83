//go:build linux

package cloud

import (
	"errors"
	"strings"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// alarmActions runs the actions of alarms: it carries out scaling policies, tells topics, and changes
// instances.
type alarmActions struct {
	policies capacity.Policies
	compute  *ec2.API
	ids      *identity.Source
	region   func(name string) string // returns the name of a region for people
}

// Execute implements alarms.Actions.
func (a alarmActions) Execute(tx *store.Tx, action string, f alarm.Firing) error {
	if change, ok := alarm.InstanceActionOf(action); ok {
		return a.changeInstance(tx, change, f.Alarm)
	}
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

// changeInstance carries out an action on the instance that the alarm's metric is about.
func (a alarmActions) changeInstance(tx *store.Tx, change alarm.InstanceAction, row *store.Alarm) error {
	for _, d := range row.Dimensions {
		if d.Name == alarm.InstanceDimension {
			return a.compute.Act(tx, row.Region, d.Value, change)
		}
	}
	return errors.New("the alarm is not about an instance")
}
