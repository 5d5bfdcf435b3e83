package store

// The keys are "region/group/name". LifecycleHooksByGroup finds a ScalingGroup.Key.
var (
	LifecycleHooks = newTable(
		"lifecycle_hooks",
		func(r *LifecycleHook) string { return r.Region + "/" + r.Group + "/" + r.Name },
		(*LifecycleHook).region,
	)
	LifecycleHooksByGroup = LifecycleHooks.indexBy(
		"group",
		func(r *LifecycleHook) string { return regional(r.Region, r.Group) },
	)
)

// LifecycleHook makes instances wait before they enter or leave service, so that a
// user's program can act.
type LifecycleHook struct {
	Region, Group, Name   string
	Transition            string // "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
	DefaultResult         string // "ABANDON", "CONTINUE"
	HeartbeatTimeout      int32  // seconds
	NotificationTargetARN string
	RoleARN, Metadata     string
}

func (r *LifecycleHook) region() string { return r.Region }
