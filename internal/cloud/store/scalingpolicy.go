package store

// Tables of this file.
var (
	ScalingPolicies        = newTable("scaling_policies", func(r *ScalingPolicy) string { return r.ARN }, (*ScalingPolicy).region)
	ScalingPoliciesByGroup = ScalingPolicies.indexBy("group", func(r *ScalingPolicy) string { return regional(r.Region, r.Group) })
)

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
