package s3_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

const changes = "arn:aws:sns:us-east-1:000000000000:changes"

// topic creates a topic with a subscription, to which a service may publish.
func (w *world) topic(service string) {
	w.Helper()
	w.ok(nil, w.store.Update(func(tx *store.Tx) error {
		store.Topics.Put(tx, &store.Topic{
			ARN: changes, Name: "changes", Region: "us-east-1",
			Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `"},` +
				`"Action":"sns:Publish","Resource":"` + changes + `","Condition":{"ArnLike":` +
				`{"aws:SourceArn":"arn:aws:s3:::bkt"},"StringEquals":{"aws:SourceAccount":"000000000000"}}}}`,
		})
		store.Subscriptions.Put(tx, &store.Subscription{
			ARN: changes + ":1", Topic: changes, Region: "us-east-1", Protocol: "email", Confirmed: true,
		})
		return nil
	}))
}

// messages returns the names and keys of the changes that are on their way to the subscription, and removes them.
func (w *world) messages() (names []string) {
	w.Helper()
	w.ok(nil, w.store.Update(func(tx *store.Tx) error {
		for _, d := range store.Deliveries.List(tx) {
			var message struct {
				Event   string
				Records []struct {
					EventName string `json:"eventName"`
					S3        struct {
						Object struct{ Key, VersionID string } `json:"object"`
					} `json:"s3"`
				}
			}
			w.ok(nil, json.Unmarshal([]byte(d.Message), &message))
			name := message.Event
			for _, r := range message.Records {
				name = r.EventName + " " + r.S3.Object.Key
			}
			names = append(names, name)
			store.Deliveries.Delete(tx, d.ID)
		}
		return nil
	}))
	slices.Sort(names)
	return names
}

func TestTopicsAreNotifiedOfChanges(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	configure := func(c types.NotificationConfiguration) error {
		_, err := w.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
			Bucket: aws.String("bkt"), NotificationConfiguration: &c,
		})
		return err
	}
	part := func(id, prefix string, events ...types.Event) types.TopicConfiguration {
		c := types.TopicConfiguration{Id: &id, TopicArn: aws.String(changes), Events: events}
		if prefix != "" {
			c.Filter = &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{
				{Name: types.FilterRuleNamePrefix, Value: &prefix},
			}}}
		}
		return c
	}
	of := func(parts ...types.TopicConfiguration) types.NotificationConfiguration {
		return types.NotificationConfiguration{TopicConfigurations: parts}
	}
	all := part("all", "a/", "s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*")
	w.refused(configure(of(all)), "InvalidArgument") // no topic
	w.topic("sqs.amazonaws.com")
	w.refused(configure(of(all)), "InvalidArgument")
	w.topic("s3.amazonaws.com")
	w.refused(configure(of(part("x", "", "s3:Flies"))), "InvalidArgument")
	w.refused(configure(of(all, part("put", "a/b", "s3:ObjectCreated:Put"))), "InvalidArgument")
	w.refused(configure(types.NotificationConfiguration{
		QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String("q"), Events: all.Events}},
	}), "NotImplemented")
	if got := w.messages(); got != nil {
		t.Errorf("refused configurations sent %s", got)
	}
	w.ok(nil, configure(of(all, part("puts", "b/", "s3:ObjectCreated:Put"))))

	got, err := w.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{
		Bucket: aws.String("bkt"),
	})
	w.ok(got, err)
	if len(got.TopicConfigurations) != 2 || *got.TopicConfigurations[0].Id != "all" ||
		*got.TopicConfigurations[0].Filter.Key.FilterRules[0].Value != "a/" {
		t.Errorf("got %+v", got.TopicConfigurations)
	}
	w.put("a/one two", "x")
	w.put("b/x", "x")
	w.put("c/x", "x")
	w.ok(w.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("a/copy"), CopySource: aws.String("bkt/c/x"),
	}))
	w.ok(w.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("b/copy"), CopySource: aws.String("bkt/c/x"),
	}))
	w.ok(w.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{
		Bucket: aws.String("bkt"), Key: aws.String("a/copy"), Tagging: &types.Tagging{TagSet: []types.Tag{}},
	}))
	for _, key := range []string{"a/copy", "a/nothing", "b/x"} {
		w.ok(w.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("bkt"), Key: &key}))
	}
	w.version(types.BucketVersioningStatusEnabled)
	w.ok(w.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("bkt"), Key: aws.String("a/one two")}))
	if diff := cmp.Diff([]string{
		"ObjectCreated:Copy a/copy", "ObjectCreated:Put a/one+two", "ObjectCreated:Put b/x",
		"ObjectRemoved:Delete a/copy", "ObjectRemoved:DeleteMarkerCreated a/one+two", "ObjectTagging:Put a/copy",
		"s3:TestEvent", "s3:TestEvent",
	}, w.messages()); diff != "" {
		t.Error(diff)
	}
	w.topic("sqs.amazonaws.com") // a changed policy counts at once
	w.put("a/late", "x")
	if got := w.messages(); got != nil {
		t.Errorf("sent %s", strings.Join(got, ", "))
	}
}
