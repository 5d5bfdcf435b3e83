package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are instance ids. ScalingInstancesByGroup finds a ScalingGroup.Key.
var (
	ScalingInstances = newTable(
		"scaling_instances",
		func(r *ScalingInstance) string { return r.InstanceID },
		(*ScalingInstance).region,
	)
	ScalingInstancesByGroup = ScalingInstances.indexBy("group", (*ScalingInstance).GroupKey)
)

// Lifecycle states of instances (Amazon EC2 Auto Scaling User Guide, Amazon EC2
// Auto Scaling instance lifecycle).
const (
	LifecyclePending            = "Pending"
	LifecyclePendingWait        = "Pending:Wait"
	LifecyclePendingProceed     = "Pending:Proceed"
	LifecycleInService          = "InService"
	LifecycleTerminating        = "Terminating"
	LifecycleTerminatingWait    = "Terminating:Wait"
	LifecycleTerminatingProceed = "Terminating:Proceed"
	LifecycleTerminated         = "Terminated"
	LifecycleDetaching          = "Detaching"
	LifecycleDetached           = "Detached"
	LifecycleEnteringStandby    = "EnteringStandby"
	LifecycleStandby            = "Standby"

	LifecycleWarmedPending            = "Warmed:Pending"
	LifecycleWarmedPendingWait        = "Warmed:Pending:Wait"
	LifecycleWarmedPendingProceed     = "Warmed:Pending:Proceed"
	LifecycleWarmedStopped            = "Warmed:Stopped"
	LifecycleWarmedRunning            = "Warmed:Running"
	LifecycleWarmedTerminating        = "Warmed:Terminating"
	LifecycleWarmedTerminatingWait    = "Warmed:Terminating:Wait"
	LifecycleWarmedTerminatingProceed = "Warmed:Terminating:Proceed"
	LifecycleWarmedTerminated         = "Warmed:Terminated"
)

// ScalingInstance is an instance's membership in an Auto Scaling group. API handlers
// set State to Terminating, Detaching, EnteringStandby or Pending, and write
// Protected, Health and the results of Waits. The scaling loop makes all other
// transitions.
type ScalingInstance struct {
	InstanceID, Group        string // Group is a name
	Region                   identity.Region
	Zone, SubnetID           string
	Type, ImageID            string
	TemplateID, TemplateName string
	TemplateVersion          string // number, resolved at the launch
	Configuration            string // name of the launch configuration that it was launched from
	Launched                 time.Time
	Protected                bool   // from scale-in
	Attached                 bool   // attached by a user, not launched by the group
	Health                   string // "Healthy", "Unhealthy": result of SetInstanceHealth or of a health check
	HealthSetByUser          bool   // SetInstanceHealth set Health
	GraceUntil               time.Time
	State                    string // lifecycle state
	StateSince               time.Time
	InServiceSince           time.Time
	ActivityID               string // scaling activity of its current transition
	Weight                   int32  // units of capacity that it provides; 0: its group has no weights, so it is one
	// Registered contains the ARNs of the target groups that the instance was
	// registered with, or would have been if AddToLoadBalancer had not been
	// suspended.
	Registered []string

	// The replacement of the instance.
	ReplaceCause     string // cause for terminating it once its replacement is ready; "": it is not replaced
	ReplacementCause string // cause for launching its replacement, until the activity of that launch has it
	Surplus          bool   // a replacement beyond the desired capacity: an instance leaves once this one is ready

	Waits []HookWait // for the lifecycle hooks of its current transition

	// The warm pool.
	PoolState string // the state in which the pool keeps it: "Stopped", "Running"; "": it was never there
	FromPool  bool   // it was taken from the pool and has not entered service yet
	ToPool    bool   // it leaves service and returns to the pool
}

func (r *ScalingInstance) region() identity.Region { return r.Region }

// GroupKey returns the key of its Auto Scaling group.
func (r *ScalingInstance) GroupKey() string { return r.Region.Key(r.Group) }

// HookWait is a lifecycle action: an instance waits until a lifecycle hook's user
// completes the action or its deadline passes.
type HookWait struct {
	Hook, Token     string
	Deadline, Limit time.Time // a heartbeat extends Deadline, but not beyond Limit
	Default         string    // result if the deadline passes
	Result          string    // "CONTINUE", "ABANDON"; "": still waiting
}
