package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ARNs and ids. SubscriptionsByTopic finds subscriptions by the ARN
// of their topic.
var (
	Topics        = newTable("topics", func(r *Topic) string { return r.ARN }, (*Topic).region)
	Subscriptions = newTable(
		"subscriptions", func(r *Subscription) string { return r.ARN }, (*Subscription).region,
	)
	SubscriptionsByTopic = Subscriptions.indexBy("topic", func(r *Subscription) string { return r.Topic })
	Deliveries           = newTable("deliveries", func(r *Delivery) string { return r.ID }, (*Delivery).region)
)

// Topic is a topic of Amazon SNS.
type Topic struct {
	ARN, Name            string
	Region               identity.Region
	DisplayName          string // name of the sender of emails
	SignatureVersion     string // of messages; empty: the default, 1
	SubscriptionsDeleted int
	Policy               string // JSON; "": the default, by which the owner may do everything
	DeliveryPolicy       string // JSON; "": the default
	Tracing              string // PassThrough; "": the default, which is the same
	Tags                 Tags
}

func (r *Topic) region() identity.Region { return r.Region }

// Subscription is an endpoint's subscription to a topic.
type Subscription struct {
	ARN, Topic         string
	Region             identity.Region
	Protocol, Endpoint string
	Raw                bool      // deliver the message alone, without the document around it
	FilterPolicy       string    // JSON; "": all messages
	FilterScope        string    // what the filter policy is about; "": the default, attributes
	DeliveryPolicy     string    // JSON; "": the topic's
	Token              string    // confirms the subscription; secret
	TokenUntil         time.Time // after this time the token is not valid
	Confirmed          bool
	Authenticated      bool // the confirmation was signed and asked for signed cancellations
	Created            time.Time
}

func (r *Subscription) region() identity.Region { return r.Region }

// The types of deliveries, as in the documents that endpoints receive.
const (
	Notification             = "Notification"
	SubscriptionConfirmation = "SubscriptionConfirmation"
)

// Delivery is a message on its way to an endpoint. Its row goes when it has arrived, or
// when no further attempt will be made.
type Delivery struct {
	ID                  string
	Region              identity.Region
	Type                string
	Topic, Subscription string // ARNs
	MessageID           string
	Subject, Message    string
	Attributes          []MessageAttribute
	Created             time.Time

	// Observed.
	Attempts int
	Next     time.Time // of the next attempt; zero: now
}

func (r *Delivery) region() identity.Region { return r.Region }

// MessageAttribute is an attribute of a message.
type MessageAttribute struct{ Name, Type, Value string }
