package scalinggroup

import (
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Transitions for which a lifecycle hook can make an instance wait, and the results
// that end the wait.
const (
	Launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	Terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
	Continue    = "CONTINUE"
	Abandon     = "ABANDON"
)

// maxHookWait and maxHeartbeats limit an instance's wait for a hook (Amazon EC2 Auto
// Scaling API Reference, LifecycleHook, GlobalTimeout).
const (
	maxHookWait   = 48 * time.Hour
	maxHeartbeats = 100
)

// HookTimeoutLimit returns the longest time that an instance waits for a hook,
// however often a heartbeat is recorded.
func HookTimeoutLimit(h *store.LifecycleHook) time.Duration {
	return min(maxHookWait, maxHeartbeats*time.Duration(h.HeartbeatTimeout)*time.Second)
}

// HookDeadline returns when a wait for a hook ends that begins, or whose heartbeat is
// recorded, now.
func HookDeadline(h *store.LifecycleHook, now time.Time) time.Time {
	return now.Add(time.Duration(h.HeartbeatTimeout) * time.Second)
}
