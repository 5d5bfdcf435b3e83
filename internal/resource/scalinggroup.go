package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var scalingGroupKind = kind{
	name:   stack.KindScalingGroup,
	find:   findScalingGroupsWithHealth,
	create: created((*Provisioner).createScalingGroup),
	update: updated((*Provisioner).updateScalingGroup),
	remove: (*Provisioner).deleteScalingGroup,
}

type scalingGroupAPI interface {
	DescribeAutoScalingGroups(
		context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options),
	) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeScalingActivities(
		context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options),
	) (*autoscaling.DescribeScalingActivitiesOutput, error)
	CreateAutoScalingGroup(
		context.Context, *autoscaling.CreateAutoScalingGroupInput, ...func(*autoscaling.Options),
	) (*autoscaling.CreateAutoScalingGroupOutput, error)
	UpdateAutoScalingGroup(
		context.Context, *autoscaling.UpdateAutoScalingGroupInput, ...func(*autoscaling.Options),
	) (*autoscaling.UpdateAutoScalingGroupOutput, error)
	CreateOrUpdateTags(
		context.Context, *autoscaling.CreateOrUpdateTagsInput, ...func(*autoscaling.Options),
	) (*autoscaling.CreateOrUpdateTagsOutput, error)
	DeleteTags(
		context.Context, *autoscaling.DeleteTagsInput, ...func(*autoscaling.Options),
	) (*autoscaling.DeleteTagsOutput, error)
	DeleteAutoScalingGroup(
		context.Context, *autoscaling.DeleteAutoScalingGroupInput, ...func(*autoscaling.Options),
	) (*autoscaling.DeleteAutoScalingGroupOutput, error)
	SetDesiredCapacity(
		context.Context, *autoscaling.SetDesiredCapacityInput, ...func(*autoscaling.Options),
	) (*autoscaling.SetDesiredCapacityOutput, error)
	AttachLoadBalancerTargetGroups(
		context.Context, *autoscaling.AttachLoadBalancerTargetGroupsInput, ...func(*autoscaling.Options),
	) (*autoscaling.AttachLoadBalancerTargetGroupsOutput, error)
	DetachLoadBalancerTargetGroups(
		context.Context, *autoscaling.DetachLoadBalancerTargetGroupsInput, ...func(*autoscaling.Options),
	) (*autoscaling.DetachLoadBalancerTargetGroupsOutput, error)
	ResumeProcesses(
		context.Context, *autoscaling.ResumeProcessesInput, ...func(*autoscaling.Options),
	) (*autoscaling.ResumeProcessesOutput, error)
	SetInstanceProtection(
		context.Context, *autoscaling.SetInstanceProtectionInput, ...func(*autoscaling.Options),
	) (*autoscaling.SetInstanceProtectionOutput, error)
}

// scalingGroup is an Auto Scaling group as the API returns it and as plans compare
// it.
type scalingGroup struct {
	raw   types.AutoScalingGroup
	found plan.Found
}

// findScalingGroups returns the application's Auto Scaling groups.
func (d *discovery) findScalingGroups(ctx context.Context) ([]scalingGroup, error) {
	return d.scalingGroups.get(func() ([]scalingGroup, error) {
		list, err := collect(
			ctx,
			autoscaling.NewDescribeAutoScalingGroupsPaginator(d.ASG, &autoscaling.DescribeAutoScalingGroupsInput{
				Filters: []types.Filter{{Name: aws.String("tag:" + stack.TagApp), Values: []string{d.App}}},
			}),
			func(page *autoscaling.DescribeAutoScalingGroupsOutput) []types.AutoScalingGroup {
				return page.AutoScalingGroups
			},
		)
		return describe(list, describeScalingGroup), d.ignoreUnsupported(awsapi.Wrap("list Auto Scaling groups", err))
	})
}

// findScalingGroupsWithHealth returns the application's Auto Scaling groups,
// including whether their instances serve.
func findScalingGroupsWithHealth(ctx context.Context, d *discovery) ([]plan.Found, error) {
	groups, err := d.findScalingGroups(ctx)
	if err != nil {
		return nil, err
	}
	instances, err := d.findInstances(ctx)
	if err != nil {
		return nil, err
	}
	var all []plan.Found
	for _, g := range groups {
		members := slices.DeleteFunc(slices.Clone(instances.members), func(m plan.Found) bool {
			return m.Status.ScalingGroup != g.found.ID
		})
		f := describeScalingGroup(g.raw).found
		f.Set(stack.AttrInstances, g.condition(members))
		addTagsOfMembers(&f, members)
		all = append(all, f)
	}
	return all, nil
}

func describeScalingGroup(g types.AutoScalingGroup) scalingGroup {
	f := plan.Found{
		Kind:    stack.KindScalingGroup,
		ID:      aws.ToString(g.AutoScalingGroupName),
		Name:    aws.ToString(g.AutoScalingGroupName),
		Created: aws.ToTime(g.CreatedTime).UTC().Format(time.RFC3339),
	}
	tags := tagsOf(g.Tags, func(t types.TagDescription) (key, value *string) { return t.Key, t.Value })
	f.Address = tags[stack.TagAddress]
	setTags(&f, tags)
	source := launchSourceOf(g.LaunchTemplate, g.MixedInstancesPolicy)
	f.Set(stack.AttrLaunchTemplate, source.version)
	f.Set(stack.AttrTypes, source.description())
	f.Set(stack.AttrSubnets, splitSubnets(aws.ToString(g.VPCZoneIdentifier))...)
	f.Set(stack.AttrTargetGroup, g.TargetGroupARNs...)
	f.Set(stack.AttrMin, number(g.MinSize))
	f.Set(stack.AttrMax, number(g.MaxSize))
	f.Set(stack.AttrHealthCheck, aws.ToString(g.HealthCheckType))
	if p := g.InstanceMaintenancePolicy; p != nil {
		f.Set(stack.AttrMaintenance,
			fmt.Sprintf("%s-%s %%", number(p.MinHealthyPercentage), number(p.MaxHealthyPercentage)))
	}
	if d := g.AvailabilityZoneDistribution; d != nil {
		f.Set(stack.AttrDistribution, string(d.CapacityDistributionStrategy))
	}
	if p := g.AvailabilityZoneImpairmentPolicy; p != nil && aws.ToBool(p.ZonalShiftEnabled) {
		f.Set(stack.AttrImpairedZone, string(p.ImpairedZoneHealthCheckBehavior))
	}
	var versions []string
	for _, i := range g.Instances {
		if counts(i) && i.LaunchTemplate != nil {
			versions = append(versions, specificationID(i.LaunchTemplate))
		}
	}
	f.Set(stack.AttrInstanceVersions, versions...)
	f.Status.DesiredCapacity = int(aws.ToInt32(g.DesiredCapacity))
	if g.Status != nil {
		f.Broken = "is being deleted"
	}
	return scalingGroup{g, f}
}

// splitSubnets splits the subnet ids of VPCZoneIdentifier.
func splitSubnets(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func specificationID(s *types.LaunchTemplateSpecification) string {
	return versionID(aws.ToString(s.LaunchTemplateId), aws.ToString(s.Version))
}

// counts reports whether an instance is in its group to serve: neither on its way
// out nor in standby.
func counts(i types.Instance) bool {
	switch i.LifecycleState {
	case types.LifecycleStatePending, types.LifecycleStatePendingWait,
		types.LifecycleStatePendingProceed, types.LifecycleStateInService:
		return true
	}
	return false
}

// condition returns "healthy" if the desired number of instances serves behind the
// load balancer, and otherwise how many do.
func (g scalingGroup) condition(members []plan.Found) string {
	desired, serving := int(aws.ToInt32(g.raw.DesiredCapacity)), 0
	for _, m := range members {
		if m.Status.Lifecycle == string(types.LifecycleStateInService) && m.Status.Healthy() {
			serving++
		}
	}
	if serving >= desired && desired > 0 {
		return stack.Healthy
	}
	return fmt.Sprintf("%d of %d healthy", serving, desired)
}

// scalingGroup reads one Auto Scaling group. ok is false if it does not exist.
func (c *Cloud) scalingGroup(ctx context.Context, name string) (g scalingGroup, ok bool, err error) {
	in := &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}}
	list, err := c.ASG.DescribeAutoScalingGroups(ctx, in)
	if awsapi.IsNotFound(err) || err == nil && len(list.AutoScalingGroups) == 0 {
		return g, false, nil
	}
	if err != nil {
		return g, false, fmt.Errorf("read Auto Scaling group %s: %w", name, err)
	}
	return describeScalingGroup(list.AutoScalingGroups[0]), true, nil
}

// createScalingGroup creates a group with as many instances as there are servers,
// within the group's sizes, and waits until all of them serve.
func (p *Provisioner) createScalingGroup(
	ctx context.Context,
	r stack.Resource,
	body stack.ScalingGroup,
) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindScalingGroup, Name: body.GroupName}
	desired, err := p.initialCapacity(ctx, body)
	if err != nil {
		return f, err
	}
	times, source := newBootTimes(time.Now()), p.newLaunchSource(body)
	create := func(ctx context.Context) error {
		_, err := p.ASG.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName:             &body.GroupName,
			LaunchTemplate:                   source.template(),
			MixedInstancesPolicy:             source.mixed(),
			MinSize:                          groupSize(body.Min),
			MaxSize:                          groupSize(body.Max),
			DesiredCapacity:                  groupSize(desired),
			VPCZoneIdentifier:                aws.String(strings.Join(p.ids(body.Subnets), ",")),
			TargetGroupARNs:                  []string{*p.id(body.TargetGroup)},
			HealthCheckType:                  aws.String(healthCheckELB),
			HealthCheckGracePeriod:           gracePeriod(assumedBootTime),
			DefaultInstanceWarmup:            warmup(assumedBootTime),
			InstanceMaintenancePolicy:        maintenancePolicy(),
			AvailabilityZoneDistribution:     zoneDistribution(),
			AvailabilityZoneImpairmentPolicy: impairmentPolicy(),
			Tags:                             p.scalingGroupTags(r, body.GroupName),
		})
		return err
	}
	what := "create Auto Scaling group " + body.GroupName
	err = awsapi.Wrap(what, awsapi.Retry(ctx, eventualLimit, what, notCreatableYet, create))
	if awsapi.IsExists(err) {
		return f, nameTaken(r, "an Auto Scaling group", body.GroupName, err)
	}
	if err != nil {
		return f, err
	}
	f.ID, times.launchedAfter = body.GroupName, times.began
	if err := p.waitServing(ctx, r.Address, body.GroupName, *p.id(body.TargetGroup), times); err != nil {
		return f, err
	}
	return f, p.setBootTimes(ctx, body.GroupName, times)
}

// notCreatableYet reports whether a group can be created later: what it refers to is not
// known everywhere yet, or a deleted group still has its name.
func notCreatableYet(err error) bool {
	return awsapi.IsEventual(err) || awsapi.IsExists(err) && strings.Contains(awsapi.Message(err), "pending delete")
}

// initialCapacity returns the number of running servers, which the group replaces,
// within the group's sizes.
func (p *Provisioner) initialCapacity(ctx context.Context, body stack.ScalingGroup) (int, error) {
	instances, err := p.listInstances(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range instances {
		if strings.HasPrefix(f.Address, "server-") && f.Value(stack.AttrState) == stack.StateRunning {
			n++
		}
	}
	return min(max(n, body.Min), body.Max), nil
}

// updateScalingGroup sets what differs, and replaces instances that are not of the
// launch template's version.
func (p *Provisioner) updateScalingGroup(
	ctx context.Context,
	r stack.Resource,
	body stack.ScalingGroup,
	current plan.Found,
) error {
	times := newBootTimes(time.Now())
	in := &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName:             &current.ID,
		VPCZoneIdentifier:                aws.String(strings.Join(p.ids(body.Subnets), ",")),
		HealthCheckType:                  aws.String(healthCheckELB),
		InstanceMaintenancePolicy:        maintenancePolicy(),
		AvailabilityZoneDistribution:     zoneDistribution(),
		AvailabilityZoneImpairmentPolicy: impairmentPolicy(),
		MinSize:                          changedSize(current.Value(stack.AttrMin), body.Min, body.Mins),
		MaxSize:                          changedSize(current.Value(stack.AttrMax), body.Max, body.Maxes),
	}
	err := retryEventual(ctx, "change Auto Scaling group "+current.Name, func(ctx context.Context) error {
		_, err := p.ASG.UpdateAutoScalingGroup(ctx, in)
		return err
	})
	if err != nil {
		return err
	}
	target := *p.id(body.TargetGroup)
	if err := p.setTargetGroup(ctx, current, target); err != nil {
		return err
	}
	if err := p.replaceInstances(ctx, r, body, times); err != nil {
		return err
	}
	if err := p.waitServing(ctx, r.Address, current.ID, target, times); err != nil {
		return err
	}
	return p.setBootTimes(ctx, current.ID, times)
}

// changedSize returns a size to set, or nil for one that a schedule has set.
func changedSize(current string, desired int, scheduled []int) *int32 {
	if n, err := strconv.Atoi(current); err == nil && slices.Contains(scheduled, n) {
		return nil
	}
	return groupSize(desired)
}

// groupSize returns a size for the API, or nil for 0, which leaves it unchanged.
func groupSize(n int) *int32 {
	if n == 0 {
		return nil
	}
	return int32Pointer(n)
}

// setTargetGroup makes a target group the only one of an Auto Scaling group.
func (p *Provisioner) setTargetGroup(ctx context.Context, current plan.Found, target string) error {
	attached := current.Values(stack.AttrTargetGroup)
	if !slices.Contains(attached, target) {
		err := retryEventual(ctx, "attach the target group to "+current.ID, func(ctx context.Context) error {
			in := &autoscaling.AttachLoadBalancerTargetGroupsInput{
				AutoScalingGroupName: &current.ID, TargetGroupARNs: []string{target},
			}
			_, err := p.ASG.AttachLoadBalancerTargetGroups(ctx, in)
			return err
		})
		if err != nil {
			return err
		}
	}
	others := slices.DeleteFunc(slices.Clone(attached), func(arn string) bool { return arn == target })
	if len(others) == 0 {
		return nil
	}
	in := &autoscaling.DetachLoadBalancerTargetGroupsInput{
		AutoScalingGroupName: &current.ID, TargetGroupARNs: others,
	}
	_, err := p.ASG.DetachLoadBalancerTargetGroups(ctx, in)
	return awsapi.Wrap("detach other target groups from "+current.ID, err)
}

// deleteScalingGroup deletes a group with its instances, policies and schedules, and
// waits until all of them are gone.
func (p *Provisioner) deleteScalingGroup(ctx context.Context, f plan.Found) error {
	g, _, err := p.prepareTermination(ctx, f.ID)
	if err != nil {
		return err
	}
	drain, err := p.drainTime(ctx, g.raw.TargetGroupARNs)
	if err != nil {
		return err
	}
	limit := drain + startLimit
	what := "the instances of " + f.ID + " to finish their requests" + upTo(drain) + " and be terminated"
	err = awsapi.Retry(ctx, limit, what, awsapi.IsInUse, func(ctx context.Context) error {
		in := &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &f.ID, ForceDelete: aws.Bool(true)}
		_, err := p.ASG.DeleteAutoScalingGroup(ctx, in)
		return err
	})
	if err != nil && !isScalingNotFound(err) {
		return fmt.Errorf("delete Auto Scaling group %s: %w", f.Name, err)
	}
	err = awsapi.Wait(ctx, limit, what, func(ctx context.Context) (bool, error) {
		g, ok, err := p.scalingGroup(ctx, f.ID)
		if ok && err == nil {
			p.progress(f.Address, "%d servers of the group finish their requests%s, and are terminated",
				len(g.raw.Instances), upTo(drain))
		}
		return err == nil && !ok, err
	})
	if err != nil {
		return err
	}
	return p.waitMembersTerminated(ctx, f, limit)
}

// waitMembersTerminated waits until the instances of a deleted group are terminated.
func (p *Provisioner) waitMembersTerminated(ctx context.Context, f plan.Found, limit time.Duration) error {
	in := &ec2.DescribeInstancesInput{Filters: append(
		p.tagged(),
		awsapi.Filter("tag:"+tagScalingGroup, f.ID),
		awsapi.Filter("instance-state-name", append([]string{"shutting-down"}, usableStates...)...),
	)}
	what := "the instances of " + f.ID + " to be terminated"
	err := awsapi.Wait(ctx, limit, what, func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeInstances(ctx, in)
		if err != nil {
			return false, fmt.Errorf("list the instances of %s: %w", f.ID, err)
		}
		return len(list.Reservations) == 0, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return fmt.Errorf("terminate the instances of %s: %w", f.ID, err)
	}
	return err
}

// isScalingNotFound reports whether an Auto Scaling group or a part of it does not
// exist. Auto Scaling says so only in the message.
func isScalingNotFound(err error) bool {
	return awsapi.IsNotFound(err) ||
		awsapi.Code(err) == "ValidationError" && strings.Contains(awsapi.Message(err), "not found")
}

// ignoreScalingNotFound is ignoreNotFound for Auto Scaling.
func ignoreScalingNotFound(what string, err error) error {
	if isScalingNotFound(err) {
		return nil
	}
	return awsapi.Wrap(what, err)
}
