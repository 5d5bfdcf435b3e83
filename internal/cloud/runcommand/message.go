package runcommand

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Message is a message that an agent fetches.
type Message struct {
	ID, Topic, Payload string
	Created            time.Time
}

// Digest returns the digest of a message's payload.
func (m Message) Digest() string {
	sum := sha256.Sum256([]byte(m.Payload))
	return hex.EncodeToString(sum[:])
}

// Topics of messages, which the region and the instance follow.
const (
	sendTopic   = "aws.ssm.sendCommand."
	cancelTopic = "aws.ssm.cancelCommand."
)

// messageID returns the id of a message about a command, or with an id of its own.
func messageID(id, instance string) string { return "aws.ssm." + id + "." + instance }

// Destination returns the instance that a message is for; "" if the id is not one of a message.
func Destination(message string) string {
	rest, ok := strings.CutPrefix(message, "aws.ssm.")
	_, instance, found := strings.Cut(rest, ".")
	if !ok || !found {
		return ""
	}
	return instance
}

// Find returns the invocation that a message is about, and reports whether the message
// cancels it.
func Find(r store.Reader, region identity.Region, message string) (row *store.CommandInvocation, cancels, ok bool) {
	instance := Destination(message)
	for _, i := range store.CommandInvocationsByInstance.List(r, instance) {
		switch {
		case i.Region != region:
		case messageID(i.CommandID, instance) == message:
			return i, false, true
		case i.CancelID != "" && messageID(i.CancelID, instance) == message:
			return i, true, true
		}
	}
	return nil, false, false
}

// Waiting reports whether messages wait for an instance's agent. If there are none, next is
// when there may be one although nothing changes before; zero: there will be none.
func Waiting(r store.Reader, region identity.Region, instance string, now time.Time) (waiting bool, next time.Time) {
	later := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	sendable, room := due(r, region, instance)
	for _, i := range cancellable(r, region, instance) {
		if !i.CancelAt.After(now) {
			return true, time.Time{}
		}
		later(i.CancelAt)
	}
	for _, i := range sendable {
		switch {
		case room == 0 || !mayStart(r, i, now):
		case !i.VisibleAt.After(now):
			return true, time.Time{}
		default:
			later(i.VisibleAt)
		}
	}
	return false, next
}

// due returns the invocations that an instance's agent has not acknowledged, oldest first,
// and how many more commands the agent has room for.
func due(r store.Reader, region identity.Region, instance string) (sendable []*store.CommandInvocation, room int) {
	room = perMachine
	for _, i := range store.CommandInvocationsByInstance.List(r, instance) {
		switch {
		case i.Region != region || Ended(i):
		case i.Acknowledged:
			room--
		case i.Status != Cancelling:
			sendable = append(sendable, i)
		}
	}
	slices.SortStableFunc(sendable, func(a, b *store.CommandInvocation) int { return a.Requested.Compare(b.Requested) })
	return sendable, max(room, 0)
}

// cancellable returns the invocations whose cancellation an instance's agent does not know.
func cancellable(r store.Reader, region identity.Region, instance string) (all []*store.CommandInvocation) {
	for _, i := range store.CommandInvocationsByInstance.List(r, instance) {
		if i.Region == region && i.CancelID != "" && !i.CancelTaken && i.Acknowledged && !Ended(i) {
			all = append(all, i)
		}
	}
	return all
}

// mayStart reports whether an invocation may start now.
func mayStart(r store.Reader, i *store.CommandInvocation, now time.Time) bool {
	c, ok := store.Commands.Get(r, store.CommandKey(i.Region, i.CommandID))
	if !ok || !now.Before(c.Requested.Add(c.Timeout)) {
		return false
	}
	all := Invocations(r, c)
	if count(all).tooManyErrors(c) {
		return false
	}
	running := 0
	for _, other := range all {
		if other.Sent && !Ended(other) && other.InstanceID != i.InstanceID {
			running++
		}
	}
	return running < portion(c.MaxConcurrency, len(all), true)
}

// Take returns the messages for an instance's agent. The agent does not get them again before
// visibility has passed.
func Take(
	tx *store.Tx, region identity.Region, instance string, now time.Time, visibility time.Duration,
) ([]Message, error) {
	var messages []Message
	for _, i := range cancellable(tx, region, instance) {
		if i.CancelAt.After(now) {
			continue
		}
		message, err := cancelMessage(i, now)
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
		taken := *i
		taken.CancelAt = now.Add(visibility)
		store.CommandInvocations.Put(tx, &taken)
	}
	sendable, room := due(tx, region, instance)
	for _, i := range sendable {
		if room == 0 || i.VisibleAt.After(now) || !mayStart(tx, i, now) {
			continue
		}
		message, err := sendMessage(tx, i)
		if err != nil {
			return nil, err
		}
		room--
		messages = append(messages, message)
		taken := *i
		taken.Sent, taken.VisibleAt, taken.Details = true, now.Add(visibility), Pending
		store.CommandInvocations.Put(tx, &taken)
	}
	return messages, nil
}

// sendMessage returns the message that carries a command to an instance.
func sendMessage(r store.Reader, i *store.CommandInvocation) (Message, error) {
	c, _ := store.Commands.Get(r, store.CommandKey(i.Region, i.CommandID)) // mayStart has found it
	payload, err := json.Marshal(struct {
		Parameters              map[string]any
		DocumentContent         json.RawMessage
		CommandID               string `json:"CommandId"`
		DocumentName            string
		OutputS3KeyPrefix       string
		OutputS3BucketName      string
		CloudWatchLogGroupName  string
		CloudWatchOutputEnabled string
	}{
		Parameters: argumentsOf(c), DocumentContent: content(), CommandID: c.ID, DocumentName: c.Document,
		CloudWatchOutputEnabled: "false",
	})
	if err != nil {
		return Message{}, fmt.Errorf("encode the command %s: %w", c.ID, err)
	}
	return Message{
		ID: messageID(c.ID, i.InstanceID), Topic: sendTopic + i.Region.Name() + "." + i.InstanceID,
		Payload: string(payload),
		Created: i.Requested,
	}, nil
}

// cancelMessage returns the message that cancels a command on an instance.
func cancelMessage(i *store.CommandInvocation, now time.Time) (Message, error) {
	payload, err := json.Marshal(map[string]string{"CancelMessageId": messageID(i.CommandID, i.InstanceID)})
	if err != nil {
		return Message{}, fmt.Errorf("encode the cancellation of %s: %w", i.CommandID, err)
	}
	return Message{
		ID: messageID(i.CancelID, i.InstanceID), Topic: cancelTopic + i.Region.Name() + "." + i.InstanceID,
		Payload: string(payload), Created: now,
	}, nil
}
