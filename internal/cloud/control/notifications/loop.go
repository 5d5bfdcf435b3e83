//go:build linux

// Package notifications delivers the messages of Amazon SNS. A loop writes emails into a
// folder, the outbox, and posts documents to webhooks on this host's loopback interface.
package notifications

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
)

// atOnce is how many deliveries are attempted at the same time.
const atOnce = 8

// Loop delivers messages. Fill the fields, then call Run once.
type Loop struct {
	Store   *store.Store
	Outbox  string // folder of emails
	Letters notification.Letters
	Log     *slog.Logger

	webhooks *http.Client
}

// Run delivers messages until ctx ends, and deletes subscriptions that nobody confirmed.
func (l *Loop) Run(ctx context.Context) error {
	l.webhooks = newWebhooks()
	defer l.webhooks.CloseIdleConnections()
	for ctx.Err() == nil {
		view := l.Store.View()
		next := l.expire(view, time.Now())
		deliveries := store.Deliveries.List(view)
		group, attempts := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for _, d := range deliveries {
			if d.Next.After(time.Now()) {
				next = earlier(next, d.Next)
				continue
			}
			group.Go(func() error { l.attempt(attempts, view, d); return nil })
		}
		_ = group.Wait() // attempts record their failures
		bounded, cancel := context.WithDeadline(ctx, next)
		_ = view.Changed(bounded, store.Deliveries, store.Subscriptions)
		cancel()
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// expire deletes the subscriptions whose tokens are no longer valid, and returns when to
// look again.
func (l *Loop) expire(view *store.View, now time.Time) (next time.Time) {
	next = now.Add(time.Hour)
	var old []string
	for _, s := range store.Subscriptions.List(view) {
		switch {
		case s.Confirmed:
		case now.After(s.TokenUntil):
			old = append(old, s.ARN)
		default:
			next = earlier(next, s.TokenUntil.Add(time.Second))
		}
	}
	if len(old) == 0 {
		return next
	}
	l.update("delete subscriptions that nobody confirmed", func(tx *store.Tx) error {
		for _, arn := range old {
			if s, ok := store.Subscriptions.Get(tx, arn); ok && !s.Confirmed && now.After(s.TokenUntil) {
				store.Subscriptions.Delete(tx, arn)
			}
		}
		return nil
	})
	return next
}

// attempt tries to deliver a message and records the result.
func (l *Loop) attempt(ctx context.Context, view *store.View, d *store.Delivery) {
	err := l.deliver(ctx, view, d)
	if err != nil && ctx.Err() != nil {
		return // the daemon ends; the next one tries again
	}
	attempts := d.Attempts + 1
	if err != nil {
		l.Log.Warn("a notification was not delivered", "message", d.MessageID, "subscription", d.Subscription,
			"attempt", attempts, "error", err)
	}
	l.update("record a delivery", func(tx *store.Tx) error {
		next, again := time.Time{}, false
		if s, ok := store.Subscriptions.Get(tx, d.Subscription); ok && err != nil {
			if topic, ok := store.Topics.Get(tx, d.Topic); ok {
				next, again = notification.NextAttempt(topic, s, d, attempts, time.Now())
			}
		}
		if !again {
			store.Deliveries.Delete(tx, d.ID)
			return nil
		}
		store.Deliveries.Edit(tx, d.ID, func(row *store.Delivery) { row.Attempts, row.Next = attempts, next })
		return nil
	})
}

// deliver delivers a message, unless its subscription has ended.
func (l *Loop) deliver(ctx context.Context, view *store.View, d *store.Delivery) error {
	s, subscribed := store.Subscriptions.Get(view, d.Subscription)
	topic, exists := store.Topics.Get(view, d.Topic)
	if !subscribed || !exists {
		return nil
	}
	if s.Protocol == "http" || s.Protocol == "https" {
		return l.post(ctx, d, s, topic)
	}
	email, err := l.Letters.Email(d, s, topic)
	if err != nil {
		return err
	}
	return l.file(notification.FileName(d, s), email)
}

func (l *Loop) update(what string, change func(tx *store.Tx) error) {
	if err := l.Store.Update(change); err != nil {
		l.Log.Error(what, "error", err)
	}
}
