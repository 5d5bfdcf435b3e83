//go:build linux

package notifications

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
)

// webhookTimeout is how long Amazon SNS waits for a webhook's response (Amazon SNS
// Developer Guide, "HTTP/HTTPS notifications").
const webhookTimeout = 15 * time.Second

// maxDrained is how much of a response is read, so that its connection can be used again.
const maxDrained = 1 << 16

var errRedirect = errors.New("the webhook redirects, which is not followed")

// newWebhooks returns a client that connects to this host's loopback interface only,
// whatever a name resolves to.
func newWebhooks() *http.Client {
	dialer := &net.Dialer{
		Timeout: webhookTimeout,
		Control: func(_, address string, _ syscall.RawConn) error {
			host, _, err := net.SplitHostPort(address)
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
				return fmt.Errorf("the webhook's address %s is not this host's loopback interface", address)
			}
			return nil
		},
	}
	return &http.Client{
		Timeout:       webhookTimeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
}

// post posts a message to a webhook, with the headers of the Amazon SNS Developer Guide,
// "HTTP/HTTPS headers".
func (l *Loop) post(ctx context.Context, d *store.Delivery, s *store.Subscription, topic *store.Topic) error {
	body, raw := []byte(d.Message), s.Raw && d.Type == store.Notification
	if !raw {
		var err error
		if body, err = l.Letters.JSON(d, s, topic); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	if d.Type == store.Notification {
		r.Header.Set("Content-Type", notification.ContentType(topic, s))
	}
	r.Header.Set("User-Agent", "Amazon Simple Notification Service Agent")
	r.Header.Set("X-Amz-Sns-Message-Type", d.Type)
	r.Header.Set("X-Amz-Sns-Message-Id", d.MessageID)
	r.Header.Set("X-Amz-Sns-Topic-Arn", d.Topic)
	if d.Type == store.Notification {
		r.Header.Set("X-Amz-Sns-Subscription-Arn", s.ARN)
	}
	if raw {
		r.Header.Set("X-Amz-Sns-Rawdelivery", "true")
	}
	response, err := l.webhooks.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, maxDrained)
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook responded %s", response.Status)
	}
	return nil
}
