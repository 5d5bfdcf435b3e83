// Package announcement tells topics what Auto Scaling groups do: it publishes the ends of
// activities to the topics of a group, and the beginnings of lifecycle actions to the topics
// of its hooks. The messages have the form of recorded ones, which the Amazon EC2 Auto
// Scaling User Guide describes ("Amazon SNS notification options for Amazon EC2 Auto
// Scaling", "Prepare to add a lifecycle hook to your Auto Scaling group").
package announcement

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
)

// Types of notifications (Amazon EC2 Auto Scaling API Reference,
// NotificationConfiguration).
const (
	Launched          = "autoscaling:EC2_INSTANCE_LAUNCH"
	LaunchFailed      = "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"
	Terminated        = "autoscaling:EC2_INSTANCE_TERMINATE"
	TerminationFailed = "autoscaling:EC2_INSTANCE_TERMINATE_ERROR"
	Test              = "autoscaling:TEST_NOTIFICATION"
)

// Types returns all types of notifications in alphabetical order, as AWS lists them.
func Types() []string {
	return []string{Launched, LaunchFailed, Terminated, TerminationFailed, Test}
}

// subjects say what happened, before " for group …".
var subjects = map[string]string{
	Launched:          "launch",
	LaunchFailed:      "failed launch",
	Terminated:        "termination",
	TerminationFailed: "failed termination",
	Test:              "test notification",
}

const (
	service    = "AWS Auto Scaling"
	timeFormat = "2006-01-02T15:04:05.000Z"
)

// Where instances come from and go to (Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto
// Scaling event reference").
const (
	Compute  = "EC2"
	Group    = "AutoScalingGroup"
	WarmPool = "WarmPool"
)

// way returns where the instance of an activity comes from and goes to.
func way(a *store.ScalingActivity, launching bool) (origin, destination string) {
	switch {
	case a != nil && a.Origin != "":
		return a.Origin, a.Destination
	case launching:
		return Compute, Group
	}
	return Group, Compute
}

// about holds the fields that all messages share.
type about struct {
	AccountID            string `json:"AccountId"`
	RequestID            string `json:"RequestId"`
	AutoScalingGroupARN  string `json:",omitempty"`
	AutoScalingGroupName string
	Service              string
	Event                string `json:",omitempty"`
	Time                 string
}

// activityDocument is the message about the end of an activity.
type activityDocument struct {
	about
	ActivityID    string `json:"ActivityId"`
	Description   string
	Cause         string
	StartTime     string
	EndTime       string
	StatusCode    string
	StatusMessage string
	Progress      int32
	EC2InstanceID string `json:"EC2InstanceId"`
	Details       json.RawMessage
	Origin        string
	Destination   string
}

// hookDocument is the message about the beginning of a lifecycle action.
type hookDocument struct {
	about
	Origin               string
	Destination          string
	LifecycleHookName    string
	LifecycleTransition  string
	EC2InstanceID        string `json:"EC2InstanceId"`
	NotificationMetadata string `json:",omitempty"`
	LifecycleActionToken string
}

// Activity tells the topics of the activity's group that the activity has ended. event is
// one of the types. A successful activity is reported as AWS does: in progress, at half.
func Activity(tx *store.Tx, ids *identity.Source, a *store.ScalingActivity, event string, now time.Time) {
	configured := store.ScalingNotificationsByGroup.List(tx, a.GroupKey())
	if len(configured) == 0 {
		return
	}
	document := activityDocument{
		about: about{
			AccountID: a.Region.Account(), RequestID: a.ID, AutoScalingGroupARN: a.GroupARN,
			AutoScalingGroupName: a.Group, Service: service, Event: event, Time: now.UTC().Format(timeFormat),
		},
		ActivityID: a.ID, Description: a.Description, Cause: a.Cause, EC2InstanceID: a.InstanceID,
		StartTime: a.Started.UTC().Format(timeFormat), EndTime: a.Ended.UTC().Format(timeFormat),
		StatusCode: a.Status, StatusMessage: a.StatusMessage, Progress: a.Progress, Details: json.RawMessage(a.Details),
	}
	document.Origin, document.Destination = way(a, event == Launched || event == LaunchFailed)
	switch event {
	case Launched, Terminated:
		document.StatusCode, document.Progress = "InProgress", 50
	}
	for _, n := range configured {
		if slices.Contains(n.Types, event) {
			publish(tx, ids, n.Topic, subjectOf(event, a.Group), document, now)
		}
	}
}

// TestMessage tells a topic that the group will tell it more.
func TestMessage(tx *store.Tx, ids *identity.Source, g *store.ScalingGroup, topic string, now time.Time) {
	publish(tx, ids, topic, subjectOf(Test, g.Name), about{
		AccountID: g.Region.Account(), RequestID: ids.UUID(), AutoScalingGroupARN: g.ARN,
		AutoScalingGroupName: g.Name, Service: service, Event: Test, Time: now.UTC().Format(timeFormat),
	}, now)
}

// LifecycleAction tells the topic of a hook that an instance waits for it. token is that of
// the lifecycle action, and a the activity that it is a part of, nil if it is none.
func LifecycleAction(
	tx *store.Tx, ids *identity.Source, h *store.LifecycleHook, instanceID, token string, a *store.ScalingActivity,
	now time.Time,
) {
	direction := strings.TrimPrefix(h.Transition, "autoscaling:EC2_INSTANCE_")
	document := hookDocument{
		about: about{
			AccountID: h.Region.Account(), RequestID: ids.UUID(), AutoScalingGroupName: h.Group, Service: service,
			Time: now.UTC().Format(timeFormat),
		},
		LifecycleHookName: h.Name, LifecycleTransition: h.Transition, EC2InstanceID: instanceID,
		NotificationMetadata: h.Metadata, LifecycleActionToken: token,
	}
	document.Origin, document.Destination = way(a, direction == "LAUNCHING")
	subject := fmt.Sprintf("Auto Scaling:  Lifecycle action '%s' for instance %s in progress.", direction, instanceID)
	publish(tx, ids, h.NotificationTargetARN, subject, document, now)
}

func subjectOf(event, group string) string {
	return fmt.Sprintf("Auto Scaling: %s for group %q", subjects[event], group)
}

// publish publishes a document to a topic, unless that does not exist: AWS then tells nobody.
func publish(tx *store.Tx, ids *identity.Source, arn, subject string, document any, now time.Time) {
	topic, ok := store.Topics.Get(tx, arn)
	if !ok {
		return
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(document) // texts and numbers always encode
	text := strings.TrimSpace(b.String())
	notification.Publish(tx, topic, notification.Message{
		ID: ids.UUID(), Subject: notification.Subject(subject), Text: text,
		ByProtocol: map[string]string{"email": lines(text)},
	}, now)
}

// lines returns a document for people: a line for each member.
func lines(document string) string {
	var out strings.Builder
	d := json.NewDecoder(strings.NewReader(document))
	_, _ = d.Token() // the document is an object
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		fmt.Fprintf(&out, "%s: %s\n", name, text)
	}
	return strings.TrimSpace(out.String())
}
