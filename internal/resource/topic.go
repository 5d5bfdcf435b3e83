package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var topicKind = kind{
	name:   stack.KindTopic,
	find:   findTopics,
	create: created((*Provisioner).createTopic),
	update: updated((*Provisioner).updateTopic),
	remove: (*Provisioner).deleteTopic,
}

// tagWithdrawn is the tag of a topic with the addresses that are not wanted any more and
// have not confirmed their subscriptions. AWS deletes such a subscription after two days
// and not before (Amazon SNS Developer Guide, "Deleting an Amazon SNS topic and
// subscription"), so until then they do not count.
const tagWithdrawn = "aloft:withdrawn"

// pendingARN stands for the ARN of a subscription that is not confirmed (Amazon SNS API
// Reference, ListSubscriptionsByTopic).
const pendingARN = "PendingConfirmation"

const emailProtocol = "email"

// SNS is the part of Amazon SNS that the package uses.
type SNS interface {
	ListTopics(context.Context, *sns.ListTopicsInput, ...func(*sns.Options)) (*sns.ListTopicsOutput, error)
	ListTagsForResource(
		context.Context, *sns.ListTagsForResourceInput, ...func(*sns.Options),
	) (*sns.ListTagsForResourceOutput, error)
	ListSubscriptionsByTopic(
		context.Context, *sns.ListSubscriptionsByTopicInput, ...func(*sns.Options),
	) (*sns.ListSubscriptionsByTopicOutput, error)
	CreateTopic(context.Context, *sns.CreateTopicInput, ...func(*sns.Options)) (*sns.CreateTopicOutput, error)
	Subscribe(context.Context, *sns.SubscribeInput, ...func(*sns.Options)) (*sns.SubscribeOutput, error)
	Unsubscribe(context.Context, *sns.UnsubscribeInput, ...func(*sns.Options)) (*sns.UnsubscribeOutput, error)
	TagResource(context.Context, *sns.TagResourceInput, ...func(*sns.Options)) (*sns.TagResourceOutput, error)
	UntagResource(context.Context, *sns.UntagResourceInput, ...func(*sns.Options)) (*sns.UntagResourceOutput, error)
	DeleteTopic(context.Context, *sns.DeleteTopicInput, ...func(*sns.Options)) (*sns.DeleteTopicOutput, error)
}

// findTopics finds the topic by its name. A topic of that name without the application's
// tag is somebody else's.
func findTopics(ctx context.Context, d *discovery) ([]plan.Found, error) {
	topics, err := collect(ctx, sns.NewListTopicsPaginator(d.SNS, &sns.ListTopicsInput{}),
		func(page *sns.ListTopicsOutput) []types.Topic { return page.Topics })
	if err != nil {
		if d.uninteresting(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("list the topics: %w", err)
	}
	name := stack.TopicName(d.App)
	i := slices.IndexFunc(topics, func(t types.Topic) bool {
		return strings.HasSuffix(aws.ToString(t.TopicArn), ":"+name)
	})
	if i < 0 {
		return nil, nil
	}
	found, err := d.topic(ctx, topics[i].TopicArn)
	if awsapi.IsNotFound(err) { // it is being deleted
		return nil, nil
	}
	return found, err
}

// uninteresting reports whether an error does not matter, because the spec asks for no
// alerts, and the credentials do not allow to look for them or the endpoint has none.
func (d *discovery) uninteresting(err error) bool {
	return !d.Alerts && (awsapi.IsForbidden(err) || d.unchecked == nil && awsapi.IsUnsupported(err))
}

func (c *Cloud) topic(ctx context.Context, arn *string) ([]plan.Found, error) {
	tags, err := c.topicTags(ctx, arn)
	if err != nil || tags[stack.TagApp] != c.App {
		return nil, err
	}
	subscriptions, err := c.emailSubscriptions(ctx, arn)
	if err != nil {
		return nil, err
	}
	f := plan.Found{
		Address: tags[stack.TagAddress], Kind: stack.KindTopic, ID: *arn, Name: stack.TopicName(c.App),
	}
	withdrawn := strings.Fields(tags[tagWithdrawn])
	var emails []string
	for _, s := range subscriptions {
		address, pending := aws.ToString(s.Endpoint), aws.ToString(s.SubscriptionArn) == pendingARN
		if pending && slices.Contains(withdrawn, address) {
			continue
		}
		emails = append(emails, address)
		if pending {
			f.Status.Unconfirmed = append(f.Status.Unconfirmed, address)
		}
	}
	f.Set(stack.AttrName, f.Name)
	f.Set(stack.AttrEmails, emails...)
	setTags(&f, tags)
	return []plan.Found{f}, nil
}

func (c *Cloud) topicTags(ctx context.Context, arn *string) (map[string]string, error) {
	out, err := c.SNS.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil {
		return nil, fmt.Errorf("read the tags of topic %s: %w", *arn, err)
	}
	return tagsOf(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

// emailSubscriptions returns a topic's subscriptions by email. Others are users' own.
func (c *Cloud) emailSubscriptions(ctx context.Context, arn *string) ([]types.Subscription, error) {
	all, err := collect(
		ctx,
		sns.NewListSubscriptionsByTopicPaginator(c.SNS, &sns.ListSubscriptionsByTopicInput{TopicArn: arn}),
		func(page *sns.ListSubscriptionsByTopicOutput) []types.Subscription { return page.Subscriptions },
	)
	if err != nil {
		return nil, fmt.Errorf("list the subscriptions of topic %s: %w", *arn, err)
	}
	return slices.DeleteFunc(all, func(s types.Subscription) bool {
		// A deleted one may still be listed.
		return aws.ToString(s.Protocol) != emailProtocol || aws.ToString(s.SubscriptionArn) == "Deleted"
	}), nil
}

// createTopic creates the topic, or returns the one of its name with the same tags, and
// subscribes the addresses.
func (p *Provisioner) createTopic(ctx context.Context, r stack.Resource, body stack.Topic) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindTopic, Name: body.TopicName}
	in := &sns.CreateTopicInput{Name: &body.TopicName, Tags: topicTags(p.tags(r))}
	out, err := p.SNS.CreateTopic(ctx, in)
	if err != nil {
		return f, fmt.Errorf("create topic %s: %w", body.TopicName, err)
	}
	f.ID = *out.TopicArn
	return f, p.updateTopic(ctx, r, body, f)
}

// updateTopic subscribes the addresses that are missing and cancels the subscriptions of
// those that are not wanted.
func (p *Provisioner) updateTopic(ctx context.Context, r stack.Resource, body stack.Topic, current plan.Found) error {
	subscriptions, err := p.emailSubscriptions(ctx, &current.ID)
	if err != nil {
		return err
	}
	var problems []error
	var subscribed, withdrawn []string
	for _, s := range subscriptions {
		address := aws.ToString(s.Endpoint)
		switch {
		case slices.Contains(body.Emails, address):
			subscribed = append(subscribed, address)
		case aws.ToString(s.SubscriptionArn) == pendingARN:
			withdrawn = append(withdrawn, address)
		default:
			_, err := p.SNS.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: s.SubscriptionArn})
			problems = append(problems, ignoreNotFound("cancel the alerts for "+address, err))
		}
	}
	for _, address := range body.Emails {
		if slices.Contains(subscribed, address) {
			continue
		}
		_, err := p.SNS.Subscribe(ctx, &sns.SubscribeInput{
			TopicArn: &current.ID, Protocol: aws.String(emailProtocol), Endpoint: &address,
		})
		if err != nil {
			problems = append(problems, fmt.Errorf("subscribe %s to alerts: %w", address, err))
			continue
		}
		p.progress(r.Address, "%s receives an email with a link that confirms the alerts", address)
	}
	return errors.Join(append(problems, p.withdraw(ctx, current.ID, withdrawn))...)
}

// withdraw records the addresses whose subscriptions do not count.
func (p *Provisioner) withdraw(ctx context.Context, arn string, addresses []string) error {
	tags, err := p.topicTags(ctx, &arn)
	value := strings.Join(addresses, " ")
	tagger := p.topicTagger(arn)
	switch {
	case err != nil || tags[tagWithdrawn] == value:
		return err
	case value == "":
		err = tagger.remove(ctx, []string{tagWithdrawn})
	default:
		err = tagger.set(ctx, []tag{{tagWithdrawn, value}})
	}
	return awsapi.Wrap("tag topic "+arn, err)
}

func topicTags(tags []tag) []types.Tag {
	all := make([]types.Tag, len(tags))
	for i, t := range tags {
		all[i] = types.Tag{Key: aws.String(t.key), Value: aws.String(t.value)}
	}
	return all
}

func (p *Provisioner) topicTagger(arn string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.SNS.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &arn, Tags: topicTags(tags)})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			_, err := p.SNS.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &arn, TagKeys: keys})
			return err
		},
	}
}

// deleteTopic deletes a topic with its subscriptions.
func (p *Provisioner) deleteTopic(ctx context.Context, f plan.Found) error {
	_, err := p.SNS.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &f.ID})
	return ignoreNotFound("delete topic "+f.Name, err)
}
