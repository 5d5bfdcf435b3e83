package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// policyTypes are the types of policies that AWS has.
var policyTypes = []string{capacity.Simple, capacity.Step, capacity.Tracking, "PredictiveScaling"}

// findPolicy finds the policy of an ARN, or that of the group with the name.
func findPolicy(r store.Reader, region string, groupName, name *string) (*store.ScalingPolicy, error) {
	if err := model.Required("policyName", name != nil); err != nil {
		return nil, err
	}
	if strings.HasPrefix(*name, "arn:") {
		if row, ok := store.ScalingPolicies.Get(r, *name); ok && row.Region == region &&
			(groupName == nil || *groupName == row.Group) {
			return row, nil
		}
		return nil, invalid("ScalingPolicy name not found - ScalingPolicy %s not found", *name)
	}
	g, err := findGroup(r, region, groupName)
	if err != nil {
		return nil, err
	}
	for _, row := range store.ScalingPolicies.By(r, "group", g.Key()) {
		if row.Name == *name {
			return row, nil
		}
	}
	return nil, invalid(
		"ScalingPolicy name not found - ScalingPolicy %s not found in AutoScalingGroup %s", *name, g.Name,
	)
}

// DescribePolicies describes the policies of a group, or of all.
func (a *API) DescribePolicies(ctx context.Context, in *autoscaling.DescribePoliciesInput) (*autoscaling.DescribePoliciesOutput, error) {
	view, here := a.Store.View(), region(ctx)
	for _, t := range in.PolicyTypes {
		if !slices.Contains(policyTypes, t) {
			return nil, invalid("Invalid policy type %s. Valid types are [%s]", t, strings.Join(policyTypes, ", "))
		}
	}
	rows := store.ScalingPolicies.By(view, "region", here)
	if in.AutoScalingGroupName != nil {
		g, err := findGroup(view, here, in.AutoScalingGroupName)
		if err != nil {
			return nil, err
		}
		rows = store.ScalingPolicies.By(view, "group", g.Key())
	}
	rows = slices.DeleteFunc(rows, func(p *store.ScalingPolicy) bool {
		return len(in.PolicyTypes) > 0 && !slices.Contains(in.PolicyTypes, p.Type) ||
			len(in.PolicyNames) > 0 && !slices.Contains(in.PolicyNames, p.Name) &&
				!slices.Contains(in.PolicyNames, p.ARN)
	})
	key := func(p *store.ScalingPolicy) string { return p.Group + "\x00" + p.Name }
	slices.SortFunc(rows, func(x, y *store.ScalingPolicy) int { return cmp.Compare(key(x), key(y)) })
	rows, next, err := paginate(pageRequest{max: in.MaxRecords, token: in.NextToken, standard: 50, most: 100}, rows, key)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribePoliciesOutput{ScalingPolicies: []types.ScalingPolicy{}, NextToken: next}
	for _, row := range rows {
		out.ScalingPolicies = append(out.ScalingPolicies, describePolicy(view, row))
	}
	return out, nil
}

// describePolicy is a policy as it is described.
func describePolicy(r store.Reader, p *store.ScalingPolicy) types.ScalingPolicy {
	out := types.ScalingPolicy{
		AutoScalingGroupName: &p.Group, PolicyName: &p.Name, PolicyARN: &p.ARN, PolicyType: &p.Type,
		Enabled: aws.Bool(!p.Disabled),
		Alarms: policyAlarms(
			r,
			p,
		), StepAdjustments: []types.StepAdjustment{}, EstimatedInstanceWarmup: p.Warmup, Cooldown: p.Cooldown,
		MinAdjustmentMagnitude: p.MinMagnitude,
	}
	if p.AdjustmentType != "" {
		out.AdjustmentType = &p.AdjustmentType
	}
	switch p.Type {
	case capacity.Simple:
		out.ScalingAdjustment = &p.Adjustment
	case capacity.Step:
		out.MetricAggregationType = &p.Aggregation
		for i := range p.Steps {
			s := &p.Steps[i]
			out.StepAdjustments = append(out.StepAdjustments, types.StepAdjustment{
				MetricIntervalLowerBound: s.Lower,
				MetricIntervalUpperBound: s.Upper,
				ScalingAdjustment:        &s.Adjustment,
			})
		}
	case capacity.Tracking:
		_ = json.Unmarshal([]byte(p.TargetTracking), &out.TargetTrackingConfiguration) // written by PutScalingPolicy
	}
	return out
}

// policyAlarms are the alarms that carry a policy out: its own, or those of users.
func policyAlarms(r store.Reader, p *store.ScalingPolicy) []types.Alarm {
	out := []types.Alarm{}
	for _, name := range p.Alarms {
		out = append(out, types.Alarm{AlarmName: aws.String(name), AlarmARN: aws.String(alarm.ARN(p.Region, name))})
	}
	if p.Type == capacity.Tracking {
		return out
	}
	for _, row := range store.Alarms.By(r, "region", p.Region) {
		if slices.Contains(slices.Concat(row.AlarmActions, row.OKActions, row.NoDataActions), p.ARN) {
			out = append(out, types.Alarm{AlarmName: &row.Name, AlarmARN: &row.ARN})
		}
	}
	return out
}

// DeletePolicy deletes a policy, and the alarms of one that tracks a target.
func (a *API) DeletePolicy(ctx context.Context, in *autoscaling.DeletePolicyInput) (*autoscaling.DeletePolicyOutput, error) {
	return &autoscaling.DeletePolicyOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findPolicy(tx, region(ctx), in.AutoScalingGroupName, in.PolicyName)
		if err != nil {
			return err
		}
		capacity.RemovePolicy(tx, row, a.Now())
		return nil
	})
}

// ExecutePolicy carries a simple or step scaling policy out.
func (a *API) ExecutePolicy(ctx context.Context, in *autoscaling.ExecutePolicyInput) (*autoscaling.ExecutePolicyOutput, error) {
	return &autoscaling.ExecutePolicyOutput{}, a.Store.Update(func(tx *store.Tx) error {
		here := region(ctx)
		row, err := findPolicy(tx, here, in.AutoScalingGroupName, in.PolicyName)
		if err != nil {
			return err
		}
		if err := checkExecutable(row, in); err != nil {
			return err
		}
		g, err := findActiveGroup(tx, here, &row.Group)
		if err != nil {
			return err
		}
		err = capacity.ExecuteForUser(
			tx,
			g,
			row,
			aws.ToFloat64(in.MetricValue)-aws.ToFloat64(in.BreachThreshold),
			aws.ToBool(in.HonorCooldown),
			a.Now(),
		)
		if blocked, ok := errors.AsType[*capacity.CooldownError](err); ok {
			return cooldownRefusal(g, blocked)
		}
		if errors.Is(err, capacity.ErrNoStep) {
			return invalid(
				"No step adjustment found for metric value %v and breach threshold %v",
				*in.MetricValue,
				*in.BreachThreshold,
			)
		}
		return err
	})
}

// cooldownRefusal tells that a group is not ready for what was asked.
func cooldownRefusal(g *store.ScalingGroup, blocked *capacity.CooldownError) error {
	if blocked.Activity != "" {
		return wire.Errorf("ScalingActivityInProgress", "%s", blocked.Error())
	}
	return wire.Errorf(
		"ScalingActivityInProgress", "The cooldown period of AutoScalingGroup %s has not expired", g.Name,
	)
}

func checkExecutable(p *store.ScalingPolicy, in *autoscaling.ExecutePolicyInput) error {
	switch {
	case p.Type == capacity.Tracking:
		return invalid("Policies of type %s cannot be executed", p.Type)
	case p.Disabled:
		return invalid("The policy %s is disabled", p.Name)
	case p.Type == capacity.Step && (in.MetricValue == nil || in.BreachThreshold == nil):
		return invalid("MetricValue and BreachThreshold are required for policies of type %s", p.Type)
	case p.Type == capacity.Step && in.HonorCooldown != nil:
		return invalid("HonorCooldown is not supported for policies of type %s", p.Type)
	case p.Type == capacity.Simple && (in.MetricValue != nil || in.BreachThreshold != nil):
		return invalid("MetricValue and BreachThreshold are not supported for policies of type %s", p.Type)
	}
	return nil
}
