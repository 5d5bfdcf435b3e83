package resource

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func describePolicy(p types.ScalingPolicy) plan.Found {
	f := plan.Found{
		Address: stack.AddressScalingPolicy,
		Kind:    stack.KindScalingPolicy,
		ID:      aws.ToString(p.PolicyARN),
		Name:    aws.ToString(p.PolicyName),
		Status:  map[string]string{},
	}
	f.Set("group", aws.ToString(p.AutoScalingGroupName))
	f.Set("enabled", "yes")
	if p.Enabled != nil && !*p.Enabled {
		f.Set("enabled", "no")
	}
	t := p.TargetTrackingConfiguration
	if t == nil || t.PredefinedMetricSpecification == nil {
		return f
	}
	f.Set("metric", string(t.PredefinedMetricSpecification.PredefinedMetricType))
	f.Set("value", strconv.FormatFloat(aws.ToFloat64(t.TargetValue), 'f', -1, 64))
	if balancer, group := labelled(f.ID, aws.ToString(t.PredefinedMetricSpecification.ResourceLabel)); balancer != "" {
		f.Set("of load balancer", balancer)
		f.Set("of target group", group)
	}
	return f
}

// The label of requests for each target names a load balancer and a target group
// by the ends of their ARNs: "app/x/1/targetgroup/y/2" (Amazon EC2 Auto Scaling
// API Reference, PredefinedMetricSpecification).
const (
	ofBalancer = ":loadbalancer/"
	ofGroup    = "targetgroup/"
)

func label(balancer, group string) string {
	_, end, _ := strings.Cut(balancer, ofBalancer)
	_, tail, _ := strings.Cut(group, ":"+ofGroup)
	return end + "/" + ofGroup + tail
}

// labelled gives the ARNs that a label stands for, in the partition, region and
// account of the policy.
func labelled(policy, label string) (balancer, group string) {
	end, tail, ok := strings.Cut(label, "/"+ofGroup)
	parts := strings.SplitN(policy, ":", 6) // arn:partition:service:region:account:…
	if !ok || len(parts) < 6 {
		return "", ""
	}
	parts[2] = "elasticloadbalancing"
	prefix := strings.Join(parts[:5], ":")
	return prefix + ofBalancer + end, prefix + ":" + ofGroup + tail
}

// putPolicy makes or changes a policy: its name is its key.
func (s *Site) putPolicy(ctx context.Context, r stack.Resource, body stack.ScalingPolicy) (plan.Found, error) {
	f := plan.Found{
		Address: r.Address,
		Kind:    stack.KindScalingPolicy,
		Name:    body.PolicyName,
		Status:  map[string]string{},
	}
	metric := &types.PredefinedMetricSpecification{PredefinedMetricType: stack.MetricCPU}
	value := float64(body.CPU)
	if body.CPU == 0 {
		value = float64(body.Requests)
		metric.PredefinedMetricType, metric.ResourceLabel = stack.MetricRequests, aws.String(
			label(*s.id(body.LoadBalancer), *s.id(body.TargetGroup)),
		)
	}
	warmup, err := s.policyWarmup(ctx, *s.id(body.Group))
	if err != nil {
		return f, err
	}
	err = s.soon(ctx, "let "+*s.id(body.Group)+" follow its target", func(ctx context.Context) error {
		made, err := s.ASG.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: s.id(
				body.Group,
			), PolicyName: &body.PolicyName, PolicyType: aws.String("TargetTrackingScaling"), Enabled: aws.Bool(true), EstimatedInstanceWarmup: &warmup,
			TargetTrackingConfiguration: &types.TargetTrackingConfiguration{
				PredefinedMetricSpecification: metric,
				TargetValue:                   &value,
			},
		})
		if err == nil {
			f.ID = aws.ToString(made.PolicyARN)
		}
		return err
	})
	return f, err
}

// mixed is how long after machines have entered service an alarm can still look at
// a minute that began without them: the minute's rest, and as long again until it
// is measured and looked at.
const mixed = 2 * time.Minute

// policyWarmup is how long a policy does not count on new machines, in seconds:
// beside the group's own warm-up, until its alarm looks at minutes that were wholly
// theirs. Else it would add machines twice for one rise of the load (Amazon EC2 Auto
// Scaling API Reference, PutScalingPolicy, EstimatedInstanceWarmup).
func (s *Site) policyWarmup(ctx context.Context, group string) (int32, error) {
	g, _, err := s.group(ctx, group)
	return aws.ToInt32(g.raw.DefaultInstanceWarmup) + int32(mixed/time.Second), err
}

func (s *Site) deletePolicy(ctx context.Context, f plan.Found) error {
	group := f.Get("group")
	if _, err := s.ASG.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{AutoScalingGroupName: &group, PolicyName: &f.Name}); err != nil &&
		!goneFrom(err) {
		return fmt.Errorf("delete policy %s: %w", f.Name, err)
	}
	return nil
}

// goneFrom tells that a group, or what was to be deleted of it, is not there.
// Auto Scaling says so in words alone.
func goneFrom(err error) bool {
	return awsapi.IsNotFound(err) ||
		awsapi.Code(err) == "ValidationError" && strings.Contains(awsapi.Message(err), "not found")
}

func describeSchedule(a types.ScheduledUpdateGroupAction) plan.Found {
	f := plan.Found{
		Kind:   stack.KindSchedule,
		ID:     aws.ToString(a.ScheduledActionARN),
		Name:   aws.ToString(a.ScheduledActionName),
		Status: map[string]string{},
	}
	f.Set("group", aws.ToString(a.AutoScalingGroupName))
	f.Set("cron", aws.ToString(a.Recurrence))
	f.Set("time zone", aws.ToString(a.TimeZone))
	f.Set("min", number(a.MinSize))
	f.Set("max", number(a.MaxSize))
	f.Set("desired", number(a.DesiredCapacity))
	if a.StartTime != nil {
		f.Status["next"] = a.StartTime.UTC().Format("2006-01-02 15:04 MST")
	}
	return f
}

// putSchedule makes a schedule, or another of its name in its place.
func (s *Site) putSchedule(ctx context.Context, r stack.Resource, body stack.Schedule) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindSchedule, Name: body.ActionName, Status: map[string]string{}}
	err := s.soon(ctx, "set schedule "+body.ActionName, func(ctx context.Context) error {
		_, err := s.ASG.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
			AutoScalingGroupName: s.id(
				body.Group,
			), ScheduledActionName: &body.ActionName, Recurrence: &body.Cron, TimeZone: &body.TimeZone,
			MinSize: size(body.Min), MaxSize: size(body.Max), DesiredCapacity: size(body.Desired),
		})
		return err
	})
	return f, err
}

// replaceSchedule puts another schedule in the place of one. A size that a put
// leaves out would stay, so the old one goes first.
func (s *Site) replaceSchedule(ctx context.Context, r stack.Resource, body stack.Schedule, now plan.Found) error {
	if err := s.deleteSchedule(ctx, now); err != nil {
		return err
	}
	_, err := s.putSchedule(ctx, r, body)
	return err
}

func size(n int) *int32 {
	if n == 0 {
		return nil
	}
	return aws.Int32(int32(n))
}

func (s *Site) deleteSchedule(ctx context.Context, f plan.Found) error {
	group := f.Get("group")
	if _, err := s.ASG.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{AutoScalingGroupName: &group, ScheduledActionName: &f.Name}); err != nil &&
		!goneFrom(err) {
		return fmt.Errorf("delete schedule %s: %w", f.Name, err)
	}
	return nil
}
