package autoscaling

import (
	"aloft.dev/aloft/internal/cloud/store"
)

// Publisher reports whether Auto Scaling may publish to a topic with a role. nil: it may with
// every role.
type Publisher func(r store.Reader, role *store.Role, topic *store.Topic) bool

// may reports whether Auto Scaling may publish to the topic with an ARN, with the role with
// another.
func (p Publisher) may(r store.Reader, roleARN, topicARN string) bool {
	topic, exists := store.Topics.Get(r, topicARN)
	role, known := store.RoleAt(r, roleARN)
	return exists && known && role.Region() == topic.Region.Global() && (p == nil || p(r, role, topic))
}
