package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// PutScalingPolicy creates or replaces a policy.
func (a *API) PutScalingPolicy(
	ctx context.Context, in *autoscaling.PutScalingPolicyInput,
) (*autoscaling.PutScalingPolicyOutput, error) {
	kind := cmp.Or(aws.ToString(in.PolicyType), capacity.Simple)
	if err := cmp.Or(checkPolicyName(in.PolicyName), checkPolicy(kind, in)); err != nil {
		return nil, err
	}
	row := newPolicy(wire.RegionFrom(ctx), kind, in)
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

// newPolicy returns the policy of a checked request.
func newPolicy(region identity.Region, kind string, in *autoscaling.PutScalingPolicyInput) *store.ScalingPolicy {
	row := &store.ScalingPolicy{
		Region:         region,
		Name:           *in.PolicyName,
		Type:           kind,
		AdjustmentType: aws.ToString(in.AdjustmentType),
		Adjustment:     aws.ToInt32(in.ScalingAdjustment),
		MinMagnitude:   minAdjustmentMagnitude(in),
		Cooldown:       in.Cooldown,
		Warmup:         in.EstimatedInstanceWarmup,
		Disabled:       !constraint.Default(in.Enabled, true),
	}
	if kind == capacity.Step {
		row.Aggregation = cmp.Or(aws.ToString(in.MetricAggregationType), "Average")
		for _, s := range in.StepAdjustments {
			row.Steps = append(row.Steps, store.StepAdjustment{
				Lower: s.MetricIntervalLowerBound, Upper: s.MetricIntervalUpperBound, Adjustment: *s.ScalingAdjustment,
			})
		}
	}
	return row
}

// putPolicy stores a policy, in place of the group's policy with the same name.
// It keeps that policy's alarms if the target tracking configuration is the
// same.
func (a *API) putPolicy(
	tx *store.Tx, g *store.ScalingGroup, row *store.ScalingPolicy, tracking *types.TargetTrackingConfiguration,
) error {
	if tracking != nil {
		if err := checkResourceLabel(tx, g, tracking); err != nil {
			return err
		}
		text, err := json.Marshal(tracking)
		if err != nil {
			return fmt.Errorf("encode the target tracking configuration: %w", err)
		}
		row.TargetTracking = string(text)
	}
	var old *store.ScalingPolicy
	policies := store.ScalingPoliciesByGroup.List(tx, g.Key())
	for _, p := range policies {
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
	case len(policies) >= maxPolicies:
		return wire.Errorf("LimitExceeded", "You have reached the limit of %d scaling policies for the "+
			"AutoScalingGroup %s", maxPolicies, g.Name)
	default:
		row.ARN = identity.ARN("autoscaling", g.Region, fmt.Sprintf(
			"scalingPolicy:%s:autoScalingGroupName/%s:policyName/%s", a.IDs.UUID(), g.Name, row.Name,
		))
	}
	if old == nil || old.TargetTracking != row.TargetTracking {
		capacity.ReplaceAlarms(tx, row, a.IDs, a.Now())
	}
	store.ScalingPolicies.Put(tx, row)
	return nil
}
