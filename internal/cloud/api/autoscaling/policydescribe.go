package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
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

// DescribePolicies describes the policies of a group, or of all.
func (a *API) DescribePolicies(ctx context.Context, in *autoscaling.DescribePoliciesInput) (*autoscaling.DescribePoliciesOutput, error) {
	view, here := a.Store.View(), wire.RegionFrom(ctx)
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
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 100}, rows, key)
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
