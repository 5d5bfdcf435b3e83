package sns

import (
	"context"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tokenValidity is how long a subscription can be confirmed (Amazon SNS API Reference,
// Subscribe).
const tokenValidity = 48 * time.Hour

// tokenDigits is the number of hexadecimal digits of a token.
const tokenDigits = 288

// pending stands for the ARN of a subscription that is not confirmed.
const pending = "pending confirmation"

// Subscribe subscribes an endpoint to a topic and sends it the token that confirms the
// subscription.
func (a *API) Subscribe(ctx context.Context, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	protocol, endpoint := aws.ToString(in.Protocol), aws.ToString(in.Endpoint)
	if err := checkEndpoint(ctx, protocol, endpoint); err != nil {
		return nil, err
	}
	out := &sns.SubscribeOutput{}
	err := a.Store.Update(func(tx *store.Tx) error {
		to, err := topic(ctx, tx, "TopicArn", in.TopicArn)
		if err != nil {
			return err
		}
		row := &store.Subscription{
			ARN: to.ARN + ":" + a.IDs.UUID(), Region: wire.RegionFrom(ctx), Topic: to.ARN,
			Protocol: protocol, Endpoint: endpoint, Token: a.IDs.Hex(tokenDigits), Created: a.Now(),
		}
		// The scope of a filter decides what its policy may be, and its name is the last.
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(in.Attributes))) {
			if err := setSubscriptionAttribute(row, name, in.Attributes[name], among); err != nil {
				return err
			}
		}
		if old := sameEndpoint(tx, row); old != nil {
			if in.Attributes != nil && (old.Raw != row.Raw || old.FilterPolicy != row.FilterPolicy ||
				old.DeliveryPolicy != row.DeliveryPolicy) {
				return invalid("Attributes Reason: Subscription already exists with different attributes")
			}
			row = old
		}
		out.SubscriptionArn = &row.ARN
		if row.Confirmed {
			return nil
		}
		asked := *row
		asked.TokenUntil = a.Now().Add(tokenValidity)
		store.Subscriptions.Put(tx, &asked)
		notification.AskToConfirm(tx, &asked, a.IDs.UUID(), a.Now())
		if !in.ReturnSubscriptionArn {
			out.SubscriptionArn = aws.String(pending)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// sameEndpoint returns the subscription of the same endpoint to the same topic, or nil.
func sameEndpoint(r store.Reader, row *store.Subscription) *store.Subscription {
	for _, s := range store.SubscriptionsByTopic.List(r, row.Topic) {
		if s.Protocol == row.Protocol && s.Endpoint == row.Endpoint {
			return s
		}
	}
	return nil
}

// otherProtocols are those of AWS that the local cloud cannot deliver to.
var otherProtocols = []string{"sms", "sqs", "application", "lambda", "firehose"}

func checkEndpoint(ctx context.Context, protocol, endpoint string) error {
	switch protocol {
	case "email", "email-json":
		at := strings.IndexByte(endpoint, '@')
		odd := strings.ContainsFunc(endpoint, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`,;<>"`, r)
		})
		if odd || at < 1 || at != strings.LastIndexByte(endpoint, '@') || at == len(endpoint)-1 {
			return invalid("Email address")
		}
		return nil
	case "http", "https":
		return checkWebhook(ctx, protocol, endpoint)
	}
	if slices.Contains(otherProtocols, protocol) {
		return wire.NotImplemented("subscriptions with the protocol %s", protocol)
	}
	return invalid("Amazon SNS does not support this protocol string: " + protocol)
}

// checkWebhook accepts webhooks on this host's loopback interface, from the account
// itself. A machine's role must not make the local cloud send requests to the host.
func checkWebhook(ctx context.Context, protocol, endpoint string) error {
	address, err := url.Parse(endpoint)
	switch {
	case !strings.HasPrefix(endpoint, protocol+"://"):
		return invalid("Endpoint must match the specified protocol")
	case err != nil || address.Host == "":
		return invalid("Endpoint")
	case !isLoopback(address.Hostname()):
		return wire.NotImplemented("webhooks that are not on this host's loopback interface: %s", address.Host)
	case !wire.CallerFrom(ctx).Principal.Owner():
		return wire.NotImplemented("subscriptions of webhooks by users and roles: use the account's own access key")
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// ConfirmSubscription confirms a subscription by the token that its endpoint received.
func (a *API) ConfirmSubscription(
	ctx context.Context, in *sns.ConfirmSubscriptionInput,
) (*sns.ConfirmSubscriptionOutput, error) {
	if err := checkARN("TopicArn", in.TopicArn, 6); err != nil {
		return nil, err
	}
	signed := wire.CallerFrom(ctx).AccessKeyID != ""
	out := &sns.ConfirmSubscriptionOutput{}
	err := a.Store.Update(func(tx *store.Tx) error {
		if _, ok := store.Topics.Get(tx, *in.TopicArn); !ok {
			return notFound("Topic")
		}
		for _, s := range store.SubscriptionsByTopic.List(tx, *in.TopicArn) {
			if s.Token != aws.ToString(in.Token) || !s.Confirmed && a.Now().After(s.TokenUntil) {
				continue
			}
			out.SubscriptionArn = &s.ARN
			if !s.Confirmed {
				store.Subscriptions.Edit(tx, s.ARN, func(edited *store.Subscription) {
					edited.Confirmed = true
					edited.Authenticated = signed && aws.ToString(in.AuthenticateOnUnsubscribe) == "true"
				})
			}
			return nil
		}
		return invalid("Token")
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Unsubscribe deletes a confirmed subscription. One that does not exist is no error.
func (a *API) Unsubscribe(ctx context.Context, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	if err := checkARN("SubscriptionArn", in.SubscriptionArn, 7); err != nil {
		return nil, err
	}
	caller := wire.CallerFrom(ctx)
	return &sns.UnsubscribeOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, ok := store.Subscriptions.Get(tx, *in.SubscriptionArn)
		signed := caller.AccessKeyID != ""
		switch {
		case !ok || signed && row.Region != caller.Region && identity.RegionOfARN(row.Topic) != caller.Region:
			return nil
		case !row.Confirmed:
			return invalid("SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")
		case !signed && row.Authenticated:
			return &wire.Error{
				Code: "AuthorizationError", Message: "The subscription can be deleted by signed requests only",
				Status: 403,
			}
		}
		store.Subscriptions.Delete(tx, row.ARN)
		store.Topics.Edit(tx, row.Topic, func(edited *store.Topic) { edited.SubscriptionsDeleted++ })
		return nil
	})
}
