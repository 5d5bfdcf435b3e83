package notification

import (
	"errors"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestDelaysFollowTheirPhases(t *testing.T) {
	for policy, want := range map[string][]int{
		`{}`: {20, 20, 20},
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":9,"numRetries":8,"numNoDelayRetries":2,` +
			`"numMinDelayRetries":1,"numMaxDelayRetries":2}}`: {0, 0, 1, 3, 5, 7, 9, 9},
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":16,"numRetries":3,` +
			`"backoffFunction":"geometric"}}`: {2, 4, 8},
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":16,"numRetries":3,` +
			`"backoffFunction":"exponential"}}`: {2, 4, 8},
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":21,"numRetries":3,` +
			`"backoffFunction":"arithmetic"}}`: {3, 7, 13},
		`{"healthyRetryPolicy":{"numRetries":0}}`:                              nil,
		`{"healthyRetryPolicy":{"minDelayTarget":3600,"maxDelayTarget":3600}}`: {3600},
	} {
		normal, err := NormalDeliveryPolicy(policy)
		if err != nil {
			t.Fatalf("%s: %v", policy, err)
		}
		s := &store.Subscription{Protocol: "http", DeliveryPolicy: normal}
		created := time.Now()
		now := created
		for i, delay := range append(want, -1) {
			at, ok := NextAttempt(&store.Topic{}, s, &store.Delivery{Created: created}, i+1, now)
			if ok != (delay >= 0) || ok && at.Sub(now) != time.Duration(delay)*time.Second {
				t.Errorf("%s: retry %d is %v after %s, want %d s", policy, i+1, ok, at.Sub(now), delay)
			}
			now = at
		}
	}
}

func TestTopicsDecideForTheirSubscriptions(t *testing.T) {
	topic, err := NormalTopicDeliveryPolicy(
		`{"http":{"defaultHealthyRetryPolicy":{"numRetries":1},"disableSubscriptionOverrides":true}}`)
	if err != nil {
		t.Fatal(err)
	}
	own, err := NormalDeliveryPolicy(`{"requestPolicy":{"headerContentType":"application/json; charset=UTF-8"}}`)
	if err != nil {
		t.Fatal(err)
	}
	s := &store.Subscription{Protocol: "http", DeliveryPolicy: own}
	if got := ContentType(&store.Topic{DeliveryPolicy: topic}, s); got != defaultContentType {
		t.Errorf("the topic's type is %s", got)
	}
	if got := ContentType(&store.Topic{}, s); got != "application/json; charset=UTF-8" {
		t.Errorf("the subscription's type is %s", got)
	}
	const want = `{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":1,` +
		`"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},` +
		`"sicklyRetryPolicy":null,"throttlePolicy":null,` +
		`"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8"},"guaranteed":false}`
	if got := EffectiveDeliveryPolicy(&store.Topic{DeliveryPolicy: topic}, s); got != want {
		t.Errorf("got %s", got)
	}
}

func TestInvalidDeliveryPoliciesAreRefused(t *testing.T) {
	for _, policy := range []string{
		`{`, `{"unknown":1}`, `{"healthyRetryPolicy":{"unknown":1}}`, `{"healthyRetryPolicy":{"numRetries":101}}`,
		`{"healthyRetryPolicy":{"minDelayTarget":30}}`, `{"healthyRetryPolicy":{"numNoDelayRetries":4}}`,
		`{"healthyRetryPolicy":{"backoffFunction":"cubic"}}`, `{"requestPolicy":{"headerContentType":"text/bogus"}}`,
		`{"healthyRetryPolicy":{"minDelayTarget":0}}`, `{} {}`,
		`{"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8\nX-Other: 1"}}`,
	} {
		if normal, err := NormalDeliveryPolicy(policy); err == nil {
			t.Errorf("%s: got %s", policy, normal)
		}
	}
	_, err := NormalTopicDeliveryPolicy(`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":1}}}`)
	if !errors.Is(err, ErrThrottle) {
		t.Errorf("got %v", err)
	}
}
