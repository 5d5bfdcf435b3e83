package notification

import (
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Email returns a delivery as an email (RFC 5322) to the subscription's endpoint. The name of
// its sender is that of the topic, or AWS's.
func (l Letters) Email(d *store.Delivery, s *store.Subscription, topic *store.Topic) ([]byte, error) {
	kind, body := "text/plain", ""
	switch {
	case s.Protocol == "email-json":
		text, err := l.JSON(d, s, topic)
		if err != nil {
			return nil, err
		}
		kind, body = "application/json", string(text)
	case d.Type == store.SubscriptionConfirmation:
		body = fmt.Sprintf(
			"Somebody subscribed this address to the topic\n%s\n\nOpen this link to confirm the subscription:\n%s\n\n"+
				"Ignore this email if you do not want the topic's messages.\n",
			s.Topic, l.Links.confirm(s),
		)
	default:
		body = fmt.Sprintf("%s\n\n--\nThe link cancels the subscription:\n%s\n", d.Message, l.Links.cancel(s))
	}
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	sender := cmp.Or(topic.DisplayName, "AWS Notifications")
	header("From", mime.QEncoding.Encode("utf-8", sender)+" <no-reply@sns.amazonaws.com>")
	header("To", s.Endpoint)
	header("Subject", mime.QEncoding.Encode("utf-8", subject(d)))
	header("Date", d.Created.UTC().Format(time.RFC1123Z))
	header("Message-ID", "<"+d.MessageID+"@sns.amazonaws.com>")
	header("MIME-Version", "1.0")
	header("Content-Type", kind+"; charset=UTF-8")
	// Not encoded, so that people can read the file and open its links (RFC 2045, section
	// 6.2: lines may have any length).
	header("Content-Transfer-Encoding", "binary")
	b.WriteString("\r\n" + body)
	return b.Bytes(), nil
}

func subject(d *store.Delivery) string {
	if d.Type == store.SubscriptionConfirmation {
		return "AWS Notification - Subscription Confirmation"
	}
	return cmp.Or(d.Subject, "AWS Notification Message")
}

// FileName returns the name of a delivery's file in the outbox. Names sort by time.
func FileName(d *store.Delivery, s *store.Subscription) string {
	return stamp(d.Created) + "-" + s.ARN[len(s.Topic)+1:] + "-" + d.MessageID + ".eml"
}
