package autoscaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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

// DescribePolicies returns the policies of one group or of all groups.
func (a *API) DescribePolicies(
	ctx context.Context, in *autoscaling.DescribePoliciesInput,
) (*autoscaling.DescribePoliciesOutput, error) {
	view, here := a.Store.Read(ctx), wire.RegionFrom(ctx)
	for _, t := range in.PolicyTypes {
		if !slices.Contains(policyTypes, t) {
			return nil, invalid("Invalid policy type %s. Valid types are [%s]", t, strings.Join(policyTypes, ", "))
		}
	}
	rows := store.ScalingPolicies.InRegion(view, here)
	if in.AutoScalingGroupName != nil {
		g, err := findGroup(view, here, in.AutoScalingGroupName)
		if err != nil {
			return nil, err
		}
		rows = store.ScalingPoliciesByGroup.List(view, g.Key())
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
		item, err := describePolicy(view, row)
		if err != nil {
			return nil, err
		}
		out.ScalingPolicies = append(out.ScalingPolicies, item)
	}
	return out, nil
}

func describePolicy(r store.Reader, p *store.ScalingPolicy) (types.ScalingPolicy, error) {
	out := types.ScalingPolicy{
		AutoScalingGroupName:    &p.Group,
		PolicyName:              &p.Name,
		PolicyARN:               &p.ARN,
		PolicyType:              &p.Type,
		Enabled:                 aws.Bool(!p.Disabled),
		Alarms:                  policyAlarms(r, p),
		StepAdjustments:         []types.StepAdjustment{},
		EstimatedInstanceWarmup: p.Warmup,
		Cooldown:                p.Cooldown,
		MinAdjustmentMagnitude:  p.MinMagnitude,
	}
	setNonEmpty(&out.AdjustmentType, p.AdjustmentType)
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
		if err := json.Unmarshal([]byte(p.TargetTracking), &out.TargetTrackingConfiguration); err != nil {
			return out, fmt.Errorf("read the target tracking configuration of policy %s: %w", p.Name, err)
		}
	}
	return out, nil
}

// policyAlarms returns the alarms that trigger a policy: those that Auto
// Scaling created for it, and users' alarms with the policy among their
// actions.
func policyAlarms(r store.Reader, p *store.ScalingPolicy) []types.Alarm {
	out := []types.Alarm{}
	for _, name := range p.Alarms {
		out = append(out, types.Alarm{AlarmName: aws.String(name), AlarmARN: aws.String(alarm.ARN(p.Region, name))})
	}
	if p.Type == capacity.Tracking {
		return out
	}
	for _, row := range store.Alarms.InRegion(r, p.Region) {
		if slices.Contains(slices.Concat(row.AlarmActions, row.OKActions, row.NoDataActions), p.ARN) {
			out = append(out, types.Alarm{AlarmName: &row.Name, AlarmARN: &row.ARN})
		}
	}
	return out
}
