package autoscaling

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeAutoScalingGroups tells of groups, by name and by their tags. A name
// of none is no error.
func (a *API) DescribeAutoScalingGroups(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	view := a.Store.View()
	for _, f := range in.Filters {
		if name := aws.ToString(f.Name); name != "tag-key" && name != "tag-value" && !strings.HasPrefix(name, "tag:") {
			return nil, invalid(
				"Filter type %s is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>",
				name,
			)
		}
	}
	var rows []*store.ScalingGroup
	for _, g := range store.ScalingGroups.By(view, "region", wire.RegionFrom(ctx)) {
		if (len(in.AutoScalingGroupNames) == 0 || slices.Contains(in.AutoScalingGroupNames, g.Name)) &&
			matchesTagFilters(g, in.Filters) {
			rows = append(rows, g)
		}
	}
	rows, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 100}, rows, (*store.ScalingGroup).Key)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{}, NextToken: next}
	for _, g := range rows {
		item, err := describeGroup(view, g, constraint.Default(in.IncludeInstances, true))
		if err != nil {
			return nil, err
		}
		out.AutoScalingGroups = append(out.AutoScalingGroups, item)
	}
	return out, nil
}

// matchesTagFilters tells whether the group meets all filters, each by one of its tags.
func matchesTagFilters(g *store.ScalingGroup, filters []types.Filter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(g.Tags, func(t store.ScalingTag) bool {
			switch name := aws.ToString(f.Name); name {
			case "tag-key":
				return slices.Contains(f.Values, t.Key)
			case "tag-value":
				return slices.Contains(f.Values, t.Value)
			default:
				return name == "tag:"+t.Key && slices.Contains(f.Values, t.Value)
			}
		}) {
			return false
		}
	}
	return true
}

func describeGroup(r store.Reader, g *store.ScalingGroup, instances bool) (types.AutoScalingGroup, error) {
	out := types.AutoScalingGroup{
		AutoScalingGroupARN:  aws.String(g.ARN),
		AutoScalingGroupName: aws.String(g.Name), MinSize: aws.Int32(g.Min), MaxSize: aws.Int32(g.Max),
		DesiredCapacity:       aws.Int32(g.Desired),
		DefaultCooldown:       aws.Int32(g.DefaultCooldown),
		DefaultInstanceWarmup: g.DefaultWarmup, AvailabilityZones: g.Zones, AvailabilityZoneIds: zoneIDs(r, g),
		LoadBalancerNames: []string{},
		TargetGroupARNs:   nonNil(g.TargetGroupARNs),
		HealthCheckType:   aws.String(g.HealthCheckType), HealthCheckGracePeriod: aws.Int32(g.HealthCheckGrace),
		Instances:          []types.Instance{},
		CreatedTime:        aws.Time(g.Created),
		SuspendedProcesses: []types.SuspendedProcess{}, EnabledMetrics: []types.EnabledMetric{},
		Tags:                []types.TagDescription{},
		TerminationPolicies: g.TerminationPolicies, NewInstancesProtectedFromScaleIn: aws.Bool(g.ProtectNewInstances),
		CapacityRebalance:    aws.Bool(g.CapacityRebalance),
		ServiceLinkedRoleARN: aws.String(g.ServiceLinkedRoleARN),
		TrafficSources:       []types.TrafficSourceIdentifier{},
		VPCZoneIdentifier:    aws.String(strings.Join(g.SubnetIDs, ",")),
		DeletionProtection:   types.DeletionProtection(g.DeletionProtection),
		AvailabilityZoneDistribution: &types.AvailabilityZoneDistribution{
			CapacityDistributionStrategy: types.CapacityDistributionStrategy(g.Distribution),
		},
		AvailabilityZoneImpairmentPolicy: &types.AvailabilityZoneImpairmentPolicy{
			ZonalShiftEnabled:               aws.Bool(g.ZonalShift),
			ImpairedZoneHealthCheckBehavior: types.ImpairedZoneHealthCheckBehavior(g.ImpairedHealthCheck),
		},
		CapacityReservationSpecification: &types.CapacityReservationSpecification{
			CapacityReservationPreference: types.CapacityReservationPreferenceDefault,
		},
	}
	if g.ByZones {
		out.VPCZoneIdentifier = aws.String("")
	}
	if g.Mixed == "" {
		out.LaunchTemplate = describeTemplateRef(g.Template)
	} else if err := json.Unmarshal([]byte(g.Mixed), &out.MixedInstancesPolicy); err != nil {
		return out, err
	}
	if g.MinHealthy >= 0 {
		out.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{
			MinHealthyPercentage: aws.Int32(g.MinHealthy),
			MaxHealthyPercentage: aws.Int32(g.MaxHealthy),
		}
	}
	setNonEmpty(&out.Context, g.Context)
	setNonEmpty(&out.DesiredCapacityType, g.DesiredType)
	if g.MaxInstanceLifetime > 0 {
		out.MaxInstanceLifetime = aws.Int32(g.MaxInstanceLifetime)
	}
	if g.Deleting {
		out.Status = aws.String("Delete in progress")
	}
	for _, p := range g.Suspended {
		out.SuspendedProcesses = append(
			out.SuspendedProcesses,
			types.SuspendedProcess{ProcessName: aws.String(p.Name), SuspensionReason: aws.String(p.Reason)},
		)
	}
	for _, m := range g.Metrics {
		out.EnabledMetrics = append(
			out.EnabledMetrics,
			types.EnabledMetric{Metric: aws.String(m), Granularity: aws.String("1Minute")},
		)
	}
	for _, t := range g.Tags {
		out.Tags = append(out.Tags, describeTag(g, t))
	}
	for _, arn := range g.TargetGroupARNs {
		out.TrafficSources = append(
			out.TrafficSources,
			types.TrafficSourceIdentifier{Identifier: aws.String(arn), Type: aws.String("elbv2")},
		)
	}
	if instances {
		for _, i := range scalinggroup.Instances(r, g.Key()) {
			out.Instances = append(out.Instances, describeInstance(r, i))
		}
	}
	return out, nil
}

// zoneIDs are those of the group's zones, as its subnets have them.
func zoneIDs(r store.Reader, g *store.ScalingGroup) []string {
	out := []string{}
	for _, id := range g.SubnetIDs {
		if s, ok := store.Subnets.Get(r, id); ok && !slices.Contains(out, s.ZoneID) {
			out = append(out, s.ZoneID)
		}
	}
	return out
}
