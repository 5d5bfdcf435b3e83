package autoscaling

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
)

var adjustmentTypes = []string{"ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"}

// DescribeAdjustmentTypes lists the ways in which a policy can change the
// desired capacity.
func (a *API) DescribeAdjustmentTypes(
	context.Context, *autoscaling.DescribeAdjustmentTypesInput,
) (*autoscaling.DescribeAdjustmentTypesOutput, error) {
	out := &autoscaling.DescribeAdjustmentTypesOutput{}
	for _, name := range adjustmentTypes {
		out.AdjustmentTypes = append(out.AdjustmentTypes, types.AdjustmentType{AdjustmentType: &name})
	}
	return out, nil
}

// minAdjustmentMagnitude returns the smallest change that a percentage makes,
// in instances. The parameter has an older name, too.
func minAdjustmentMagnitude(in *autoscaling.PutScalingPolicyInput) *int32 {
	return cmp.Or(in.MinAdjustmentMagnitude, in.MinAdjustmentStep) //nolint:staticcheck // the older name is in use
}

func checkAdjustment(in *autoscaling.PutScalingPolicyInput) error {
	kind := *in.AdjustmentType
	magnitude := minAdjustmentMagnitude(in)
	switch {
	case !slices.Contains(adjustmentTypes, kind):
		return invalid("Invalid adjustment type %s. Valid types are [%s]", kind, strings.Join(adjustmentTypes, ", "))
	case magnitude != nil && kind != "PercentChangeInCapacity":
		return invalid("MinAdjustmentMagnitude is supported only for the adjustment type PercentChangeInCapacity")
	case magnitude != nil && *magnitude < 1:
		return invalid("MinAdjustmentMagnitude must be greater than 0")
	case kind == "ExactCapacity" && aws.ToInt32(in.ScalingAdjustment) < 0:
		return invalid("ScalingAdjustment must not be negative for the adjustment type ExactCapacity")
	case !slices.Contains([]string{"", "Minimum", "Maximum", "Average"}, aws.ToString(in.MetricAggregationType)):
		return invalid("Invalid metric aggregation type %s. Valid types are [Minimum, Maximum, Average]",
			*in.MetricAggregationType)
	}
	return checkSteps(kind, in.StepAdjustments)
}

// checkSteps checks that step adjustments neither overlap nor leave gaps (Amazon
// EC2 Auto Scaling User Guide, Step and simple scaling policies, Step adjustments).
func checkSteps(kind string, given []types.StepAdjustment) error {
	if len(given) > maxSteps {
		return invalid("A policy has at most %d step adjustments", maxSteps)
	}
	steps := slices.Clone(given) // sorted by lower bound
	slices.SortFunc(steps, func(x, y types.StepAdjustment) int { return cmp.Compare(lowerBound(x), lowerBound(y)) })
	for i, s := range steps {
		if err := checkStep(kind, s); err != nil {
			return err
		}
		switch {
		case i > 0 && lowerBound(s) < upperBound(steps[i-1]):
			return invalid("StepAdjustment intervals can't overlap")
		case i > 0 && lowerBound(s) > upperBound(steps[i-1]):
			return invalid("StepAdjustment intervals can't have gaps between them")
		}
	}
	if n := len(steps); n > 0 {
		if l := lowerBound(steps[0]); l < 0 && !math.IsInf(l, -1) {
			return invalid("There must be a step adjustment with an unspecified lower bound when one step adjustment " +
				"has a negative lower bound")
		}
		if h := upperBound(steps[n-1]); h > 0 && !math.IsInf(h, 1) {
			return invalid("There must be a step adjustment with an unspecified upper bound when one step adjustment " +
				"has a positive upper bound")
		}
	}
	return nil
}

func lowerBound(s types.StepAdjustment) float64 {
	return constraint.Default(s.MetricIntervalLowerBound, math.Inf(-1))
}

func upperBound(s types.StepAdjustment) float64 {
	return constraint.Default(s.MetricIntervalUpperBound, math.Inf(1))
}

func checkStep(kind string, s types.StepAdjustment) error {
	switch {
	case s.ScalingAdjustment == nil:
		return model.Required("scalingAdjustment", s.ScalingAdjustment != nil)
	case kind == "ExactCapacity" && *s.ScalingAdjustment < 0:
		return invalid("ScalingAdjustment must not be negative for the adjustment type ExactCapacity")
	case s.MetricIntervalLowerBound == nil && s.MetricIntervalUpperBound == nil:
		return invalid("A step adjustment must have at least one of a lower bound and an upper bound")
	case lowerBound(s) >= upperBound(s):
		return invalid("The lower bound of a step adjustment must be less than its upper bound")
	}
	return nil
}
