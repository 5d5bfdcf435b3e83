package authorization

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var topicOperations = operations{
	"CreateTopic":               onNew("Name", newTopic),
	"DeleteTopic":               onNew("TopicArn", topicAt),
	"GetTopicAttributes":        onNew("TopicArn", topicAt),
	"SetTopicAttributes":        onNew("TopicArn", topicAt),
	"AddPermission":             onNew("TopicArn", topicAt),
	"RemovePermission":          onNew("TopicArn", topicAt),
	"Subscribe":                 {instead: subscribeNeeds},
	"ConfirmSubscription":       {instead: confirmNeeds},
	"ListSubscriptionsByTopic":  onNew("TopicArn", topicAt),
	"Publish":                   {resources: []resource{{fields: []string{"TopicArn", "TargetArn"}, find: topicAt}}},
	"PublishBatch":              {instead: publishNeeds},
	"TagResource":               onNew("ResourceArn", topicAt),
	"UntagResource":             onNew("ResourceArn", topicAt),
	"ListTagsForResource":       onNew("ResourceArn", topicAt),
	"Unsubscribe":               onNew("SubscriptionArn", topicOf),
	"GetSubscriptionAttributes": onNew("SubscriptionArn", topicOf),
	"SetSubscriptionAttributes": onNew("SubscriptionArn", topicOf),
	"ListTopics":                {},
	"ListSubscriptions":         {},

	"ListPlatformApplications":   {},
	"ListPhoneNumbersOptedOut":   {},
	"ListOriginationNumbers":     {},
	"ListSMSSandboxPhoneNumbers": {},
	"GetSMSSandboxAccountStatus": {},
}

func newTopic(s *subject, name string) []target {
	return topicAt(s, identity.ARN("sns", s.region, name))
}

func topicAt(s *subject, arn string) []target {
	t := target{arn: arn}
	if row, ok := store.Topics.Get(s, arn); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

// topicOf returns the topic of a subscription, whose ARN starts with the topic's.
func topicOf(s *subject, arn string) []target {
	if row, ok := store.Subscriptions.Get(s, arn); ok && row.Region == s.region && !isOf(s.region, arn) {
		return []target{{arn: arn}} // to a topic of another account
	}
	if i := strings.LastIndexByte(arn, ':'); i > 0 {
		arn = arn[:i]
	}
	return topicAt(s, arn)
}

func isOf(region identity.Region, arn string) bool { return identity.RegionOfARN(arn) == region }

// confirmNeeds returns the permission to confirm a subscription. To a topic of another account, the token is the
// permission.
func confirmNeeds(s *subject) []need {
	if !isOf(s.region, s.value("TopicArn")) {
		return []need{{action: actionOf(s.call), resource: "*"}}
	}
	return topicNeeds(s, actionOf(s.call), nil)
}

// subscribeNeeds returns the permission to subscribe, which policies limit by protocol and
// endpoint.
func subscribeNeeds(s *subject) []need {
	return topicNeeds(s, actionOf(s.call), map[string][]string{
		"sns:Protocol": s.values("Protocol"), "sns:Endpoint": s.values("Endpoint"),
	})
}

// publishNeeds returns the permission to publish: batches have no action of their own.
func publishNeeds(s *subject) []need { return topicNeeds(s, "sns:Publish", nil) }

func topicNeeds(s *subject, action string, keys map[string][]string) (needs []need) {
	for _, arn := range s.values("TopicArn") {
		for _, t := range topicAt(s, arn) {
			t.keys = keys
			needs = append(needs, s.needOf(action, t))
		}
	}
	return needs
}
