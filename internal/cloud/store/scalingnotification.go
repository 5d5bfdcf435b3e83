package store

import "aloft.dev/aloft/internal/cloud/identity"

// The keys are "region/group/topic". ScalingNotificationsByGroup finds a ScalingGroup.Key.
var (
	ScalingNotifications = newTable(
		"scaling_notifications",
		(*ScalingNotification).Key,
		(*ScalingNotification).region,
	)
	ScalingNotificationsByGroup = ScalingNotifications.indexBy(
		"group",
		func(r *ScalingNotification) string { return r.Region.Key(r.Group) },
	)
)

// ScalingNotification is a topic to which an Auto Scaling group reports its activities.
type ScalingNotification struct {
	Group  string
	Region identity.Region
	Topic  string   // ARN
	Types  []string // such as "autoscaling:EC2_INSTANCE_LAUNCH"
}

func (r *ScalingNotification) region() identity.Region { return r.Region }

// Key returns the row's key.
func (r *ScalingNotification) Key() string { return r.Region.Key(r.Group) + "/" + r.Topic }
