package sns_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestPermissionsAreStatementsOfThePolicy(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	sids := func() (sids []string) {
		out, err := w.GetTopicAttributes(ctx, &client.GetTopicAttributesInput{TopicArn: aws.String(webTopic)})
		if err != nil {
			t.Fatal(err)
		}
		var policy struct{ Statement []struct{ Sid string } }
		if err := json.Unmarshal([]byte(out.Attributes["Policy"]), &policy); err != nil {
			t.Fatal(err)
		}
		for _, s := range policy.Statement {
			sids = append(sids, s.Sid)
		}
		return sids
	}
	add := func(label, account, action string) error {
		_, err := w.AddPermission(ctx, &client.AddPermissionInput{
			TopicArn: aws.String(webTopic), Label: &label, AWSAccountId: []string{account},
			ActionName: []string{action},
		})
		return err
	}
	if err := add("mine", "000000000000", "Publish"); err != nil {
		t.Fatal(err)
	}
	if got := sids(); !slices.Equal(got, []string{"__default_statement_ID", "mine"}) {
		t.Errorf("statements %s", got)
	}
	wantCode(t, add("mine", "000000000000", "Publish"), "InvalidParameter", "Statement already exists")
	wantCode(t, add("odd", "000000000000", "Fly"), "InvalidParameter", "out of service scope")
	wantCode(t, add("others", "nobody", "Publish"), "InvalidParameter", "Invalid principal")
	if _, err := w.RemovePermission(ctx, &client.RemovePermissionInput{
		TopicArn: aws.String(webTopic), Label: aws.String("mine"),
	}); err != nil {
		t.Fatal(err)
	}
	if got := sids(); !slices.Equal(got, []string{"__default_statement_ID"}) {
		t.Errorf("statements %s", got)
	}
	set := func(policy string) error {
		_, err := w.SetTopicAttributes(ctx, &client.SetTopicAttributesInput{
			TopicArn: aws.String(webTopic), AttributeName: aws.String("Policy"), AttributeValue: &policy,
		})
		return err
	}
	wantCode(t, set(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sns:*","Resource":"`+webTopic+`"}}`),
		"InvalidParameter", "out of service scope")
	wantCode(t, set(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"*"}}`),
		"InvalidParameter", "single resource")
	if err := set(`{"Statement":{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"` +
		webTopic + `2"}}`); err != nil {
		t.Errorf("the resource of another topic: %v", err)
	}
	if err := set(`{ "Statement": {"Sid":"s","Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"` +
		webTopic + `"} }`); err != nil {
		t.Fatal(err)
	}
	out, err := w.GetTopicAttributes(ctx, &client.GetTopicAttributesInput{TopicArn: aws.String(webTopic)})
	if err != nil || !strings.HasPrefix(out.Attributes["Policy"], `{"Statement":{"Sid"`) {
		t.Errorf("policy %s, %v", out.Attributes["Policy"], err)
	}
	if err := add("mine", "000000000000", "Subscribe"); err != nil {
		t.Fatal(err)
	}
	if got := sids(); !slices.Equal(got, []string{"s", "mine"}) {
		t.Errorf("statements %s", got)
	}
}

func TestSubscriptionsReceiveWhatMatchesTheirFilter(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	arn := w.subscribed("me@example.com")
	set := func(name, value string) error {
		_, err := w.SetSubscriptionAttributes(ctx, &client.SetSubscriptionAttributesInput{
			SubscriptionArn: &arn, AttributeName: &name, AttributeValue: &value,
		})
		return err
	}
	attributes := func() map[string]string {
		out, err := w.GetSubscriptionAttributes(ctx, &client.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes
	}
	received := func(text, kind string) bool {
		before := len(store.Deliveries.List(w.rows.View()))
		if _, err := w.Publish(ctx, &client.PublishInput{
			TopicArn: aws.String(webTopic), Message: &text,
			MessageAttributes: map[string]types.MessageAttributeValue{
				"kind": {DataType: aws.String("String"), StringValue: &kind},
			},
		}); err != nil {
			t.Fatal(err)
		}
		return len(store.Deliveries.List(w.rows.View())) > before
	}
	if err := set("FilterPolicy", `{"kind":["order"]}`); err != nil {
		t.Fatal(err)
	}
	if !received("x", "order") || received("x", "refund") {
		t.Error("a filter of attributes is not honoured")
	}
	got := attributes()
	if got["FilterPolicy"] != `{"kind":["order"]}` || got["FilterPolicyScope"] != "MessageAttributes" {
		t.Errorf("attributes %v", got)
	}
	if err := set("FilterPolicyScope", "MessageBody"); err != nil {
		t.Fatal(err)
	}
	if !received(`{"kind":"order"}`, "refund") || received(`{"kind":"refund"}`, "order") {
		t.Error("a filter of the body is not honoured")
	}
	if err := set("FilterPolicy", `{"a":{"b":["c"]}}`); err != nil {
		t.Fatal(err)
	}
	wantCode(t, set("FilterPolicyScope", "MessageAttributes"), "InvalidParameter", "does not support nested")
	wantCode(t, set("FilterPolicyScope", "Random"), "InvalidParameter",
		"FilterPolicyScope: Invalid value [Random]. Please use either MessageBody or MessageAttributes")
	wantCode(t, set("FilterPolicy", `{"k":"v"}`), "InvalidParameter", `FilterPolicy: "k" must be an object or an array`)
	if err := set("FilterPolicy", ""); err != nil || !received("x", "refund") {
		t.Errorf("without a filter: %v", err)
	}
	_, err := w.Subscribe(ctx, &client.SubscribeInput{
		TopicArn: aws.String(webTopic), Protocol: aws.String("email"), Endpoint: aws.String("you@example.com"),
		Attributes: map[string]string{"FilterPolicy": `{"a":{"b":["c"]}}`, "FilterPolicyScope": "MessageBody"},
	})
	if err != nil {
		t.Errorf("a filter from the start: %v", err)
	}
}
