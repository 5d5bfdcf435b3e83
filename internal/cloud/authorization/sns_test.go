package authorization_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestTopicsAreResources(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	const topics = "arn:aws:sns:us-east-1:000000000000:"
	if err := w.store.Update(func(tx *store.Tx) error {
		for _, name := range []string{"shop", "bank"} {
			store.Topics.Put(tx, &store.Topic{ARN: topics + name, Region: "us-east-1", Name: name})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	c := sns.NewFromConfig(w.assume(w.role("web",
		allow("sns:Publish", topics+"shop")+`,{"Effect":"Allow","Action":"sns:Subscribe","Resource":"*",`+
			`"Condition":{"StringEquals":{"sns:Protocol":"email"},"StringLike":{"sns:Endpoint":"*@example.com"}}}`,
	)))
	denied := func(action, resource string) string {
		return "AuthorizationError: User: " + me + " is not authorized to perform: " + action + " on resource: " +
			resource + " because no identity-based policy allows the " + action + " action"
	}
	publish := func(name string) error {
		_, err := c.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(topics + name), Message: aws.String("x")})
		return err
	}
	w.want("own topic", publish("shop"), "")
	w.want("another topic", publish("bank"), denied("SNS:Publish", topics+"bank"))
	_, err := c.PublishBatch(ctx, &sns.PublishBatchInput{
		TopicArn: aws.String(topics + "bank"), PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: aws.String("1"), Message: aws.String("x")},
		},
	})
	w.want("a batch", err, denied("SNS:Publish", topics+"bank"))
	subscribe := func(protocol, endpoint string) error {
		_, err := c.Subscribe(ctx, &sns.SubscribeInput{
			TopicArn: aws.String(topics + "shop"), Protocol: &protocol, Endpoint: &endpoint,
		})
		return err
	}
	w.want("an address", subscribe("email", "me@example.com"), "")
	w.want("an address elsewhere", subscribe("email", "me@example.org"), denied("SNS:Subscribe", topics+"shop"))
	_, err = c.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: aws.String(topics + "shop")})
	w.want("a deletion", err, denied("SNS:DeleteTopic", topics+"shop"))
}

func TestRolesCannotSubscribeWebhooksOfTheHost(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := sns.NewFromConfig(w.assume(w.role("web", allow("sns:*", "*"))))
	out, err := c.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: out.TopicArn, Protocol: aws.String("http"), Endpoint: aws.String("http://127.0.0.1:22/"),
	})
	w.want("a webhook", err, "NotImplemented: aloft's local cloud does not implement subscriptions of webhooks by "+
		"users and roles: use the account's own access key")
}
