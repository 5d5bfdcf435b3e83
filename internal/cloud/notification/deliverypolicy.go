package notification

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Limits of delivery policies (Amazon SNS Developer Guide, "Amazon SNS message delivery retries").
const (
	maxRetries  = 100
	maxDelay    = 3600 // seconds
	maxRetrying = time.Hour
)

// ErrThrottle is the error for a delivery policy that limits the rate of messages, which is not implemented.
var ErrThrottle = errors.New("delivery policies with a throttlePolicy")

// retryPolicy says when failed messages are sent again. Delays are in seconds.
type retryPolicy struct {
	MinDelay        int    `json:"minDelayTarget"`
	MaxDelay        int    `json:"maxDelayTarget"`
	Retries         int    `json:"numRetries"`
	MaxDelayRetries int    `json:"numMaxDelayRetries"`
	NoDelayRetries  int    `json:"numNoDelayRetries"`
	MinDelayRetries int    `json:"numMinDelayRetries"`
	Backoff         string `json:"backoffFunction"`
}

// UnmarshalJSON gives what a policy leaves out its default.
func (p *retryPolicy) UnmarshalJSON(text []byte) error {
	type plain retryPolicy // without this method
	given := plain(defaultRetries())
	if err := strictly(text, &given); err != nil {
		return err
	}
	*p = retryPolicy(given)
	return nil
}

func defaultRetries() retryPolicy {
	return retryPolicy{MinDelay: 20, MaxDelay: 20, Retries: 3, Backoff: "linear"}
}

type requestPolicy struct {
	ContentType string `json:"headerContentType"`
}

// defaultContentType is the type of the documents that webhooks get.
const defaultContentType = "text/plain; charset=UTF-8"

// contentTypes are those that a policy may name, with or without a character set.
var contentTypes = []string{
	"text/plain", "text/html", "text/css", "text/csv", "text/xml", "application/json", "application/xml",
	"application/octet-stream", "application/x-www-form-urlencoded",
}

// endpointPolicy is the delivery policy of a subscription.
type endpointPolicy struct {
	Healthy    *retryPolicy    `json:"healthyRetryPolicy"`
	Sickly     *retryPolicy    `json:"sicklyRetryPolicy"` // has had no effect for years
	Throttle   json.RawMessage `json:"throttlePolicy"`
	Request    *requestPolicy  `json:"requestPolicy"`
	Guaranteed bool            `json:"guaranteed"` // has no effect either
}

// topicPolicy is the delivery policy of a topic.
type topicPolicy struct {
	HTTP struct {
		Healthy  *retryPolicy    `json:"defaultHealthyRetryPolicy,omitempty"`
		Fixed    bool            `json:"disableSubscriptionOverrides"`
		Throttle json.RawMessage `json:"defaultThrottlePolicy,omitempty"`
		Request  *requestPolicy  `json:"defaultRequestPolicy,omitempty"`
	} `json:"http"`
}

// strictly reads one document in JSON without unknown keys.
func strictly(text []byte, into any) error {
	if !json.Valid(text) {
		return errors.New("the text is not one document")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// NormalDeliveryPolicy returns the delivery policy of a subscription as SNS keeps it, or what is wrong with it.
func NormalDeliveryPolicy(text string) (string, error) {
	var p endpointPolicy
	if err := strictly([]byte(text), &p); err != nil {
		return "", errors.New("DeliveryPolicy: failed to parse JSON")
	}
	if err := check("", p.Healthy, p.Throttle, p.Request); err != nil {
		return "", err
	}
	normal, err := json.Marshal(p)
	return string(normal), err
}

// NormalTopicDeliveryPolicy returns the delivery policy of a topic as SNS keeps it, or what is wrong with it.
func NormalTopicDeliveryPolicy(text string) (string, error) {
	var p topicPolicy
	if err := strictly([]byte(text), &p); err != nil {
		return "", errors.New("DeliveryPolicy: failed to parse JSON")
	}
	if err := check("http.default", p.HTTP.Healthy, p.HTTP.Throttle, p.HTTP.Request); err != nil {
		return "", err
	}
	normal, err := json.Marshal(p)
	return string(normal), err
}

// check refuses the parts of a delivery policy that SNS does not accept. in is where they are.
func check(in string, retry *retryPolicy, throttle json.RawMessage, request *requestPolicy) error {
	if throttle != nil && string(throttle) != "null" {
		return ErrThrottle
	}
	if request != nil {
		kind, _, err := mime.ParseMediaType(request.ContentType)
		if err != nil || !slices.Contains(contentTypes, kind) {
			return wrongPolicy(in, "RequestPolicy.headerContentType is not a supported content type")
		}
	}
	if retry == nil {
		return nil
	}
	return retry.check(in)
}

// wrongPolicy is the error for a part of a delivery policy. in is where the part is.
func wrongPolicy(in, what string) error { return fmt.Errorf("DeliveryPolicy: %s%s", in, what) }

// check refuses delays and numbers of retries that SNS does not accept.
func (p *retryPolicy) check(in string) error {
	wrong := func(what string) error { return wrongPolicy(in, "HealthyRetryPolicy."+what) }
	phases := p.NoDelayRetries + p.MinDelayRetries + p.MaxDelayRetries
	switch {
	case p.MinDelay < 1 || p.MinDelay > maxDelay:
		return wrong("minDelayTarget must be between 1 and 3600")
	case p.MaxDelay < p.MinDelay || p.MaxDelay > maxDelay:
		return wrong("maxDelayTarget must be between minDelayTarget and 3600")
	case p.Retries < 0 || p.Retries > maxRetries:
		return wrong("numRetries must be between 0 and 100")
	case min(p.NoDelayRetries, p.MinDelayRetries, p.MaxDelayRetries) < 0 || phases > p.Retries:
		return wrong("numRetries must be greater than or equal to the sum of all other retries")
	case !slices.Contains([]string{"linear", "arithmetic", "geometric", "exponential"}, p.Backoff):
		return wrong("backoffFunction must be linear, arithmetic, geometric or exponential")
	}
	return nil
}

// effective returns the policy by which a subscription's messages are delivered.
func effective(topic *store.Topic, s *store.Subscription) endpointPolicy {
	t, _ := topicPolicyOf(topic)
	p := endpointPolicy{Healthy: t.HTTP.Healthy, Request: t.HTTP.Request}
	if s.DeliveryPolicy == "" || t.HTTP.Fixed {
		return p
	}
	var own endpointPolicy
	if json.Unmarshal([]byte(s.DeliveryPolicy), &own) == nil { // always: it was checked
		if own.Healthy != nil {
			p.Healthy = own.Healthy
		}
		if own.Request != nil {
			p.Request = own.Request
		}
		p.Sickly, p.Guaranteed = own.Sickly, own.Guaranteed
	}
	return p
}

// topicPolicyOf returns the policy of a topic with all defaults.
func topicPolicyOf(topic *store.Topic) (topicPolicy, error) {
	var p topicPolicy
	var err error
	if topic.DeliveryPolicy != "" {
		err = json.Unmarshal([]byte(topic.DeliveryPolicy), &p)
	}
	if p.HTTP.Healthy == nil {
		retries := defaultRetries()
		p.HTTP.Healthy = &retries
	}
	if p.HTTP.Request == nil {
		p.HTTP.Request = &requestPolicy{defaultContentType}
	}
	return p, err
}

// EffectiveTopicDeliveryPolicy returns the delivery policy of a topic with all defaults.
func EffectiveTopicDeliveryPolicy(topic *store.Topic) string {
	p, _ := topicPolicyOf(topic)
	text, _ := json.Marshal(p) // texts and numbers always encode
	return string(text)
}

// EffectiveDeliveryPolicy returns the policy by which messages are delivered to a webhook.
func EffectiveDeliveryPolicy(topic *store.Topic, s *store.Subscription) string {
	text, _ := json.Marshal(effective(topic, s)) // texts and numbers always encode
	return string(text)
}

// ContentType returns the type of the notifications that a webhook gets.
func ContentType(topic *store.Topic, s *store.Subscription) string {
	return effective(topic, s).Request.ContentType
}

// NextAttempt returns when a message that could not be delivered is sent again, after a number of attempts. ok is
// false if it is not.
func NextAttempt(topic *store.Topic, s *store.Subscription, d *store.Delivery, attempts int, now time.Time) (
	at time.Time, ok bool,
) {
	retry := defaultRetries()
	if s.Protocol == "http" || s.Protocol == "https" {
		retry = *effective(topic, s).Healthy
	}
	if attempts > retry.Retries {
		return time.Time{}, false
	}
	at = now.Add(retry.delay(attempts))
	return at, at.Sub(d.Created) <= maxRetrying
}

// delay returns how long to wait before the n-th retry, from 1 on: not at all, then the shortest delay, then growing
// ones, and then the longest. The Developer Guide shows how the functions of the growing phase differ, and has no
// formulas.
func (p retryPolicy) delay(n int) time.Duration {
	growing := p.Retries - p.NoDelayRetries - p.MinDelayRetries - p.MaxDelayRetries
	low, high := float64(p.MinDelay), float64(p.MaxDelay)
	i, steps := float64(n-p.NoDelayRetries-p.MinDelayRetries), float64(growing+1)
	seconds := high
	switch {
	case n <= p.NoDelayRetries:
		seconds = 0
	case i <= 0:
		seconds = low
	case int(i) > growing:
	case p.Backoff == "linear":
		seconds = low + (high-low)*i/steps
	case p.Backoff == "arithmetic":
		seconds = low + (high-low)*i*(i+1)/(steps*(steps+1))
	case p.Backoff == "geometric":
		seconds = low * math.Pow(high/low, i/steps)
	default:
		seconds = low + (high-low)*(math.Exp2(i)-1)/(math.Exp2(steps)-1)
	}
	return time.Duration(math.Round(seconds)) * time.Second
}
