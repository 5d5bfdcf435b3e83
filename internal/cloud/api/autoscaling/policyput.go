package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of policies (Amazon EC2 Auto Scaling User Guide, Quotas).
const (
	maxPolicies = 50
	maxSteps    = 20
)

var adjustmentTypes = []string{"ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"}

// PutScalingPolicy makes a policy or replaces it.
func (a *API) PutScalingPolicy(ctx context.Context, in *autoscaling.PutScalingPolicyInput) (*autoscaling.PutScalingPolicyOutput, error) {
	row := &store.ScalingPolicy{
		Region: region(ctx),
		Type:   cmp.Or(aws.ToString(in.PolicyType), capacity.Simple), AdjustmentType: aws.ToString(in.AdjustmentType),
		Adjustment:   aws.ToInt32(in.ScalingAdjustment),
		MinMagnitude: minAdjustmentMagnitude(in),
		Cooldown:     in.Cooldown, Warmup: in.EstimatedInstanceWarmup, Disabled: !constraint.Default(in.Enabled, true),
	}
	if err := cmp.Or(checkPolicyName(in.PolicyName), checkPolicy(row.Type, in)); err != nil {
		return nil, err
	}
	row.Name = *in.PolicyName
	if row.Type == capacity.Step {
		row.Aggregation = cmp.Or(aws.ToString(in.MetricAggregationType), "Average")
		for _, s := range in.StepAdjustments {
			row.Steps = append(row.Steps, store.StepAdjustment{
				Lower:      s.MetricIntervalLowerBound,
				Upper:      s.MetricIntervalUpperBound,
				Adjustment: *s.ScalingAdjustment,
			})
		}
	}
	out := &autoscaling.PutScalingPolicyOutput{}
	err := a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, row.Region, in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		row.Group = g.Name
		if err := a.putPolicy(tx, g, row, in.TargetTrackingConfiguration); err != nil {
			return err
		}
		out.PolicyARN, out.Alarms = &row.ARN, []types.Alarm{}
		if row.Type == capacity.Tracking {
			out.Alarms = policyAlarms(tx, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// putPolicy stores a checked policy, in place of the one with its name.
func (a *API) putPolicy(
	tx *store.Tx,
	g *store.ScalingGroup,
	row *store.ScalingPolicy,
	tracking *types.TargetTrackingConfiguration,
) error {
	if tracking != nil {
		if err := checkResourceLabel(tx, g, tracking); err != nil {
			return err
		}
		text, _ := json.Marshal(tracking) // the SDK's types have a JSON form
		row.TargetTracking = string(text)
	}
	var old *store.ScalingPolicy
	others := store.ScalingPolicies.By(tx, "group", g.Key())
	for _, p := range others {
		switch {
		case p.Name == row.Name:
			old = p
		case row.Type == capacity.Tracking && p.Type == capacity.Tracking && capacity.SameMetric(p, row):
			return invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
		}
	}
	switch {
	case old != nil:
		row.ARN, row.Alarms = old.ARN, old.Alarms
	case len(others) >= maxPolicies:
		return wire.Errorf(
			"LimitExceeded",
			"You have reached the limit of %d scaling policies for the AutoScalingGroup %s",
			maxPolicies,
			g.Name,
		)
	default:
		row.ARN = identity.ARN("autoscaling", g.Region, fmt.Sprintf(
			"scalingPolicy:%s:autoScalingGroupName/%s:policyName/%s", scalinggroup.UUID(), g.Name, row.Name,
		))
	}
	if old == nil || old.TargetTracking != row.TargetTracking {
		capacity.ReplaceAlarms(tx, row, identity.New(nil), a.Now())
	}
	store.ScalingPolicies.Put(tx, row)
	return nil
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

// minAdjustmentMagnitude is how much a percentage changes a group at least, under either of its
// names.
func minAdjustmentMagnitude(in *autoscaling.PutScalingPolicyInput) *int32 {
	return cmp.Or(in.MinAdjustmentMagnitude, in.MinAdjustmentStep) //nolint:staticcheck // the older name is in use
}

// givenParameters are those that some types of policies have and others have not.
func givenParameters(in *autoscaling.PutScalingPolicyInput) map[string]bool {
	return map[string]bool{
		"AdjustmentType": in.AdjustmentType != nil, "ScalingAdjustment": in.ScalingAdjustment != nil,
		"Cooldown":               in.Cooldown != nil,
		"MinAdjustmentMagnitude": minAdjustmentMagnitude(in) != nil, "StepAdjustments": len(in.StepAdjustments) > 0,
		"MetricAggregationType":       in.MetricAggregationType != nil,
		"EstimatedInstanceWarmup":     in.EstimatedInstanceWarmup != nil,
		"TargetTrackingConfiguration": in.TargetTrackingConfiguration != nil,
	}
}

// needs and may are the parameters that a type of policy has to have and can have
// (Amazon EC2 Auto Scaling API Reference, PutScalingPolicy).
var (
	requiredParameters = map[string][]string{
		capacity.Simple: {
			"AdjustmentType",
			"ScalingAdjustment",
		}, capacity.Step: {"AdjustmentType", "StepAdjustments"}, capacity.Tracking: {"TargetTrackingConfiguration"},
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
	for name, is := range given {
		if is && !slices.Contains(requiredParameters[kind], name) && !slices.Contains(optionalParameters[kind], name) {
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

func checkAdjustment(in *autoscaling.PutScalingPolicyInput) error {
	kind := *in.AdjustmentType
	least := minAdjustmentMagnitude(in)
	switch {
	case !slices.Contains(adjustmentTypes, kind):
		return invalid("Invalid adjustment type %s. Valid types are [%s]", kind, strings.Join(adjustmentTypes, ", "))
	case least != nil && kind != "PercentChangeInCapacity":
		return invalid("MinAdjustmentMagnitude is supported only for the adjustment type PercentChangeInCapacity")
	case least != nil && *least < 1:
		return invalid("MinAdjustmentMagnitude must be greater than 0")
	case kind == "ExactCapacity" && aws.ToInt32(in.ScalingAdjustment) < 0:
		return invalid("ScalingAdjustment must not be negative for the adjustment type ExactCapacity")
	case !slices.Contains([]string{"", "Minimum", "Maximum", "Average"}, aws.ToString(in.MetricAggregationType)):
		return invalid(
			"Invalid metric aggregation type %s. Valid types are [Minimum, Maximum, Average]",
			*in.MetricAggregationType,
		)
	}
	return checkSteps(kind, in.StepAdjustments)
}

// checkSteps holds steps to the rules of the guide (Step and simple scaling
// policies, Step adjustments).
func checkSteps(kind string, given []types.StepAdjustment) error {
	if len(given) > maxSteps {
		return invalid("A policy has at most %d step adjustments", maxSteps)
	}
	steps := slices.Clone(given)
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
			return invalid(
				"There must be a step adjustment with an unspecified lower bound when one step adjustment has a negative lower bound",
			)
		}
		if h := upperBound(steps[n-1]); h > 0 && !math.IsInf(h, 1) {
			return invalid(
				"There must be a step adjustment with an unspecified upper bound when one step adjustment has a positive upper bound",
			)
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
