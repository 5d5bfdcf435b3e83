package notification

import (
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Email returns a delivery as an email (RFC 5322) to the subscription's endpoint. sender
// is the name of the sender, empty for AWS's.
func Email(d *store.Delivery, s *store.Subscription, sender string, links Links) []byte {
	kind, body := "text/plain", ""
	switch {
	case s.Protocol == "email-json":
		kind, body = "application/json", string(JSON(d, s, links))
	case d.Type == store.SubscriptionConfirmation:
		body = fmt.Sprintf(
			"Somebody subscribed this address to the topic\n%s\n\nOpen this link to confirm the subscription:\n%s\n\n"+
				"Ignore this email if you do not want the topic's messages.\n",
			s.Topic, links.confirm(s),
		)
	default:
		body = fmt.Sprintf("%s\n\n--\nThe link cancels the subscription:\n%s\n", d.Message, links.cancel(s))
	}
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", mime.QEncoding.Encode("utf-8", cmp.Or(sender, "AWS Notifications"))+" <no-reply@sns.amazonaws.com>")
	header("To", s.Endpoint)
	header("Subject", mime.QEncoding.Encode("utf-8", subject(d)))
	header("Date", d.Created.UTC().Format(time.RFC1123Z))
	header("Message-ID", "<"+d.MessageID+"@sns.amazonaws.com>")
	header("MIME-Version", "1.0")
	header("Content-Type", kind+"; charset=UTF-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(body)) // writes to a buffer do not fail
	_ = w.Close()
	return b.Bytes()
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
