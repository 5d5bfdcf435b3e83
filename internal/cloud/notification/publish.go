// Package notification knows what Amazon SNS sends: which subscriptions a message goes to,
// and what their endpoints receive. The documents are those of the Amazon SNS Developer
// Guide, "Parsing Amazon SNS message formats".
package notification

import (
	"cmp"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/messagefilter"
	"aloft.dev/aloft/internal/cloud/store"
)

// Message is a message to a topic.
type Message struct {
	ID         string // a UUID
	Subject    string // empty: none
	Text       string
	ByProtocol map[string]string // texts that differ from Text
	Attributes []store.MessageAttribute
}

// maxSubject is the length of the longest subject (Amazon SNS API Reference, Publish).
const maxSubject = 100

// Subject returns a text as the subject of a message, which may have to be shorter.
func Subject(text string) string { return text[:min(len(text), maxSubject)] }

// Publish sends a message to every confirmed subscription of a topic whose filter policy it matches.
func Publish(tx *store.Tx, topic *store.Topic, m Message, now time.Time) {
	for _, s := range store.SubscriptionsByTopic.List(tx, topic.ARN) {
		if !s.Confirmed {
			continue
		}
		text, ok := m.ByProtocol[s.Protocol]
		if !ok {
			text = m.Text
		}
		if !wanted(s, text, m.Attributes) {
			continue
		}
		store.Deliveries.Put(tx, &store.Delivery{
			ID: deliveryID(m.ID, s, now), Region: topic.Region, Type: store.Notification,
			Topic: topic.ARN, Subscription: s.ARN, MessageID: m.ID, Created: now,
			Subject: m.Subject, Message: text, Attributes: m.Attributes,
		})
	}
}

// wanted reports whether a message matches the filter policy of a subscription.
func wanted(s *store.Subscription, text string, attributes []store.MessageAttribute) bool {
	if s.FilterPolicy == "" {
		return true
	}
	policy, err := messagefilter.Parse(s.FilterPolicy, cmp.Or(s.FilterScope, messagefilter.Attributes))
	return err == nil && policy.Match(text, attributes)
}

// AskToConfirm sends a subscription's endpoint the token that confirms the subscription.
func AskToConfirm(tx *store.Tx, s *store.Subscription, id string, now time.Time) {
	store.Deliveries.Put(tx, &store.Delivery{
		ID: deliveryID(id, s, now), Region: s.Region, Type: store.SubscriptionConfirmation,
		Topic: s.Topic, Subscription: s.ARN, MessageID: id, Created: now,
		Message: "You have chosen to subscribe to the topic " + s.Topic + ".\n" +
			"To confirm the subscription, visit the SubscribeURL included in this message.",
	})
}

// deliveryID returns an id that sorts by time.
func deliveryID(message string, s *store.Subscription, now time.Time) string {
	return fmt.Sprintf("%019d/%s/%s", now.UnixNano(), message, s.ARN)
}

// DeleteTopic deletes a topic with its subscriptions and all that is on its way to them.
func DeleteTopic(tx *store.Tx, arn string) {
	for _, s := range store.SubscriptionsByTopic.List(tx, arn) {
		store.Subscriptions.Delete(tx, s.ARN)
	}
	for _, d := range store.Deliveries.List(tx) {
		if d.Topic == arn {
			store.Deliveries.Delete(tx, d.ID)
		}
	}
	store.Topics.Delete(tx, arn)
}
