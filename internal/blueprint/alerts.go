package blueprint

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Email is the protocol of subscriptions by email.
const Email = "email"

// Topic is the topic that alarms tell.
type Topic struct {
	Item[struct{}]
	Subscriptions []Subscription
}

// Subscription is an address to which a topic sends emails.
type Subscription struct {
	Address string
	ARN     string // "" if nobody has confirmed it
}

// topics reads the topic and the emails that it sends.
func (r *reader) topics(ctx context.Context) error {
	all, err := each(r, stack.KindTopic, func(f plan.Found) (struct{}, map[string]string, error) {
		out, err := r.source.Client.SNS.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: &f.ID})
		if err != nil {
			return struct{}{}, nil, err
		}
		return struct{}{}, tagsOf(out.Tags, func(t snstypes.Tag) (key, value *string) { return t.Key, t.Value }), nil
	})
	if err != nil {
		return err
	}
	for _, t := range all {
		subscriptions, err := r.subscriptions(ctx, t.Found)
		if err != nil {
			return err
		}
		r.Topics = append(r.Topics, Topic{t, subscriptions})
	}
	return nil
}

func (r *reader) subscriptions(ctx context.Context, topic plan.Found) ([]Subscription, error) {
	arns := map[string]string{}
	pages := sns.NewListSubscriptionsByTopicPaginator(r.source.Client.SNS, &sns.ListSubscriptionsByTopicInput{
		TopicArn: &topic.ID,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("the subscriptions of "+topic.Label(), err)
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.Protocol) == Email {
				arns[aws.ToString(s.Endpoint)] = aws.ToString(s.SubscriptionArn)
			}
		}
	}
	var all []Subscription
	for _, address := range topic.Values(stack.AttrEmails) {
		s := Subscription{Address: address}
		if !slices.Contains(topic.Status.Unconfirmed, address) {
			s.ARN = arns[address]
		}
		all = append(all, s)
	}
	return all, nil
}

// alarms reads the alarms that tell the topic.
func (r *reader) alarms(ctx context.Context) (err error) {
	api := r.source.Client.CW
	r.Alarms, err = each(r, stack.KindAlarm, func(f plan.Found) (types.MetricAlarm, map[string]string, error) {
		a, err := only(func(o *cloudwatch.DescribeAlarmsOutput) []types.MetricAlarm { return o.MetricAlarms })(
			api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{f.Name}}))
		if err != nil {
			return a, nil, err
		}
		out, err := api.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: &f.ID})
		if err != nil {
			return a, nil, err
		}
		return a, tagsOf(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
	})
	return err
}
