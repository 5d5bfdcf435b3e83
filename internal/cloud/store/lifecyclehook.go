package store

import "aloft.dev/aloft/internal/cloud/identity"

// The keys are "region/group/name". LifecycleHooksByGroup finds a ScalingGroup.Key.
var (
	LifecycleHooks = newTable(
		"lifecycle_hooks",
		func(r *LifecycleHook) string { return r.Region.Key(r.Group) + "/" + r.Name },
		(*LifecycleHook).region,
	)
	LifecycleHooksByGroup = LifecycleHooks.indexBy(
		"group",
		func(r *LifecycleHook) string { return r.Region.Key(r.Group) },
	)
)

// LifecycleHook makes instances wait before they enter or leave service, so that a
// user's program can act.
type LifecycleHook struct {
	Group, Name           string
	Region                identity.Region
	Transition            string // "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
	DefaultResult         string // "ABANDON", "CONTINUE"
	HeartbeatTimeout      int32  // seconds
	NotificationTargetARN string
	RoleARN, Metadata     string
}

func (r *LifecycleHook) region() identity.Region { return r.Region }
