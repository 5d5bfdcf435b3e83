package notification

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// timeFormat is the format of times in documents.
const timeFormat = "2006-01-02T15:04:05.000Z"

// attribute is a message attribute in a document.
type attribute struct {
	Type  string
	Value string
}

// document is the JSON that an endpoint receives.
type document struct {
	Type              string
	MessageID         string `json:"MessageId"`
	Token             string `json:",omitempty"`
	TopicARN          string `json:"TopicArn"`
	Subject           string `json:",omitempty"`
	Message           string
	SubscribeURL      string `json:",omitempty"`
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string
	UnsubscribeURL    string               `json:",omitempty"`
	MessageAttributes map[string]attribute `json:",omitempty"`
}

// Links builds the links in messages. It is the URL of the APIs, such as
// "http://127.0.0.1:4566".
type Links string

// confirm returns the link that confirms a subscription.
func (l Links) confirm(s *store.Subscription) string {
	return string(l) + "/?" + url.Values{
		"Action": {"ConfirmSubscription"}, "TopicArn": {s.Topic}, "Token": {s.Token},
	}.Encode()
}

// cancel returns the link that cancels a subscription.
func (l Links) cancel(s *store.Subscription) string {
	return string(l) + "/?" + url.Values{"Action": {"Unsubscribe"}, "SubscriptionArn": {s.ARN}}.Encode()
}

// Letters makes what endpoints receive.
type Letters struct {
	Links  Links
	Signer *Signer
}

// JSON returns a delivery as the document that HTTP endpoints and email-json receive. topic is
// that of the subscription.
func (l Letters) JSON(d *store.Delivery, s *store.Subscription, topic *store.Topic) ([]byte, error) {
	out := document{
		Type: d.Type, MessageID: d.MessageID, TopicARN: d.Topic, Subject: d.Subject, Message: d.Message,
		Timestamp: d.Created.UTC().Format(timeFormat),
	}
	if d.Type == store.SubscriptionConfirmation {
		out.Token, out.SubscribeURL = s.Token, l.Links.confirm(s)
	} else {
		out.UnsubscribeURL = l.Links.cancel(s)
	}
	if err := l.Signer.sign(&out, s.Region.Name(), cmp.Or(topic.SignatureVersion, Version1)); err != nil {
		return nil, err
	}
	for _, a := range d.Attributes {
		if out.MessageAttributes == nil {
			out.MessageAttributes = map[string]attribute{}
		}
		out.MessageAttributes[a.Name] = attribute{a.Type, a.Value}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(out) // texts always encode
	return []byte(strings.TrimSpace(b.String())), nil
}

// stamp returns a time that sorts as text, for names of files.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405.000Z") }
