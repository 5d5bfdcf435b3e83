package sns

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/messagefilter"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// unsupportedSubscriptionAttributes are those of AWS that the local cloud does not have.
var unsupportedSubscriptionAttributes = []string{
	"RedrivePolicy", "ReplayPolicy", "ReplayStatus", "SubscriptionRoleArn",
}

// among starts the errors about the attributes of a new subscription.
const among = "Attributes Reason: "

// setSubscriptionAttribute sets an attribute. Errors about filters start with a text.
func setSubscriptionAttribute(row *store.Subscription, name, value, start string) error {
	switch {
	case name == filterPolicy:
		return setFilter(row, value, row.FilterScope, start)
	case name == filterScope && value != messagefilter.Attributes && value != messagefilter.Body:
		return invalid(start + "FilterPolicyScope: Invalid value [" + value + "]. Please use either MessageBody or " +
			"MessageAttributes")
	case name == filterScope:
		return setFilter(row, row.FilterPolicy, value, start)
	case name == "DeliveryPolicy" && value != "" && row.Protocol != "http" && row.Protocol != "https":
		return invalid(start + "Delivery protocol [" + row.Protocol + "] does not support delivery policies.")
	case name == "DeliveryPolicy":
		return setDelivery(&row.DeliveryPolicy, value, notification.NormalDeliveryPolicy)
	case name == "RawMessageDelivery":
		return setRaw(row, value)
	case !slices.Contains(unsupportedSubscriptionAttributes, name):
		return invalid("AttributeName")
	case value != "":
		return wire.NotImplemented("the subscription attribute %s", name)
	}
	return nil
}

// setRaw sets whether a subscription receives messages without the document around them.
func setRaw(row *store.Subscription, value string) error {
	switch {
	case value != "true" && value != "false":
		return invalid(among + "RawMessageDelivery: Invalid value [" + value + "]. Must be true or false.")
	case value == "true" && row.Protocol != "http" && row.Protocol != "https":
		return invalid(among + "Delivery protocol [" + row.Protocol + "] does not support raw message delivery.")
	}
	row.Raw = value == "true"
	return nil
}

// The attributes about filters.
const (
	filterPolicy = "FilterPolicy"
	filterScope  = "FilterPolicyScope"
)

// setFilter sets the filter policy of a subscription and what it is about. A policy without keys is none.
func setFilter(row *store.Subscription, policy, scope, start string) error {
	if policy == "{}" {
		policy = ""
	}
	if policy != "" {
		_, err := messagefilter.Parse(policy, cmp.Or(scope, messagefilter.Attributes))
		switch {
		case errors.Is(err, messagefilter.ErrNested):
			return invalid(start + err.Error())
		case err != nil:
			return invalid(start + "FilterPolicy: " + err.Error())
		}
	}
	row.FilterPolicy, row.FilterScope = policy, scope
	return nil
}

// subscription returns a subscription of the caller's region.
func subscription(r store.Reader, region identity.Region, arn *string) (*store.Subscription, error) {
	if err := checkARN("SubscriptionArn", arn, 7); err != nil {
		return nil, err
	}
	row, ok := store.Subscriptions.Get(r, *arn)
	if !ok || row.Region != region {
		return nil, notFound("Subscription")
	}
	return row, nil
}

// SetSubscriptionAttributes sets one attribute of a subscription.
func (a *API) SetSubscriptionAttributes(
	ctx context.Context, in *sns.SetSubscriptionAttributesInput,
) (*sns.SetSubscriptionAttributesOutput, error) {
	return &sns.SetSubscriptionAttributesOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := subscription(tx, wire.RegionFrom(ctx), in.SubscriptionArn)
		if err != nil {
			return err
		}
		changed := *row
		name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
		if err := setSubscriptionAttribute(&changed, name, value, ""); err != nil {
			return err
		}
		store.Subscriptions.Put(tx, &changed)
		return nil
	})
}

// GetSubscriptionAttributes returns a subscription's attributes.
func (a *API) GetSubscriptionAttributes(
	ctx context.Context, in *sns.GetSubscriptionAttributesInput,
) (*sns.GetSubscriptionAttributesOutput, error) {
	view := a.Store.Read(ctx)
	row, err := subscription(view, wire.RegionFrom(ctx), in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{
		"SubscriptionArn": row.ARN, "TopicArn": row.Topic, "Owner": row.Region.Account(),
		"Protocol": row.Protocol, "Endpoint": row.Endpoint,
		"RawMessageDelivery":           strconv.FormatBool(row.Raw),
		"PendingConfirmation":          strconv.FormatBool(!row.Confirmed),
		"ConfirmationWasAuthenticated": strconv.FormatBool(row.Authenticated),
		"SubscriptionPrincipal":        "arn:aws:iam::" + row.Region.Account() + ":root",
	}
	if row.Protocol == "http" || row.Protocol == "https" {
		if topic, ok := store.Topics.Get(view, row.Topic); ok {
			attributes["EffectiveDeliveryPolicy"] = notification.EffectiveDeliveryPolicy(topic, row)
		}
	}
	if row.DeliveryPolicy != "" {
		attributes["DeliveryPolicy"] = row.DeliveryPolicy
	}
	if row.FilterPolicy != "" {
		attributes[filterPolicy] = row.FilterPolicy
		attributes[filterScope] = cmp.Or(row.FilterScope, messagefilter.Attributes)
	}
	return &sns.GetSubscriptionAttributesOutput{Attributes: attributes}, nil
}

// ListSubscriptions lists the subscriptions of the region.
func (a *API) ListSubscriptions(
	ctx context.Context, in *sns.ListSubscriptionsInput,
) (*sns.ListSubscriptionsOutput, error) {
	rows, next, err := pageOf(
		store.Subscriptions.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx)), in.NextToken, subscriptionKey,
	)
	if err != nil {
		return nil, err
	}
	return &sns.ListSubscriptionsOutput{NextToken: next, Subscriptions: listed(rows)}, nil
}

// ListSubscriptionsByTopic lists a topic's subscriptions.
func (a *API) ListSubscriptionsByTopic(
	ctx context.Context, in *sns.ListSubscriptionsByTopicInput,
) (*sns.ListSubscriptionsByTopicOutput, error) {
	view := a.Store.Read(ctx)
	of, err := topic(ctx, view, "TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := pageOf(store.SubscriptionsByTopic.List(view, of.ARN), in.NextToken, subscriptionKey)
	if err != nil {
		return nil, err
	}
	return &sns.ListSubscriptionsByTopicOutput{NextToken: next, Subscriptions: listed(rows)}, nil
}

func subscriptionKey(r *store.Subscription) string { return r.ARN }

func listed(rows []*store.Subscription) []types.Subscription {
	out := []types.Subscription{}
	for _, r := range rows {
		arn := r.ARN
		if !r.Confirmed {
			arn = "PendingConfirmation"
		}
		out = append(out, types.Subscription{
			SubscriptionArn: &arn, TopicArn: &r.Topic, Protocol: &r.Protocol, Endpoint: &r.Endpoint,
			Owner: aws.String(r.Region.Account()),
		})
	}
	return out
}
