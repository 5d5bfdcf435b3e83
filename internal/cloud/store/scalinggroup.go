package store

import "time"

// Tables of this file.
var (
	ScalingGroups = newTable("scaling_groups", (*ScalingGroup).Key, (*ScalingGroup).region)
)

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

func (r *ScalingGroup) region() string { return r.Region }

// Key is the key of a group's row.
func (r *ScalingGroup) Key() string { return r.Region + "/" + r.Name }

// ZoneLaunchFailures is a zone in which a group's last launches failed.
type ZoneLaunchFailures struct {
	Zone     string
	Failures int
	Until    time.Time // no launch is tried there before
}

// ScalingTag is a tag of a group, and whether its instances get it too.
type ScalingTag struct {
	Key, Value string
	Propagate  bool
}

// SuspendedProcess is a process of a group that does not run, and why.
type SuspendedProcess struct{ Name, Reason string }
