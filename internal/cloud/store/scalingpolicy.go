package store

import "aloft.dev/aloft/internal/cloud/identity"

// The keys are ARNs. ScalingPoliciesByGroup finds a ScalingGroup.Key.
var (
	ScalingPolicies = newTable(
		"scaling_policies",
		func(r *ScalingPolicy) string { return r.ARN },
		(*ScalingPolicy).region,
	)
	ScalingPoliciesByGroup = ScalingPolicies.indexBy(
		"group",
		func(r *ScalingPolicy) string { return r.Region.Key(r.Group) },
	)
)

// ScalingPolicy changes an Auto Scaling group's desired capacity when an alarm
// changes its state or a user executes the policy.
type ScalingPolicy struct {
	ARN, Group, Name string
	Region           identity.Region
	Type             string // "SimpleScaling", "StepScaling", "TargetTrackingScaling"
	AdjustmentType   string
	Adjustment       int32 // simple scaling
	MinMagnitude     *int32
	Cooldown         *int32 // seconds
	Steps            []StepAdjustment
	Aggregation      string
	Warmup           *int32 // seconds
	Disabled         bool
	TargetTracking   string   // configuration in JSON, as the request contained it
	Alarms           []string // names of the alarms that a target tracking policy created
}

func (r *ScalingPolicy) region() identity.Region { return r.Region }

// StepAdjustment is a step of a step scaling policy. A nil bound is infinite.
type StepAdjustment struct {
	Lower, Upper *float64
	Adjustment   int32
}
