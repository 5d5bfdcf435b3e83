package sns

import (
	"context"
	"maps"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CreateTopic creates a topic, or returns the one of the name.
func (a *API) CreateTopic(ctx context.Context, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	name := aws.ToString(in.Name)
	switch {
	case strings.HasSuffix(name, ".fifo"):
		return nil, wire.NotImplemented("FIFO topics")
	case !topicName.MatchString(name):
		return nil, invalid("Topic Name")
	case aws.ToString(in.DataProtectionPolicy) != "":
		return nil, wire.NotImplemented("the parameter DataProtectionPolicy")
	}
	region := wire.RegionFrom(ctx)
	row := &store.Topic{ARN: identity.ARN("sns", region, name), Region: region, Name: name}
	for name, value := range in.Attributes {
		if err := setTopicAttribute(row, name, value); err != nil {
			return nil, err
		}
	}
	var err error
	if row.Tags, err = addTags(nil, in.Tags); err != nil {
		return nil, err
	}
	return &sns.CreateTopicOutput{TopicArn: &row.ARN}, a.Store.Update(func(tx *store.Tx) error {
		old, ok := store.Topics.Get(tx, row.ARN)
		switch {
		case !ok:
			store.Topics.Put(tx, row)
			return nil
		case len(in.Attributes) > 0 && attributesOf(old) != attributesOf(row):
			return invalid("Attributes Reason: Topic already exists with different attributes")
		case in.Tags != nil && !maps.Equal(old.Tags, row.Tags):
			return invalid("Tags Reason: Topic already exists with different tags")
		}
		return nil
	})
}

// attributesOf returns the attributes of a topic.
func attributesOf(row *store.Topic) [5]string {
	return [...]string{row.DisplayName, row.SignatureVersion, row.Policy, row.Tracing, row.DeliveryPolicy}
}

// DeleteTopic deletes a topic with its subscriptions. A topic that does not exist is no
// error.
func (a *API) DeleteTopic(ctx context.Context, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	if err := checkARN("TopicArn", in.TopicArn, 6); err != nil {
		return nil, err
	}
	return &sns.DeleteTopicOutput{}, a.Store.Update(func(tx *store.Tx) error {
		if row, err := topic(ctx, tx, "TopicArn", in.TopicArn); err == nil {
			notification.DeleteTopic(tx, row.ARN)
		}
		return nil
	})
}

// ListTopics lists the topics of the region.
func (a *API) ListTopics(ctx context.Context, in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	rows, next, err := pageOf(store.Topics.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx)), in.NextToken,
		func(r *store.Topic) string { return r.ARN })
	if err != nil {
		return nil, err
	}
	out := &sns.ListTopicsOutput{NextToken: next, Topics: []types.Topic{}}
	for _, r := range rows {
		out.Topics = append(out.Topics, types.Topic{TopicArn: &r.ARN})
	}
	return out, nil
}
