package sns

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxDisplayName is the length of the longest display name, in characters.
const maxDisplayName = 100

// unsupportedTopicAttributes are those of AWS that the local cloud does not have.
var unsupportedTopicAttributes = []string{
	"ApplicationFailureFeedbackRoleArn", "ApplicationSuccessFeedbackRoleArn", "ApplicationSuccessFeedbackSampleRate",
	"ArchivePolicy", "ContentBasedDeduplication", "DataProtectionPolicy", "FifoThroughputScope",
	"FifoTopic", "FirehoseFailureFeedbackRoleArn", "FirehoseSuccessFeedbackRoleArn",
	"FirehoseSuccessFeedbackSampleRate", "HTTPFailureFeedbackRoleArn", "HTTPSuccessFeedbackRoleArn",
	"HTTPSuccessFeedbackSampleRate", "KmsMasterKeyId", "LambdaFailureFeedbackRoleArn",
	"LambdaSuccessFeedbackRoleArn", "LambdaSuccessFeedbackSampleRate", "SQSFailureFeedbackRoleArn",
	"SQSSuccessFeedbackRoleArn", "SQSSuccessFeedbackSampleRate",
}

// isInert reports whether a value of an attribute means what the local cloud does anyway: clients
// write the empty text, or a rate of 0, for what they leave out.
func isInert(name, value string) bool {
	return slices.Contains(inert[name], value) || value == "" ||
		value == "0" && strings.HasSuffix(name, "SuccessFeedbackSampleRate")
}

// inert are the other such values.
var inert = map[string][]string{
	"FifoTopic": {"false"}, "ContentBasedDeduplication": {"false"},
}

// setTopicAttribute sets an attribute of a topic, which the caller must own.
func setTopicAttribute(row *store.Topic, name, value string) error {
	switch {
	case name == "DisplayName" && utf8.RuneCountInString(value) > maxDisplayName:
		return invalid("Attributes Reason: DisplayName must be at most 100 characters long")
	case name == "DisplayName":
		row.DisplayName = value
		return nil
	case name == "SignatureVersion" && value != notification.Version1 && value != notification.Version2:
		return invalid("SignatureVersion")
	case name == "SignatureVersion":
		row.SignatureVersion = value
		return nil
	case name == "Policy":
		return setPolicy(row, value)
	case name == "DeliveryPolicy":
		return setDelivery(&row.DeliveryPolicy, value, notification.NormalTopicDeliveryPolicy)
	case name == "TracingConfig":
		return setTracing(row, value)
	case slices.Contains(unsupportedTopicAttributes, name) && isInert(name, value):
		return nil
	case slices.Contains(unsupportedTopicAttributes, name):
		return wire.NotImplemented("the topic attribute %s with another value than the default", name)
	}
	return invalid("AttributeName")
}

// setTracing sets how a topic traces messages: it passes on what their senders trace, or "" for the same.
func setTracing(row *store.Topic, value string) error {
	switch value {
	case "", "PassThrough":
		row.Tracing = value
		return nil
	case "Active":
		return wire.NotImplemented("tracing with AWS X-Ray")
	}
	return invalid("TracingConfig")
}

// SetTopicAttributes sets one attribute of a topic.
func (a *API) SetTopicAttributes(
	ctx context.Context, in *sns.SetTopicAttributesInput,
) (*sns.SetTopicAttributesOutput, error) {
	return &sns.SetTopicAttributesOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := topic(ctx, tx, "TopicArn", in.TopicArn)
		if err != nil {
			return err
		}
		changed := *row
		name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
		if err := setTopicAttribute(&changed, name, value); err != nil {
			return err
		}
		store.Topics.Put(tx, &changed)
		return nil
	})
}

// GetTopicAttributes returns a topic's attributes.
func (a *API) GetTopicAttributes(
	ctx context.Context, in *sns.GetTopicAttributesInput,
) (*sns.GetTopicAttributesOutput, error) {
	view := a.Store.Read(ctx)
	row, err := topic(ctx, view, "TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	confirmed, pending := 0, 0
	for _, s := range store.SubscriptionsByTopic.List(view, row.ARN) {
		if s.Confirmed {
			confirmed++
		} else {
			pending++
		}
	}
	attributes := map[string]string{
		"TopicArn": row.ARN, "Owner": row.Region.Account(), "DisplayName": row.DisplayName,
		"Policy":                  cmp.Or(row.Policy, defaultPolicy(row.ARN)),
		"EffectiveDeliveryPolicy": notification.EffectiveTopicDeliveryPolicy(row),
		"SubscriptionsConfirmed":  strconv.Itoa(confirmed), "SubscriptionsPending": strconv.Itoa(pending),
		"SubscriptionsDeleted": strconv.Itoa(row.SubscriptionsDeleted),
	}
	if row.DeliveryPolicy != "" {
		attributes["DeliveryPolicy"] = row.DeliveryPolicy
	}
	if row.Tracing != "" {
		attributes["TracingConfig"] = row.Tracing
	}
	if row.SignatureVersion != "" {
		attributes["SignatureVersion"] = row.SignatureVersion
	}
	return &sns.GetTopicAttributesOutput{Attributes: attributes}, nil
}

// setDelivery sets a delivery policy, as normal returns it; "" removes it.
func setDelivery(policy *string, value string, normal func(string) (string, error)) (err error) {
	if value == "" {
		*policy = ""
		return nil
	}
	*policy, err = normal(value)
	switch {
	case errors.Is(err, notification.ErrThrottle):
		return wire.NotImplemented("%v", err)
	case err != nil:
		return invalid(err.Error())
	}
	return nil
}
