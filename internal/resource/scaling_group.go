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

// patience is how long a group waits for its machines, by how long its first ones
// took from their launch to being healthy behind the load balancer. Before that is
// known it is set for a machine that takes long.
type patience struct{ boot time.Duration }

var unknown = patience{100 * time.Second}

// grace is how long a machine that is not healthy is not given up: three times as
// long as the first ones took, for a host that is busier than theirs.
func (p patience) grace() *int32 {
	const step, least = 30 * time.Second, time.Minute
	return seconds(max((3*p.boot+step-1)/step*step, least))
}

// warmup is how long a machine is not counted on after it has entered service,
// which it does before it is healthy: a refresh waits so long before it goes on to
// the next machine, and a policy does not heed its measures (Amazon EC2 Auto
// Scaling User Guide, "Set the default instance warmup").
func (p patience) warmup() *int32 { return seconds((3*p.boot/2 + time.Second).Truncate(time.Second)) }

func seconds(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }

// createScalingGroup makes a group of as many machines as serve already, within
// its sizes, and waits until they all serve.
func (s *Site) createScalingGroup(ctx context.Context, r stack.Resource, body stack.ScalingGroup) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindScalingGroup, Name: body.GroupName, Status: map[string]string{}}
	desired, err := s.desiredAtFirst(ctx, body)
	if err != nil {
		return f, err
	}
	seen := newWatched(time.Now())
	template, version := splitVersion(*s.id(body.Template))
	err = s.soon(ctx, "create Auto Scaling group "+body.GroupName, func(ctx context.Context) error {
		_, err := s.ASG.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: &body.GroupName, LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &template, Version: &version},
			MinSize: size(body.Min), MaxSize: size(body.Max), DesiredCapacity: size(desired),
			VPCZoneIdentifier: aws.String(
				strings.Join(s.ids(body.Subnets), ","),
			), TargetGroupARNs: s.ids([]stack.Ref{body.TargetGroup}),
			HealthCheckType: aws.String(
				"ELB",
			), HealthCheckGracePeriod: unknown.grace(), DefaultInstanceWarmup: unknown.warmup(),
			InstanceMaintenancePolicy: maintenance(), AvailabilityZoneDistribution: distribution(), AvailabilityZoneImpairmentPolicy: impairment(),
			Tags: s.groupTags(r, body.GroupName),
		})
		return err
	})
	if awsapi.IsExists(err) {
		return f, nameTaken(r, "an Auto Scaling group", body.GroupName, err)
	}
	if err != nil {
		return f, err
	}
	f.ID, seen.born = body.GroupName, seen.began
	if err := s.serving(ctx, r.Address, body.GroupName, *s.id(body.TargetGroup), seen); err != nil {
		return f, err
	}
	return f, s.setPatience(ctx, body.GroupName, seen)
}

// desiredAtFirst lets a group that takes over from servers begin with as many
// machines.
func (s *Site) desiredAtFirst(ctx context.Context, body stack.ScalingGroup) (int, error) {
	servers, err := s.servers(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range servers {
		if strings.HasPrefix(f.Address, "server-") && f.Get("state") == "running" {
			n++
		}
	}
	return min(max(n, body.Min), body.Max), nil
}

func maintenance() *types.InstanceMaintenancePolicy {
	return &types.InstanceMaintenancePolicy{
		MinHealthyPercentage: aws.Int32(stack.Floor),
		MaxHealthyPercentage: aws.Int32(stack.Surge),
	}
}

func distribution() *types.AvailabilityZoneDistribution {
	return &types.AvailabilityZoneDistribution{
		CapacityDistributionStrategy: types.CapacityDistributionStrategyBalancedBestEffort,
	}
}

// impairment leaves the machines of a zone alone from which traffic is shifted
// away: they are unreachable, not broken, and serve when the shift ends (Amazon
// EC2 Auto Scaling User Guide, "Auto Scaling group zonal shift").
func impairment() *types.AvailabilityZoneImpairmentPolicy {
	return &types.AvailabilityZoneImpairmentPolicy{
		ZonalShiftEnabled:               aws.Bool(true),
		ImpairedZoneHealthCheckBehavior: types.ImpairedZoneHealthCheckBehaviorIgnoreUnhealthy,
	}
}

// groupTags are the group's own: its machines get theirs from the template.
func (s *Site) groupTags(r stack.Resource, name string) []types.Tag {
	var all []types.Tag
	for _, p := range s.tags(r) {
		all = append(
			all,
			types.Tag{
				Key:               aws.String(p.key),
				Value:             aws.String(p.value),
				ResourceId:        &name,
				ResourceType:      aws.String("auto-scaling-group"),
				PropagateAtLaunch: aws.Bool(false),
			},
		)
	}
	return all
}

// setPatience sets how long a group waits by how long machines were seen to take.
func (s *Site) setPatience(ctx context.Context, name string, seen *watched) error {
	if seen.longest == 0 {
		return nil
	}
	wait := patience{seen.longest}
	_, err := s.ASG.UpdateAutoScalingGroup(
		ctx,
		&autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName:   &name,
			HealthCheckGracePeriod: wait.grace(),
			DefaultInstanceWarmup:  wait.warmup(),
		},
	)
	if err != nil {
		return fmt.Errorf("set the grace period of %s: %w", name, err)
	}
	return nil
}

// updateScalingGroup sets what differs, and brings the machines to the launch
// template's version.
func (s *Site) updateScalingGroup(
	ctx context.Context,
	r stack.Resource,
	body stack.ScalingGroup,
	now plan.Found,
) error {
	seen := newWatched(time.Now())
	in := &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: &now.ID, VPCZoneIdentifier: aws.String(strings.Join(s.ids(body.Subnets), ",")), HealthCheckType: aws.String("ELB"),
		InstanceMaintenancePolicy: maintenance(), AvailabilityZoneDistribution: distribution(), AvailabilityZoneImpairmentPolicy: impairment(),
		MinSize: changed(now.Get("min"), body.Min, body.Mins), MaxSize: changed(now.Get("max"), body.Max, body.Maxes),
	}
	if _, err := s.ASG.UpdateAutoScalingGroup(ctx, in); err != nil {
		return fmt.Errorf("change Auto Scaling group %s: %w", now.Name, err)
	}
	if err := s.onlyTargetGroup(ctx, now, *s.id(body.TargetGroup)); err != nil {
		return err
	}
	if err := s.refresh(ctx, r, body, seen); err != nil {
		return err
	}
	if err := s.serving(ctx, r.Address, now.ID, *s.id(body.TargetGroup), seen); err != nil {
		return err
	}
	return s.setPatience(ctx, now.ID, seen)
}

// changed gives a size that is to change, nil for one that a schedule has set.
func changed(now string, want int, scheduled []int) *int32 {
	if n, err := strconv.Atoi(now); err == nil && slices.Contains(scheduled, n) {
		return nil
	}
	return size(want)
}

// onlyTargetGroup lets a group's machines be targets of one target group alone.
func (s *Site) onlyTargetGroup(ctx context.Context, now plan.Found, target string) error {
	there := now.Values["target group"]
	if !slices.Contains(there, target) {
		err := s.soon(ctx, "attach the target group to "+now.ID, func(ctx context.Context) error {
			_, err := s.ASG.AttachLoadBalancerTargetGroups(
				ctx,
				&autoscaling.AttachLoadBalancerTargetGroupsInput{
					AutoScalingGroupName: &now.ID,
					TargetGroupARNs:      []string{target},
				},
			)
			return err
		})
		if err != nil {
			return err
		}
	}
	others := slices.DeleteFunc(slices.Clone(there), func(arn string) bool { return arn == target })
	if len(others) == 0 {
		return nil
	}
	if _, err := s.ASG.DetachLoadBalancerTargetGroups(ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &now.ID, TargetGroupARNs: others}); err != nil {
		return fmt.Errorf("detach other target groups from %s: %w", now.ID, err)
	}
	return nil
}

// Drain empties a group: its machines finish their requests and end. What serves
// in their place is to stand before.
func (s *Site) Drain(ctx context.Context, f plan.Found) error {
	g, ok, err := s.release(ctx, f.ID)
	if err != nil || !ok {
		return err
	}
	none := aws.Int32(0)
	_, err = s.ASG.UpdateAutoScalingGroup(
		ctx,
		&autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: &f.ID,
			MinSize:              none,
			MaxSize:              none,
			DesiredCapacity:      none,
		},
	)
	if goneFrom(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("empty Auto Scaling group %s: %w", g.found.Name, err)
	}
	return awsapi.Wait(ctx, drainLimit, "the machines of "+f.ID+" to finish", func(ctx context.Context) (bool, error) {
		g, ok, err := s.group(ctx, f.ID)
		if err != nil || !ok || len(g.raw.Instances) == 0 {
			return err == nil, err
		}
		s.progress(f.Address, "%d machines finish their requests and end", len(g.raw.Instances))
		return false, nil
	})
}

// release lets go of what holds a group's machines: an instance refresh, a
// suspended process, protection from scale-in.
func (s *Site) release(ctx context.Context, name string) (scalingGroup, bool, error) {
	g, ok, err := s.group(ctx, name)
	if err != nil || !ok || g.raw.Status != nil {
		return g, ok, err
	}
	if _, err := s.ASG.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: &name}); err != nil &&
		!goneFrom(err) {
		return g, ok, fmt.Errorf("cancel the instance refresh of %s: %w", name, err)
	}
	if len(g.raw.SuspendedProcesses) > 0 {
		if _, err := s.ASG.ResumeProcesses(ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: &name}); err != nil &&
			!goneFrom(err) {
			return g, ok, fmt.Errorf("resume the processes of %s: %w", name, err)
		}
	}
	var protected []string
	for _, i := range g.raw.Instances {
		if aws.ToBool(i.ProtectedFromScaleIn) {
			protected = append(protected, aws.ToString(i.InstanceId))
		}
	}
	for chunk := range slices.Chunk(protected, 50) { // the most that SetInstanceProtection takes
		_, err := s.ASG.SetInstanceProtection(
			ctx,
			&autoscaling.SetInstanceProtectionInput{
				AutoScalingGroupName: &name,
				InstanceIds:          chunk,
				ProtectedFromScaleIn: aws.Bool(false),
			},
		)
		if err != nil && !goneFrom(err) && !strings.Contains(awsapi.Message(err), "not part of Auto Scaling group") {
			return g, ok, fmt.Errorf("unprotect the machines of %s: %w", name, err)
		}
	}
	return g, ok, nil
}

// deleteScalingGroup deletes a group with its machines, policies and schedules,
// and waits until all of them are gone.
func (s *Site) deleteScalingGroup(ctx context.Context, f plan.Found) error {
	if _, _, err := s.release(ctx, f.ID); err != nil {
		return err
	}
	err := awsapi.Retry(
		ctx,
		startLimit,
		f.ID+" to let go of its machines",
		awsapi.IsInUse,
		func(ctx context.Context) error {
			_, err := s.ASG.DeleteAutoScalingGroup(
				ctx,
				&autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &f.ID, ForceDelete: aws.Bool(true)},
			)
			return err
		},
	)
	if err != nil && !goneFrom(err) {
		return fmt.Errorf("delete Auto Scaling group %s: %w", f.Name, err)
	}
	err = awsapi.Wait(
		ctx,
		startLimit,
		"Auto Scaling group "+f.ID+" to be gone",
		func(ctx context.Context) (bool, error) {
			g, ok, err := s.group(ctx, f.ID)
			if ok && err == nil {
				s.progress(f.Address, "%d machines of the group end", len(g.raw.Instances))
			}
			return err == nil && !ok, err
		},
	)
	if err != nil {
		return err
	}
	return s.membersGone(ctx, f)
}

// membersGone waits until the machines of a group that is gone have ended too.
func (s *Site) membersGone(ctx context.Context, f plan.Found) error {
	err := awsapi.Wait(ctx, startLimit, "the machines of "+f.ID+" to end", func(ctx context.Context) (bool, error) {
		list, err := s.EC2.DescribeInstances(
			ctx,
			&ec2.DescribeInstancesInput{
				Filters: append(
					s.ours(),
					filter("tag:"+tagGroup, f.ID),
					filter("instance-state-name", append([]string{"shutting-down"}, alive...)...),
				),
			},
		)
		if err != nil {
			return false, fmt.Errorf("list the machines of %s: %w", f.ID, err)
		}
		return len(list.Reservations) == 0, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return fmt.Errorf("machines of %s do not end: %w", f.ID, err)
	}
	return err
}
