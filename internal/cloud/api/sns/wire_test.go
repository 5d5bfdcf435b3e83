package sns_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/api/sns"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

const webTopic = "arn:aws:sns:us-east-1:000000000000:web"

// world is the API with a clock that tests set.
type world struct {
	*testing.T
	*client.Client
	rows *store.Store
	now  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, rows: rows, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	api := sns.New(sns.Config{Store: rows, Now: func() time.Time { return w.now }})
	w.Client = client.NewFromConfig(wiretest.Serve(t, "us-east-1", wire.Service{Name: "sns", API: api}))
	if _, err := w.CreateTopic(t.Context(), &client.CreateTopicInput{Name: aws.String("web")}); err != nil {
		t.Fatal(err)
	}
	return w
}

// subscribed subscribes an email address, and confirms the subscription.
func (w *world) subscribed(address string) (arn string) {
	w.Helper()
	out, err := w.Subscribe(w.Context(), &client.SubscribeInput{
		TopicArn: aws.String(webTopic), Protocol: aws.String("email"), Endpoint: &address, ReturnSubscriptionArn: true,
	})
	if err != nil {
		w.Fatal(err)
	}
	row, _ := store.Subscriptions.Get(w.rows.View(), *out.SubscriptionArn)
	confirmed, err := w.ConfirmSubscription(w.Context(), &client.ConfirmSubscriptionInput{
		TopicArn: aws.String(webTopic), Token: &row.Token,
	})
	if err != nil || *confirmed.SubscriptionArn != row.ARN {
		w.Fatalf("got %+v, %v", confirmed, err)
	}
	return row.ARN
}

func wantCode(t *testing.T, err error, code, words string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		t.Errorf("got %v, want %s with %q", err, code, words)
	}
}

func TestCreateTopicIsIdempotent(t *testing.T) {
	w := newWorld(t)
	create := func(name, value string) error {
		out, err := w.CreateTopic(t.Context(), &client.CreateTopicInput{
			Name: aws.String("mail"), Attributes: map[string]string{name: value},
		})
		if err == nil && *out.TopicArn != "arn:aws:sns:us-east-1:000000000000:mail" {
			t.Errorf("got %s", *out.TopicArn)
		}
		return err
	}
	for range 2 {
		if err := create("DisplayName", "Aloft"); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, create("DisplayName", "Other"), "InvalidParameter", "already exists with different attributes")
	wantCode(t, create("SignatureVersion", "2"), "InvalidParameter", "already exists with different attributes")
	wantCode(t, create("SignatureVersion", "3"), "InvalidParameter", "SignatureVersion")
	wantCode(t, create("KmsMasterKeyId", "alias/aws/sns"), "NotImplemented", "KmsMasterKeyId")
	wantCode(t, create("Policy", "{}"), "InvalidParameter", "Policy Error")
	wantCode(t, create("Colour", "red"), "InvalidParameter", "AttributeName")
	got, err := w.GetTopicAttributes(t.Context(), &client.GetTopicAttributesInput{TopicArn: aws.String(webTopic)})
	if err != nil || got.Attributes["Owner"] != "000000000000" || got.Attributes["SubscriptionsPending"] != "0" {
		t.Fatalf("got %+v, %v", got, err)
	}
	// What a topic has anyway may be set.
	for name, value := range map[string]string{
		"Policy": got.Attributes["Policy"], "KmsMasterKeyId": "", "LambdaSuccessFeedbackRoleArn": "",
		"LambdaSuccessFeedbackSampleRate": "0",
	} {
		if _, err := w.SetTopicAttributes(t.Context(), &client.SetTopicAttributesInput{
			TopicArn: aws.String(webTopic), AttributeName: &name, AttributeValue: &value,
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantCode(t, create("LambdaSuccessFeedbackSampleRate", "50"), "NotImplemented", "LambdaSuccessFeedbackSampleRate")
}

func TestTopicsPassOnTraces(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct{ value, code, want string }{
		{"PassThrough", "", "PassThrough"}, {"Active", "NotImplemented", "PassThrough"},
		{"x", "InvalidParameter", "PassThrough"}, {"", "", ""},
	} {
		_, err := w.SetTopicAttributes(t.Context(), &client.SetTopicAttributesInput{
			TopicArn: aws.String(webTopic), AttributeName: aws.String("TracingConfig"), AttributeValue: &test.value,
		})
		if test.code != "" {
			wantCode(t, err, test.code, "")
		} else if err != nil {
			t.Error(err)
		}
		got, err := w.GetTopicAttributes(t.Context(), &client.GetTopicAttributesInput{TopicArn: aws.String(webTopic)})
		if err != nil || got.Attributes["TracingConfig"] != test.want {
			t.Errorf("after %q: %v, %v", test.value, got, err)
		}
	}
}

func TestSubscriptionUntilItEnds(t *testing.T) {
	w := newWorld(t)
	in := &client.SubscribeInput{
		TopicArn: aws.String(webTopic), Protocol: aws.String("email"), Endpoint: aws.String("me@example.com"),
	}
	for range 2 {
		if out, err := w.Subscribe(t.Context(), in); err != nil || *out.SubscriptionArn != "pending confirmation" {
			t.Fatalf("got %+v, %v", out, err)
		}
	}
	listed, err := w.ListSubscriptionsByTopic(t.Context(), &client.ListSubscriptionsByTopicInput{
		TopicArn: aws.String(webTopic),
	})
	if err != nil || len(listed.Subscriptions) != 1 ||
		*listed.Subscriptions[0].SubscriptionArn != "PendingConfirmation" {
		t.Fatalf("got %+v, %v", listed, err)
	}
	row := store.Subscriptions.List(w.rows.View())[0]
	_, err = w.Unsubscribe(t.Context(), &client.UnsubscribeInput{SubscriptionArn: &row.ARN})
	wantCode(t, err, "InvalidParameter", "pending confirmation")
	confirm := func(token string) error {
		_, err := w.ConfirmSubscription(t.Context(), &client.ConfirmSubscriptionInput{
			TopicArn: aws.String(webTopic), Token: &token,
		})
		return err
	}
	wantCode(t, confirm("guess"), "InvalidParameter", "Token")
	w.now = w.now.Add(49 * time.Hour)
	wantCode(t, confirm(row.Token), "InvalidParameter", "Token")
	w.now = w.now.Add(-2 * time.Hour)
	for range 2 {
		if err := confirm(row.Token); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := w.Subscribe(t.Context(), in); err != nil || *out.SubscriptionArn != row.ARN {
		t.Errorf("got %+v, %v", out, err)
	}
	if _, err := w.Unsubscribe(t.Context(), &client.UnsubscribeInput{SubscriptionArn: &row.ARN}); err != nil {
		t.Fatal(err)
	}
	attributes, err := w.GetTopicAttributes(t.Context(), &client.GetTopicAttributesInput{
		TopicArn: aws.String(webTopic),
	})
	if err != nil || attributes.Attributes["SubscriptionsDeleted"] != "1" {
		t.Errorf("got %+v, %v", attributes, err)
	}
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct{ protocol, endpoint, code, words string }{
		{"email", "me", "InvalidParameter", "Email address"},
		{"email", "me@example.com,you@example.com", "InvalidParameter", "Email address"},
		{"email", "me@example.com\r\nBcc: you", "InvalidParameter", "Email address"},
		{"sms", "+15550100", "NotImplemented", "protocol sms"},
		{"lambda", "arn:aws:lambda:us-east-1:000000000000:function:f", "NotImplemented", "protocol lambda"},
		{"pigeon", "me", "InvalidParameter", "pigeon"},
		{"http", "https://127.0.0.1/", "InvalidParameter", "specified protocol"},
		{"https", "https://hooks.example.com/x", "NotImplemented", "hooks.example.com"},
		{"http", "http://169.254.169.254/", "NotImplemented", "loopback"},
	} {
		_, err := w.Subscribe(t.Context(), &client.SubscribeInput{
			TopicArn: aws.String(webTopic), Protocol: &tc.protocol, Endpoint: &tc.endpoint,
		})
		wantCode(t, err, tc.code, tc.words)
	}
	_, err := w.Subscribe(t.Context(), &client.SubscribeInput{
		TopicArn: aws.String(webTopic + "x"), Protocol: aws.String("email"), Endpoint: aws.String("me@example.com"),
	})
	wantCode(t, err, "NotFound", "Topic does not exist")
	_, err = w.Subscribe(t.Context(), &client.SubscribeInput{
		TopicArn: aws.String(webTopic), Protocol: aws.String("email"), Endpoint: aws.String("me@example.com"),
		Attributes: map[string]string{"RedrivePolicy": "{}"},
	})
	wantCode(t, err, "NotImplemented", "RedrivePolicy")
}

func TestPublishedMessages(t *testing.T) {
	w := newWorld(t)
	w.subscribed("me@example.com")
	deliveries := func() (texts []string) {
		for _, d := range store.Deliveries.List(w.rows.View()) {
			if d.Type == store.Notification {
				texts = append(texts, d.Message)
			}
		}
		return texts
	}
	if _, err := w.Publish(t.Context(), &client.PublishInput{
		TargetArn: aws.String(webTopic), MessageStructure: aws.String("json"),
		Message: aws.String(`{"default":"for all","email":"for emails"}`),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"size": {DataType: aws.String("Number"), StringValue: aws.String("3")},
			"raw":  {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		},
	}); err != nil {
		t.Fatal(err)
	}
	if got := deliveries(); len(got) != 1 || got[0] != "for emails" {
		t.Errorf("got %q", got)
	}
	for _, d := range store.Deliveries.List(w.rows.View()) {
		want := []store.MessageAttribute{
			{Name: "raw", Type: "Binary", Value: "AP8="}, {Name: "size", Type: "Number", Value: "3"},
		}
		if d.Type == store.Notification && fmt.Sprint(d.Attributes) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", d.Attributes, want)
		}
	}
	for words, in := range map[string]*client.PublishInput{
		"Empty message":             {Message: aws.String("")},
		"Message too long":          {Message: aws.String(strings.Repeat("x", 256<<10+1))},
		"Subject":                   {Message: aws.String("x"), Subject: aws.String("two\nlines")},
		"No default entry":          {Message: aws.String("{}"), MessageStructure: aws.String("json")},
		"failed to parse":           {Message: aws.String("x"), MessageStructure: aws.String("json")},
		"not valid for this topic ": {Message: aws.String("x"), MessageDeduplicationId: aws.String("1")},
	} {
		in.TopicArn = aws.String(webTopic)
		_, err := w.Publish(t.Context(), in)
		wantCode(t, err, "InvalidParameter", words)
	}
	out, err := w.PublishBatch(t.Context(), &client.PublishBatchInput{
		TopicArn: aws.String(webTopic), PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: aws.String("a"), Message: aws.String("one")}, {Id: aws.String("b"), Message: aws.String("")},
		},
	})
	if err != nil || len(out.Successful) != 1 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" {
		t.Fatalf("got %+v, %v", out, err)
	}
	_, err = w.PublishBatch(t.Context(), &client.PublishBatchInput{
		TopicArn: aws.String(webTopic), PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: aws.String("a"), Message: aws.String("one")}, {Id: aws.String("a"), Message: aws.String("two")},
		},
	})
	wantCode(t, err, "BatchEntryIdsNotDistinct", "")
	if got := deliveries(); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

func TestDeletedTopicTakesAllWithIt(t *testing.T) {
	w := newWorld(t)
	w.subscribed("me@example.com")
	for range 2 {
		if _, err := w.DeleteTopic(t.Context(), &client.DeleteTopicInput{TopicArn: aws.String(webTopic)}); err != nil {
			t.Fatal(err)
		}
	}
	view := w.rows.View()
	topics, deliveries := store.Topics.List(view), store.Deliveries.List(view)
	if left := store.Subscriptions.List(view); len(left)+len(topics)+len(deliveries) > 0 {
		t.Errorf("left are %v, %v and %v", left, topics, deliveries)
	}
	_, err := w.Publish(t.Context(), &client.PublishInput{TopicArn: aws.String(webTopic), Message: aws.String("x")})
	wantCode(t, err, "NotFound", "Topic does not exist")
}

func TestPagesAndTags(t *testing.T) {
	w := newWorld(t)
	for n := range 120 {
		if _, err := w.CreateTopic(t.Context(), &client.CreateTopicInput{
			Name: aws.String(fmt.Sprintf("t%03d", n)),
			Tags: []types.Tag{{Key: aws.String("n"), Value: aws.String(fmt.Sprint(n))}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	n, pages := 0, 0
	for p := client.NewListTopicsPaginator(w, nil); p.HasMorePages(); pages++ {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Topics)
	}
	if n != 121 || pages != 2 {
		t.Errorf("%d topics on %d pages", n, pages)
	}
	_, err := w.ListTopics(t.Context(), &client.ListTopicsInput{NextToken: aws.String("x")})
	wantCode(t, err, "InvalidParameter", "NextToken")
	arn := aws.String("arn:aws:sns:us-east-1:000000000000:t007")
	if _, err := w.TagResource(t.Context(), &client.TagResourceInput{
		ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UntagResource(t.Context(), &client.UntagResourceInput{
		ResourceArn: arn, TagKeys: []string{"n"},
	}); err != nil {
		t.Fatal(err)
	}
	tags, err := w.ListTagsForResource(t.Context(), &client.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" {
		t.Errorf("got %+v, %v", tags, err)
	}
}
