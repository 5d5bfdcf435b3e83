//go:build linux

package notifications

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sns"

	"aloft.dev/aloft/internal/cloud/api/sns"
	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// service is the API with a loop that delivers its messages.
type service struct {
	*testing.T
	*client.Client
	rows   *store.Store
	outbox string
	topic  *string
}

func serve(t *testing.T) service {
	t.Helper()
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	api := wire.Service{Name: "sns", API: sns.New(sns.Config{Store: rows}), Unsigned: sns.Unsigned}
	config := wiretest.Serve(t, "eu-west-1", api)
	s := service{t, client.NewFromConfig(config), rows, filepath.Join(t.TempDir(), "outbox"), nil}
	run(t, &Loop{
		Store: rows, Outbox: s.outbox, Log: slog.New(slog.DiscardHandler),
		Letters: notification.Letters{Links: notification.Links(*config.BaseEndpoint), Signer: newSigner(t)},
	})
	topic, err := s.CreateTopic(t.Context(), &client.CreateTopicInput{Name: aws.String("web")})
	if err != nil {
		t.Fatal(err)
	}
	s.topic = topic.TopicArn
	return s
}

func newSigner(t *testing.T) *notification.Signer {
	t.Helper()
	a, err := authority.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &notification.Signer{
		Key:    a.Messages,
		Origin: func(region string) string { return "https://" + notification.Endpoint(region) },
	}
}

// run runs a loop until the test ends.
func run(t *testing.T, l *Loop) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (s service) subscribe(protocol, endpoint string) string {
	s.Helper()
	out, err := s.Subscribe(s.Context(), &client.SubscribeInput{
		TopicArn: s.topic, Protocol: &protocol, Endpoint: &endpoint, ReturnSubscriptionArn: true,
	})
	if err != nil {
		s.Fatal(err)
	}
	return *out.SubscriptionArn
}

// email waits for the n-th email in the outbox and returns it.
func (s service) email(n int) (header mail.Header, body string) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		names, err := filepath.Glob(filepath.Join(s.outbox, "*.eml"))
		if err == nil && len(names) >= n {
			slices.Sort(names)
			f, err := os.Open(names[n-1])
			if err != nil {
				s.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
				s.Errorf("mode %v, %v", info.Mode(), err)
			}
			m, err := mail.ReadMessage(f)
			if err != nil {
				s.Fatal(err)
			}
			text, err := io.ReadAll(m.Body)
			if err != nil {
				s.Fatal(err)
			}
			return m.Header, string(text)
		}
		if time.Now().After(deadline) {
			s.Fatalf("the outbox has %v, want %d emails", names, n)
		}
		time.Sleep(5 * time.Millisecond) // between looks at the folder
	}
}

var link = regexp.MustCompile(`http://\S+`)

// follow opens a link without a signature, as a browser does.
func (s service) follow(text string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, link.FindString(text), nil)
	if err != nil {
		s.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.Fatalf("%s: %s %s, %v", r.URL, response.Status, body, err)
	}
}

func (s service) publish(subject, message string) {
	s.Helper()
	if _, err := s.Publish(s.Context(), &client.PublishInput{
		TopicArn: s.topic, Subject: &subject, Message: &message,
	}); err != nil {
		s.Fatal(err)
	}
}

func TestEmailIsConfirmedAndCancelledByItsLinks(t *testing.T) {
	s := serve(t)
	arn := s.subscribe("email", "me@example.com")
	s.publish("Lost", "before the confirmation")
	_, body := s.email(1)
	s.follow(body)
	const long = "a line that is longer than a line of an encoded email may be, which is 76 characters ü"
	s.publish("Hello", long)
	header, body := s.email(2)
	if header.Get("To") != "me@example.com" || header.Get("Subject") != "Hello" ||
		!strings.HasPrefix(body, long+"\n") {
		t.Errorf("got %v %s", header, body)
	}
	s.follow(body)
	_, err := s.GetSubscriptionAttributes(t.Context(), &client.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
	if err == nil {
		t.Error("the link did not cancel the subscription")
	}
}

func TestWebhookReceivesDocuments(t *testing.T) {
	type request struct {
		header   http.Header
		document map[string]any
	}
	got := make(chan request, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var document map[string]any
		if err := json.NewDecoder(r.Body).Decode(&document); err != nil {
			t.Error(err)
		}
		got <- request{r.Header, document}
	}))
	defer hook.Close()
	s := serve(t)
	s.subscribe("http", hook.URL+"/alerts")
	first := <-got
	if first.document["Type"] != "SubscriptionConfirmation" || first.document["TopicArn"] != *s.topic ||
		first.header.Get("X-Amz-Sns-Message-Type") != "SubscriptionConfirmation" {
		t.Fatalf("got %+v", first)
	}
	s.follow(first.document["SubscribeURL"].(string))
	s.publish("Hello", "<text>")
	second := <-got
	if second.document["Message"] != "<text>" || second.document["Subject"] != "Hello" ||
		second.header.Get("X-Amz-Sns-Message-Id") != second.document["MessageId"] ||
		second.document["SignatureVersion"] != "1" {
		t.Errorf("got %+v", second)
	}
	if _, err := s.SetTopicAttributes(t.Context(), &client.SetTopicAttributesInput{
		TopicArn: s.topic, AttributeName: aws.String("SignatureVersion"), AttributeValue: aws.String("2"),
	}); err != nil {
		t.Fatal(err)
	}
	s.publish("Hello", "<text>")
	if third := <-got; third.document["SignatureVersion"] != "2" || third.document["Signature"] == nil {
		t.Errorf("got %+v", third)
	}
}

func TestWebhookThatFailsIsTriedAsItsPolicySays(t *testing.T) {
	const policy = `{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":3,"numRetries":4,"numNoDelayRetries":1}}`
	normal, err := notification.NormalDeliveryPolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	failing(t, "", 3*20*time.Second)
	failing(t, normal, 7*time.Second)
}

// failing checks how long a webhook that fails is tried.
func failing(t *testing.T, policy string, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		const topic = "arn:aws:sns:r:000000000000:web"
		started := time.Now()
		if err := rows.Update(func(tx *store.Tx) error {
			row := &store.Topic{ARN: topic, Region: "r", Name: "web"}
			store.Topics.Put(tx, row)
			store.Subscriptions.Put(tx, &store.Subscription{
				// No listener has port 0, and no packet leaves the bubble.
				ARN: topic + ":1", Region: "r", Topic: topic, Protocol: "http", Endpoint: "http://127.0.0.1:0/",
				Confirmed: true, DeliveryPolicy: policy,
			})
			notification.Publish(tx, row, notification.Message{ID: "m", Text: "text"}, started)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		run(t, &Loop{
			Store: rows, Log: slog.New(slog.DiscardHandler), Letters: notification.Letters{Signer: newSigner(t)},
		})
		var left []*store.Delivery
		for attempts := 1; ; attempts++ {
			synctest.Wait()
			if left = store.Deliveries.List(rows.View()); len(left) == 0 || attempts > 9 {
				break
			}
			time.Sleep(time.Until(left[0].Next))
		}
		if got := time.Since(started); len(left) != 0 || got != took {
			t.Errorf("after %s, %+v is left", got, left)
		}
	})
}

func TestUnconfirmedSubscriptionExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(48 * time.Hour)
		if err := rows.Update(func(tx *store.Tx) error {
			store.Subscriptions.Put(tx, &store.Subscription{ARN: "pending", Region: "r", TokenUntil: until})
			store.Subscriptions.Put(tx, &store.Subscription{ARN: "confirmed", Region: "r", Confirmed: true})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		run(t, &Loop{Store: rows, Log: slog.New(slog.DiscardHandler)})
		time.Sleep(time.Until(until))
		synctest.Wait()
		if n := len(store.Subscriptions.List(rows.View())); n != 2 {
			t.Errorf("%d subscriptions, want 2", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if rows := store.Subscriptions.List(rows.View()); len(rows) != 1 || rows[0].ARN != "confirmed" {
			t.Errorf("got %+v", rows)
		}
	})
}

func TestOutboxKeepsTheNewestEmails(t *testing.T) {
	l := &Loop{Outbox: t.TempDir()}
	for n := range maxEmails {
		name := filepath.Join(l.Outbox, time.Unix(int64(n), 0).UTC().Format("20060102T150405")+emailSuffix)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.file("20260101T000000"+emailSuffix, []byte("new")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(l.Outbox)
	if err != nil || len(entries) != maxEmails || entries[0].Name() != "19700101T000001"+emailSuffix {
		t.Errorf("%d emails, first %s, %v", len(entries), entries[0].Name(), err)
	}
}

func TestWebhooksElsewhereAreNotReached(t *testing.T) {
	c := newWebhooks()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://192.0.2.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "not this host's loopback interface") {
		t.Errorf("got %v", err)
	}
}
