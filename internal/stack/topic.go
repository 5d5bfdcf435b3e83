package stack

import "strings"

// KindTopic is the kind of a topic of Amazon SNS.
const KindTopic Kind = "topic"

var topicKind = properties{kind: KindTopic, uniqueName: true}

// AddressTopic is the address of the topic that alerts are sent to.
const AddressTopic = "alerts"

// AttrEmails are the addresses that a topic sends emails to.
const AttrEmails AttributeKey = "emails"

// Topic tells people of alarms. Subscriptions of other protocols than email are users'
// own.
type Topic struct {
	TopicName string
	Emails    []string
}

// TopicName returns the name of an application's topic.
func TopicName(app string) string { return ScalingName(app) + "-" + AddressTopic }

// Kind implements Body.
func (Topic) Kind() Kind { return KindTopic }

// Title implements Body.
func (t Topic) Title() string { return "alerts by email to " + strings.Join(t.Emails, ", ") }

// Attributes implements Body.
func (t Topic) Attributes() []Attribute {
	emails := Attribute{Key: AttrEmails}
	for _, address := range t.Emails {
		emails.Terms = append(emails.Terms, Term{Text: address})
	}
	return []Attribute{fixed(text(AttrName, t.TopicName)), emails}
}

// Needs implements Body.
func (Topic) Needs() []Ref { return nil }
