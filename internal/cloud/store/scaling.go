package store

import (
	"fmt"
	"time"
)

// LaunchTemplate is a named row of versions of what an instance is launched
// with.
type LaunchTemplate struct {
	ID, Region, Name string
	Default, Latest  int64 // version numbers
	HighestNumber    int64 // the highest number that a version ever had
	CreatedBy        string
	Created          time.Time
	Tags             Tags
}

func (r *LaunchTemplate) region() string { return r.Region }

// LaunchTemplateVersion is one version of a launch template. It never changes.
type LaunchTemplateVersion struct {
	TemplateID, Region string
	Number             int64
	Description        string
	Data               string // the template's data as it was sent, as JSON
	CreatedBy          string
	Created            time.Time
}

func (r *LaunchTemplateVersion) region() string { return r.Region }

// TemplateVersionKey is the key of the row of a launch template's version.
func TemplateVersionKey(templateID string, number int64) string {
	return fmt.Sprintf("%s/%08d", templateID, number)
}

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

// TemplateRef names a version of a launch template as a user gave it.
type TemplateRef struct {
	ID, Name string
	Version  string // "$Latest", "$Default", a number or "": the default
}

// ScalingGroup is an Auto Scaling group. API handlers write what is wanted; the
// scaling loop writes what is below "observed", and Desired when a policy or a
// schedule says so.
type ScalingGroup struct {
	ARN, Region, Name      string
	Template               TemplateRef // zero when Mixed is set
	Mixed                  string      // the mixed instances policy as it was sent, as JSON
	Min, Max, Desired      int32
	DesiredType            string // "units"
	DefaultCooldown        int32  // seconds
	DefaultWarmup          *int32 // seconds; nil: not set
	SubnetIDs              []string
	Zones                  []string
	ByZones                bool // made with zones, not subnets: the subnets are their default ones
	TargetGroupARNs        []string
	HealthCheckType        string // "EC2", "ELB"
	HealthCheckGrace       int32  // seconds
	TerminationPolicies    []string
	ProtectNewInstances    bool
	CapacityRebalance      bool
	MaxInstanceLifetime    int32 // seconds; 0: none
	Suspended              []SuspendedProcess
	Metrics                []string // enabled group metrics
	Distribution           string   // "balanced-best-effort", "balanced-only"
	ZonalShift             bool
	ImpairedHealthCheck    string // "ReplaceUnhealthy", "IgnoreUnhealthy"; "": not set
	MinHealthy, MaxHealthy int32  // instance maintenance policy, per cent; -1: not set
	DeletionProtection     string // "none", "prevent-force-deletion", "prevent-all-deletion"
	ServiceLinkedRoleARN   string
	Context                string
	Created                time.Time
	Tags                   []ScalingTag
	Deleting               bool     // everything in it is to go, then the group
	DetachedTargetGroups   []string // ARNs: detached, and its instances may still be registered there
	CapacityCauses         []string // sentences: what changed the desired capacity since it was last met

	// Observed.
	LastScaling    time.Time // end of the last scaling activity: simple scaling cools down from here
	LaunchFailures []ZoneLaunchFailures
}

// ZoneLaunchFailures is a zone in which a group's last launches failed.
type ZoneLaunchFailures struct {
	Zone     string
	Failures int
	Until    time.Time // no launch is tried there before
}

func (r *ScalingGroup) region() string { return r.Region }

// Key is the key of a group's row.
func (r *ScalingGroup) Key() string { return r.Region + "/" + r.Name }

// ScalingTag is a tag of a group, and whether its instances get it too.
type ScalingTag struct {
	Key, Value string
	Propagate  bool
}

// SuspendedProcess is a process of a group that does not run, and why.
type SuspendedProcess struct{ Name, Reason string }

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

// HookWait is a lifecycle action: an instance waits for what a hook's user does.
type HookWait struct {
	Hook, Token     string
	Deadline, Limit time.Time // Deadline: of the next heartbeat; Limit: beyond which no heartbeat carries it
	Default         string    // result when the deadline passes
	Result          string    // "": it waits, "CONTINUE", "ABANDON"
}

func (r *ScalingInstance) region() string { return r.Region }

// GroupKey is the key of the row of the instance's group.
func (r *ScalingInstance) GroupKey() string { return r.Region + "/" + r.Group }

// LifecycleHook lets someone act before an instance enters or leaves service.
type LifecycleHook struct {
	Region, Group, Name   string
	Transition            string // "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
	DefaultResult         string // "ABANDON", "CONTINUE"
	HeartbeatTimeout      int32  // seconds
	NotificationTargetARN string
	RoleARN, Metadata     string
}

func (r *LifecycleHook) region() string { return r.Region }

// ScalingActivity is one thing that Auto Scaling did, with AWS's wording.
type ScalingActivity struct {
	ID, Region, Group string
	GroupARN          string
	InstanceID        string // "" in a launch that has not got its instance yet
	Zone, SubnetID    string
	Surplus           bool // of a launch: see ScalingInstance
	Cause             string
	Description       string
	Details           string // JSON
	Status            string // "InProgress", "Successful", "Failed", "Cancelled", "WaitingForELBConnectionDraining", …
	StatusMessage     string
	Progress          int32
	Started           time.Time
	Ended             time.Time // zero: it is going on
}

func (r *ScalingActivity) region() string { return r.Region }

// GroupKey is the key of the row of the activity's group.
func (r *ScalingActivity) GroupKey() string { return r.Region + "/" + r.Group }

// open files the activities that go on under their group.
func (r *ScalingActivity) open() []string {
	if !r.Ended.IsZero() {
		return nil
	}
	return []string{r.GroupKey()}
}

// ScalingPolicy says when and how the desired capacity of a group changes.
type ScalingPolicy struct {
	ARN, Region, Group, Name string
	Type                     string // "SimpleScaling", "StepScaling", "TargetTrackingScaling"
	AdjustmentType           string
	Adjustment               int32 // simple scaling
	MinMagnitude             *int32
	Cooldown                 *int32 // seconds
	Steps                    []StepAdjustment
	Aggregation              string
	Warmup                   *int32 // seconds
	Disabled                 bool
	TargetTracking           string   // the configuration as it was sent, as JSON
	Alarms                   []string // names of those that a target tracking policy made
}

func (r *ScalingPolicy) region() string { return r.Region }

// StepAdjustment is one step of a step scaling policy; nil bounds are infinite.
type StepAdjustment struct {
	Lower, Upper *float64
	Adjustment   int32
}

// ScheduledAction sets a group's sizes at a time, once or again and again.
type ScheduledAction struct {
	ARN, Region, Group, Name string
	Start, End               time.Time
	Recurrence               string // cron, in TimeZone
	TimeZone                 string
	Min, Max, Desired        *int32
	Next                     time.Time // observed: when it is due
}

func (r *ScheduledAction) region() string { return r.Region }

// Statuses of an instance refresh (Amazon EC2 Auto Scaling API Reference,
// InstanceRefresh).
const (
	RefreshPending            = "Pending"
	RefreshInProgress         = "InProgress"
	RefreshBaking             = "Baking"
	RefreshCancelling         = "Cancelling"
	RefreshCancelled          = "Cancelled"
	RefreshSuccessful         = "Successful"
	RefreshFailed             = "Failed"
	RefreshRollbackInProgress = "RollbackInProgress"
	RefreshRollbackSuccessful = "RollbackSuccessful"
	RefreshRollbackFailed     = "RollbackFailed"
)

// InstanceRefresh replaces the instances of a group, some at a time. API
// handlers write Status when they make it and when a user cancels it or rolls it
// back; the scaling loop moves it on.
type InstanceRefresh struct {
	ID, Region, Group string
	Strategy          string      // "Rolling"
	Preferences       string      // JSON, with the defaults that hold when it begins
	Template          TemplateRef // of the desired configuration; zero: the group's own configuration
	Mixed             string      // the desired configuration's mixed instances policy, as JSON, in place of Template
	Abrupt            bool        // cancelled without waiting for launches and terminations under way
	Created           time.Time

	// Observed.
	Status            string
	StatusReason      string
	Started, Ended    time.Time
	Percent           int32
	Remaining         int32     // instances that it has yet to update
	Unfinished        int32     // instances that it, or its rollback, has yet to be done with
	LastProgress      time.Time // when Left became less, or a pause ended
	PausedUntil       time.Time // end of a checkpoint's delay or of the bake time
	CheckpointsPassed int32

	// Of its rollback, when it began.
	RollbackReason      string
	RollbackStarted     time.Time
	PercentAtRollback   int32
	RemainingAtRollback int32
}

// GroupKey is the key of the row of the refresh's group.
func (r *InstanceRefresh) GroupKey() string { return r.Region + "/" + r.Group }

// Active tells whether it has not come to its end.
func (r *InstanceRefresh) Active() bool {
	switch r.Status {
	case RefreshPending, RefreshInProgress, RefreshBaking, RefreshCancelling, RefreshRollbackInProgress:
		return true
	}
	return false
}

// active files the refreshes that have not come to their end under their group.
func (r *InstanceRefresh) active() []string {
	if !r.Active() {
		return nil
	}
	return []string{r.GroupKey()}
}

func (r *InstanceRefresh) region() string { return r.Region }

// Alarm is a CloudWatch alarm on one metric or on a metric math expression.
type Alarm struct {
	ARN, Region, Name            string
	Description                  string
	ActionsDisabled              bool
	OKActions, AlarmActions      []string // ARNs
	NoDataActions                []string // for INSUFFICIENT_DATA
	Namespace, Metric            string
	Statistic, ExtendedStatistic string
	Dimensions                   []MetricDimension
	Period                       int32 // seconds
	EvaluationPeriods            int32
	DatapointsToAlarm            int32 // 0: as many as EvaluationPeriods
	Threshold                    float64
	Comparison                   string
	TreatMissing                 string
	EvaluateLowSample            string
	Unit                         string
	Queries                      string // metric data queries as they were sent, as JSON; in place of the metric
	ThresholdMetricID            string
	Tags                         Tags
	Configured                   time.Time

	// Observed.
	State           string // "OK", "ALARM", "INSUFFICIENT_DATA"
	StateReason     string
	StateReasonData string
	StateUpdated    time.Time
	StateChanged    time.Time
	ActionsRan      time.Time // when its actions ran last; before StateChanged: they have yet to
}

func (r *Alarm) region() string { return r.Region }

// MetricDimension is a part of a metric's identity.
type MetricDimension struct{ Name, Value string }

// AlarmHistory is one item of an alarm's history.
type AlarmHistory struct {
	ID, Region, Alarm string
	At                time.Time
	Type              string // "ConfigurationUpdate", "StateUpdate", "Action"
	Summary, Data     string
}

func (r *AlarmHistory) region() string { return r.Region }
