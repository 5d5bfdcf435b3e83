package store

import "time"

// Tables of this file.
var (
	ScalingInstances        = newTable("scaling_instances", func(r *ScalingInstance) string { return r.InstanceID }, (*ScalingInstance).region)
	ScalingInstancesByGroup = ScalingInstances.indexBy("group", (*ScalingInstance).GroupKey)
)

// Lifecycle states of instances in a group (Amazon EC2 Auto Scaling User Guide,
// Amazon EC2 Auto Scaling instance lifecycle).
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
)

// ScalingInstance is an instance's place in an Auto Scaling group. API handlers
// move it to Terminating, Detaching, EnteringStandby or Pending, and write
// Protected, Health and HookResult; the scaling loop moves it on.
type ScalingInstance struct {
	InstanceID, Region, Group string // Group: its name
	Zone, SubnetID            string
	Type, ImageID             string
	TemplateID, TemplateName  string
	TemplateVersion           string // number, resolved when it was launched
	Launched                  time.Time
	Protected                 bool   // from scale-in
	Attached                  bool   // by a user, not launched by the group
	Health                    string // "Healthy", "Unhealthy"; what SetInstanceHealth or a check said
	HealthSetByUser           bool   // Health is a user's word
	GraceUntil                time.Time
	State                     string // lifecycle state
	StateSince                time.Time
	InServiceSince            time.Time
	ActivityID                string   // the activity that moves it now
	Registered                []string // ARNs of target groups that it was registered with, or was to be while AddToLoadBalancer was suspended

	// Of its replacement.
	ReplaceCause     string // why it goes once another has been launched and is ready, as activities say it; "": it stays
	ReplacementCause string // why another takes its place, until the activity of that launch says it
	Surplus          bool   // launched beyond the desired capacity, for one that goes once this one is ready

	Waits []HookWait // for the lifecycle hooks of the transition that it is in
}

func (r *ScalingInstance) region() string { return r.Region }

// GroupKey is the key of the row of the instance's group.
func (r *ScalingInstance) GroupKey() string { return r.Region + "/" + r.Group }

// HookWait is a lifecycle action: an instance waits for what a hook's user does.
type HookWait struct {
	Hook, Token     string
	Deadline, Limit time.Time // Deadline: of the next heartbeat; Limit: beyond which no heartbeat carries it
	Default         string    // result when the deadline passes
	Result          string    // "": it waits, "CONTINUE", "ABANDON"
}
