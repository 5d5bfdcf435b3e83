package resource

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// scaling finds what Auto Scaling holds.
type scaling struct {
	cloud  *Cloud
	groups []scalingGroup
	parts  []plan.Found // policies and schedules
}

// scalingGroup is a group as Auto Scaling tells it and as plans compare it.
type scalingGroup struct {
	raw   types.AutoScalingGroup
	found plan.Found
}

func (c *Cloud) scalingGroups(ctx context.Context) ([]scalingGroup, error) {
	all, err := collect(
		ctx,
		autoscaling.NewDescribeAutoScalingGroupsPaginator(c.ASG, &autoscaling.DescribeAutoScalingGroupsInput{
			Filters: []types.Filter{{Name: aws.String("tag:" + stack.TagApp), Values: []string{c.App}}},
		}),
		func(page *autoscaling.DescribeAutoScalingGroupsOutput) []types.AutoScalingGroup {
			return page.AutoScalingGroups
		},
		describeScalingGroup,
	)
	return all, wrap("list Auto Scaling groups", err)
}

func (s *scaling) find(ctx context.Context) error {
	var err error
	if s.groups, err = s.cloud.scalingGroups(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	parts := make([][]plan.Found, 2*len(s.groups))
	for i, g := range s.groups {
		group.Go(func() (err error) {
			parts[2*i], err = s.cloud.scalingPolicies(ctx, g.found.ID)
			return err
		})
		group.Go(func() (err error) {
			parts[2*i+1], err = s.cloud.schedules(ctx, g.found.ID)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	s.parts = slices.Concat(parts...)
	return nil
}

// all is what was found, the groups with how their machines are.
func (s *scaling) all(members []plan.Found) []plan.Found {
	all := slices.Clone(s.parts)
	for _, g := range s.groups {
		of := slices.DeleteFunc(
			slices.Clone(members),
			func(m plan.Found) bool { return m.Status["group"] != g.found.ID },
		)
		g.found.Set("machines", g.condition(of))
		all = append(all, g.found)
	}
	return all
}

func describeScalingGroup(g types.AutoScalingGroup) scalingGroup {
	f := plan.Found{
		Kind:   stack.KindScalingGroup,
		ID:     aws.ToString(g.AutoScalingGroupName),
		Name:   aws.ToString(g.AutoScalingGroupName),
		Status: map[string]string{},
	}
	for _, t := range g.Tags {
		if aws.ToString(t.Key) == stack.TagAddress {
			f.Address = aws.ToString(t.Value)
		}
	}
	f.Created = aws.ToTime(g.CreatedTime).UTC().Format(time.RFC3339)
	if g.LaunchTemplate != nil {
		f.Set(
			"launch template",
			aws.ToString(g.LaunchTemplate.LaunchTemplateId)+"/"+aws.ToString(g.LaunchTemplate.Version),
		)
	}
	f.Set(
		"subnets",
		strings.FieldsFunc(aws.ToString(g.VPCZoneIdentifier), func(r rune) bool { return r == ',' || r == ' ' })...)
	f.Set("target group", g.TargetGroupARNs...)
	f.Set("min", number(g.MinSize))
	f.Set("max", number(g.MaxSize))
	f.Set("health check", aws.ToString(g.HealthCheckType))
	if p := g.InstanceMaintenancePolicy; p != nil {
		f.Set(
			"replaces within",
			fmt.Sprintf("%s-%s %%", number(p.MinHealthyPercentage), number(p.MaxHealthyPercentage)),
		)
	}
	if d := g.AvailabilityZoneDistribution; d != nil {
		f.Set("distribution", string(d.CapacityDistributionStrategy))
	}
	if p := g.AvailabilityZoneImpairmentPolicy; p != nil && aws.ToBool(p.ZonalShiftEnabled) {
		f.Set("in an impaired zone", string(p.ImpairedZoneHealthCheckBehavior))
	}
	var versions []string
	for _, i := range g.Instances {
		if counts(i) && i.LaunchTemplate != nil {
			versions = append(
				versions,
				aws.ToString(i.LaunchTemplate.LaunchTemplateId)+"/"+aws.ToString(i.LaunchTemplate.Version),
			)
		}
	}
	f.Set("machines are of", versions...)
	f.Status["desired"], f.Status["arn"] = number(g.DesiredCapacity), aws.ToString(g.AutoScalingGroupARN)
	if g.Status != nil {
		f.Broken = "is being deleted"
	}
	return scalingGroup{g, f}
}

// counts tells of a machine that it is in its group to serve: not on its way out,
// nor put aside by somebody.
func counts(i types.Instance) bool {
	switch i.LifecycleState {
	case types.LifecycleStatePending,
		types.LifecycleStatePendingWait,
		types.LifecycleStatePendingProceed,
		types.LifecycleStateInService:
		return true
	}
	return false
}

// condition is "healthy" when as many machines as are desired serve behind the
// load balancer, and else how many do.
func (g scalingGroup) condition(members []plan.Found) string {
	desired, serving := int(aws.ToInt32(g.raw.DesiredCapacity)), 0
	for _, m := range members {
		if m.Status["lifecycle"] == string(types.LifecycleStateInService) && m.Status["health"] == "healthy" {
			serving++
		}
	}
	if serving >= desired && desired > 0 {
		return "healthy"
	}
	return fmt.Sprintf("%d of %d healthy", serving, desired)
}

func number(n *int32) string { return strconv.Itoa(int(aws.ToInt32(n))) }

// scalingPolicies are those of a group that carry the application's name; others
// are their makers'.
func (c *Cloud) scalingPolicies(ctx context.Context, group string) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		autoscaling.NewDescribePoliciesPaginator(
			c.ASG,
			&autoscaling.DescribePoliciesInput{AutoScalingGroupName: &group},
		),
		func(page *autoscaling.DescribePoliciesOutput) []types.ScalingPolicy { return page.ScalingPolicies },
		describePolicy,
	)
	if err != nil {
		return nil, gone(err, "list the policies of "+group)
	}
	return slices.DeleteFunc(all, func(f plan.Found) bool { return f.Name != stack.ScalingName(c.App) }), nil
}

func (c *Cloud) schedules(ctx context.Context, group string) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		autoscaling.NewDescribeScheduledActionsPaginator(
			c.ASG,
			&autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: &group},
		),
		func(page *autoscaling.DescribeScheduledActionsOutput) []types.ScheduledUpdateGroupAction {
			return page.ScheduledUpdateGroupActions
		},
		describeSchedule,
	)
	if err != nil {
		return nil, gone(err, "list the schedules of "+group)
	}
	prefix := stack.ScalingName(c.App) + "-"
	for i := range all {
		all[i].Address = strings.TrimPrefix(all[i].Name, prefix)
	}
	return slices.DeleteFunc(
		all,
		func(f plan.Found) bool { return !strings.HasPrefix(f.Name, stack.ScheduleName(c.App, "schedule-")) },
	), nil
}

// Alarms are those that target tracking has made for a group and that go with it
// (Amazon EC2 Auto Scaling User Guide, "Target tracking scaling policies": do not
// edit or delete them).
func (c *Cloud) Alarms(ctx context.Context, group string) ([]cwtypes.MetricAlarm, error) {
	all, err := collect(
		ctx,
		cloudwatch.NewDescribeAlarmsPaginator(
			c.CW,
			&cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("TargetTracking-" + group + "-")},
		),
		func(page *cloudwatch.DescribeAlarmsOutput) []cwtypes.MetricAlarm { return page.MetricAlarms },
		func(a cwtypes.MetricAlarm) cwtypes.MetricAlarm { return a },
	)
	if err != nil {
		return nil, fmt.Errorf("list the alarms of %s: %w", group, err)
	}
	// A group whose name goes on after this one's has alarms of its own.
	return slices.DeleteFunc(all, func(a cwtypes.MetricAlarm) bool {
		return !strings.HasPrefix(strings.TrimPrefix(aws.ToString(a.AlarmName), "TargetTracking-"+group+"-"), "Alarm")
	}), nil
}

// group looks at one group. ok is false when there is none.
func (c *Cloud) group(ctx context.Context, name string) (g scalingGroup, ok bool, err error) {
	list, err := c.ASG.DescribeAutoScalingGroups(
		ctx,
		&autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}},
	)
	if awsapi.IsNotFound(err) || err == nil && len(list.AutoScalingGroups) == 0 {
		return g, false, nil
	}
	if err != nil {
		return g, false, fmt.Errorf("look at Auto Scaling group %s: %w", name, err)
	}
	return describeScalingGroup(list.AutoScalingGroups[0]), true, nil
}
