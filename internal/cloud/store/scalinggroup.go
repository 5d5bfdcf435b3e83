package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// ScalingGroups contains the Auto Scaling groups by ScalingGroup.Key.
var ScalingGroups = newTable("scaling_groups", (*ScalingGroup).Key, (*ScalingGroup).region)

// ScalingGroup is an Auto Scaling group. API handlers write the desired state. The
// scaling loop writes the observed state. Policies and scheduled actions write
// Desired too.
type ScalingGroup struct {
	ARN, Name              string
	Region                 identity.Region
	Template               TemplateRef // zero if Mixed is set
	Mixed                  string      // mixed instances policy in JSON, as the request contained it
	Configuration          string      // name of a launch configuration; the group has no template then
	Min, Max, Desired      int32
	DesiredType            string // "units", "vcpu" or "memory-mib"; "": units
	DefaultCooldown        int32  // seconds
	DefaultWarmup          *int32 // seconds; nil: not set
	SubnetIDs              []string
	Zones                  []string
	ByZones                bool // created with zones instead of subnets: SubnetIDs are their default subnets
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
	MinHealthy, MaxHealthy int32  // instance maintenance policy, in percent; -1: not set
	DeletionProtection     string // "none", "prevent-force-deletion", "prevent-all-deletion"
	ServiceLinkedRoleARN   string
	PlacementGroup         string // name; "": none
	Context                string
	Created                time.Time
	Tags                   []ScalingTag
	Deleting               bool      // terminate all instances, then delete the group
	GoneAt                 time.Time // a deleting group exists at least until then
	DetachedTargetGroups   []string  // ARNs; instances may still be registered with them
	CapacityCauses         []string  // sentences: why the desired capacity changed since the group last met it

	// Observed.
	LastScaling    time.Time // end of the last scaling activity: the cooldown of simple scaling starts here
	LaunchFailures []ZoneLaunchFailures
}

func (r *ScalingGroup) region() identity.Region { return r.Region }

// Key returns the row's key, "region/name".
func (r *ScalingGroup) Key() string { return r.Region.Key(r.Name) }

// ZoneLaunchFailures counts the launches that failed in a zone since the last success.
type ZoneLaunchFailures struct {
	Zone     string
	Failures int
	Until    time.Time // no launch before this time
}

// ScalingTag is a tag of an Auto Scaling group. If Propagate is set, launched
// instances get it too.
type ScalingTag struct {
	Key, Value string
	Propagate  bool
}

// SuspendedProcess is a suspended process of an Auto Scaling group.
type SuspendedProcess struct{ Name, Reason string }
