package autoscaling

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/wire"
)

// givenParameters reports which of the parameters that depend on the type of
// policy the request has.
func givenParameters(in *autoscaling.PutScalingPolicyInput) map[string]bool {
	return map[string]bool{
		"AdjustmentType":              in.AdjustmentType != nil,
		"ScalingAdjustment":           in.ScalingAdjustment != nil,
		"Cooldown":                    aws.ToInt32(in.Cooldown) != 0, // Terraform's provider updates all types with 0
		"MinAdjustmentMagnitude":      minAdjustmentMagnitude(in) != nil,
		"StepAdjustments":             len(in.StepAdjustments) > 0,
		"MetricAggregationType":       in.MetricAggregationType != nil,
		"EstimatedInstanceWarmup":     in.EstimatedInstanceWarmup != nil,
		"TargetTrackingConfiguration": in.TargetTrackingConfiguration != nil,
	}
}

// Parameters that a type of policy must have and may have (Amazon EC2 Auto Scaling
// API Reference, PutScalingPolicy).
var (
	requiredParameters = map[string][]string{
		capacity.Simple:   {"AdjustmentType", "ScalingAdjustment"},
		capacity.Step:     {"AdjustmentType", "StepAdjustments"},
		capacity.Tracking: {"TargetTrackingConfiguration"},
	}
	optionalParameters = map[string][]string{
		capacity.Simple:   {"Cooldown", "MinAdjustmentMagnitude"},
		capacity.Step:     {"MinAdjustmentMagnitude", "MetricAggregationType", "EstimatedInstanceWarmup"},
		capacity.Tracking: {"EstimatedInstanceWarmup"},
	}
)

func checkPolicy(kind string, in *autoscaling.PutScalingPolicyInput) error {
	switch {
	case kind == "PredictiveScaling" || in.PredictiveScalingConfiguration != nil:
		return wire.NotImplemented("policies of the type PredictiveScaling")
	case !slices.Contains(policyTypes, kind):
		return invalid("Invalid policy type %s. Valid types are [%s]", kind, strings.Join(policyTypes, ", "))
	}
	given := givenParameters(in)
	for _, name := range requiredParameters[kind] {
		if !given[name] {
			return invalid("%s is required for policies of type %s", name, kind)
		}
	}
	supported := slices.Concat(requiredParameters[kind], optionalParameters[kind])
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] && !slices.Contains(supported, name) {
			return invalid("%s is not supported for policies of type %s", name, kind)
		}
	}
	if err := cmp.Or(
		model.Between("cooldown", in.Cooldown, 0, math.MaxInt32),
		model.Between("estimatedInstanceWarmup", in.EstimatedInstanceWarmup, 0, math.MaxInt32),
	); err != nil {
		return err
	}
	if kind == capacity.Tracking {
		return checkTracking(in.TargetTrackingConfiguration)
	}
	return checkAdjustment(in)
}

func checkPolicyName(name *string) error {
	if err := checkName("policyName", name); err != nil {
		return err
	}
	if strings.Contains(*name, ":") {
		return invalid("Policy names must not contain a colon")
	}
	return nil
}
