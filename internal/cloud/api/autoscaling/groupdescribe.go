package autoscaling

import (
	"context"
	"encoding/json"
	"fmt"
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

// DescribeAutoScalingGroups returns groups by name and by tag. It ignores names
// that no group has.
func (a *API) DescribeAutoScalingGroups(
	ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput,
) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	view := a.Store.Read(ctx)
	for _, f := range in.Filters {
		if name := aws.ToString(f.Name); name != "tag-key" && name != "tag-value" && !strings.HasPrefix(name, "tag:") {
			return nil, invalid("Filter type %s is not correct. Allowed Filter types are: "+
				"tag-key, tag-value, tag:<key>", name)
		}
	}
	var rows []*store.ScalingGroup
	for _, g := range store.ScalingGroups.InRegion(view, wire.RegionFrom(ctx)) {
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

// matchesTagFilters reports whether each filter matches one of the group's tags.
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

func describeGroup(r store.Reader, g *store.ScalingGroup, withInstances bool) (types.AutoScalingGroup, error) {
	out := types.AutoScalingGroup{
		AutoScalingGroupARN:              aws.String(g.ARN),
		AutoScalingGroupName:             aws.String(g.Name),
		AvailabilityZoneIds:              zoneIDs(r, g),
		AvailabilityZones:                g.Zones,
		CapacityRebalance:                aws.Bool(g.CapacityRebalance),
		CreatedTime:                      aws.Time(g.Created),
		DefaultCooldown:                  aws.Int32(g.DefaultCooldown),
		DefaultInstanceWarmup:            g.DefaultWarmup,
		DeletionProtection:               types.DeletionProtection(g.DeletionProtection),
		DesiredCapacity:                  aws.Int32(g.Desired),
		EnabledMetrics:                   []types.EnabledMetric{},
		HealthCheckGracePeriod:           aws.Int32(g.HealthCheckGrace),
		HealthCheckType:                  aws.String(g.HealthCheckType),
		Instances:                        []types.Instance{},
		LoadBalancerNames:                []string{},
		MaxSize:                          aws.Int32(g.Max),
		MinSize:                          aws.Int32(g.Min),
		NewInstancesProtectedFromScaleIn: aws.Bool(g.ProtectNewInstances),
		ServiceLinkedRoleARN:             aws.String(g.ServiceLinkedRoleARN),
		SuspendedProcesses:               []types.SuspendedProcess{},
		Tags:                             []types.TagDescription{},
		TargetGroupARNs:                  nonNil(g.TargetGroupARNs),
		TerminationPolicies:              g.TerminationPolicies,
		TrafficSources:                   []types.TrafficSourceIdentifier{},
		VPCZoneIdentifier:                aws.String(""),
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
	describeOptional(&out, g)
	if pool, ok := store.WarmPools.Get(r, g.Key()); ok {
		out.WarmPoolConfiguration = describeWarmPool(pool)
		out.WarmPoolSize = aws.Int32(int32(len(scalinggroup.WarmPoolInstances(r, g.Key()))))
	}
	if err := describeLaunchSource(&out, g); err != nil {
		return out, err
	}
	for _, p := range g.Suspended {
		out.SuspendedProcesses = append(out.SuspendedProcesses, types.SuspendedProcess{
			ProcessName: aws.String(p.Name), SuspensionReason: aws.String(p.Reason),
		})
	}
	for _, m := range g.Metrics {
		out.EnabledMetrics = append(out.EnabledMetrics, types.EnabledMetric{
			Metric: aws.String(m), Granularity: aws.String(granularity),
		})
	}
	for _, t := range g.Tags {
		out.Tags = append(out.Tags, describeTag(g, t))
	}
	for _, arn := range g.TargetGroupARNs {
		out.TrafficSources = append(out.TrafficSources, types.TrafficSourceIdentifier{
			Identifier: aws.String(arn), Type: aws.String(elbv2Source),
		})
	}
	if withInstances {
		for _, i := range scalinggroup.Members(r, g.Key()) {
			out.Instances = append(out.Instances, describeInstance(r, i))
		}
	}
	return out, nil
}

// describeLaunchSource sets what the group launches instances from.
func describeLaunchSource(out *types.AutoScalingGroup, g *store.ScalingGroup) error {
	switch {
	case g.Configuration != "":
		out.LaunchConfigurationName = &g.Configuration
	case g.Mixed == "":
		out.LaunchTemplate = describeTemplateRef(g.Template)
	default:
		if err := json.Unmarshal([]byte(g.Mixed), &out.MixedInstancesPolicy); err != nil {
			return fmt.Errorf("read the mixed instances policy of group %s: %w", g.Name, err)
		}
	}
	return nil
}

// describeOptional sets the members that only some groups have.
func describeOptional(out *types.AutoScalingGroup, g *store.ScalingGroup) {
	setNonEmpty(&out.Context, g.Context)
	setNonEmpty(&out.DesiredCapacityType, g.DesiredType)
	setNonEmpty(&out.PlacementGroup, g.PlacementGroup)
	if !g.ByZones {
		out.VPCZoneIdentifier = aws.String(strings.Join(g.SubnetIDs, ","))
	}
	if g.MinHealthy >= 0 {
		out.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{
			MinHealthyPercentage: aws.Int32(g.MinHealthy),
			MaxHealthyPercentage: aws.Int32(g.MaxHealthy),
		}
	}
	if g.MaxInstanceLifetime > 0 {
		out.MaxInstanceLifetime = aws.Int32(g.MaxInstanceLifetime)
	}
	if g.Deleting {
		out.Status = aws.String("Delete in progress")
	}
}

// zoneIDs returns the IDs of the group's zones, which its subnets have.
func zoneIDs(r store.Reader, g *store.ScalingGroup) []string {
	out := []string{}
	for _, id := range g.SubnetIDs {
		if s, ok := store.Subnets.Get(r, id); ok && !slices.Contains(out, s.ZoneID) {
			out = append(out, s.ZoneID)
		}
	}
	return out
}
