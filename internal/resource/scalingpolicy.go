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
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// alarmDelay is how long after instances have entered service an alarm may still
// evaluate a minute that began without them: the rest of that minute, and a minute
// until it is measured and evaluated.
const alarmDelay = 2 * time.Minute

var scalingPolicyKind = kind{
	name:   stack.KindScalingPolicy,
	find:   findOfEachGroup((*Cloud).scalingPolicies),
	create: created((*Provisioner).putScalingPolicy),
	update: updated((*Provisioner).updateScalingPolicy),
	remove: (*Provisioner).deleteScalingPolicy,
}

type scalingPolicyAPI interface {
	DescribePolicies(
		context.Context, *autoscaling.DescribePoliciesInput, ...func(*autoscaling.Options),
	) (*autoscaling.DescribePoliciesOutput, error)
	PutScalingPolicy(
		context.Context, *autoscaling.PutScalingPolicyInput, ...func(*autoscaling.Options),
	) (*autoscaling.PutScalingPolicyOutput, error)
	DeletePolicy(
		context.Context, *autoscaling.DeletePolicyInput, ...func(*autoscaling.Options),
	) (*autoscaling.DeletePolicyOutput, error)
}

// findOfEachGroup returns a findFunc for parts of Auto Scaling groups, which list
// returns by group.
func findOfEachGroup(list func(*Cloud, context.Context, string) ([]plan.Found, error)) findFunc {
	return func(ctx context.Context, d *discovery) ([]plan.Found, error) {
		groups, err := d.findScalingGroups(ctx)
		if err != nil {
			return nil, err
		}
		parts := make([][]plan.Found, len(groups))
		group, ctx := errgroup.WithContext(ctx)
		for i, g := range groups {
			group.Go(func() (err error) {
				parts[i], err = list(d.Cloud, ctx, g.found.ID)
				return err
			})
		}
		err = group.Wait()
		return slices.Concat(parts...), err
	}
}

// scalingPolicies returns the policies of a group that have the application's name.
// Others are users' own.
func (c *Cloud) scalingPolicies(ctx context.Context, group string) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		autoscaling.NewDescribePoliciesPaginator(c.ASG, &autoscaling.DescribePoliciesInput{
			AutoScalingGroupName: &group,
		}),
		func(page *autoscaling.DescribePoliciesOutput) []types.ScalingPolicy { return page.ScalingPolicies },
	)
	if err != nil {
		return nil, ignoreNotFound("list the policies of "+group, err)
	}
	others := func(f plan.Found) bool { return f.Name != stack.ScalingName(c.App) }
	return slices.DeleteFunc(describe(list, describeScalingPolicy), others), nil
}

func describeScalingPolicy(p types.ScalingPolicy) plan.Found {
	f := plan.Found{
		Address: stack.AddressScalingPolicy,
		Kind:    stack.KindScalingPolicy,
		ID:      aws.ToString(p.PolicyARN),
		Name:    aws.ToString(p.PolicyName),
	}
	f.Set(stack.AttrGroup, aws.ToString(p.AutoScalingGroupName))
	f.Set(stack.AttrEnabled, yesNo(p.Enabled == nil || *p.Enabled))
	t := p.TargetTrackingConfiguration
	if t == nil || t.PredefinedMetricSpecification == nil {
		return f
	}
	metric := t.PredefinedMetricSpecification
	f.Set(stack.AttrMetric, string(metric.PredefinedMetricType))
	f.Set(stack.AttrTargetValue, strconv.FormatFloat(aws.ToFloat64(t.TargetValue), 'f', -1, 64))
	if balancer, group := splitResourceLabel(f.ID, aws.ToString(metric.ResourceLabel)); balancer != "" {
		f.Set(stack.AttrMetricLoadBalancer, balancer)
		f.Set(stack.AttrMetricTargetGroup, group)
	}
	return f
}

// A resource label names a load balancer and a target group by the ends of their
// ARNs: "app/x/1/targetgroup/y/2" (Amazon EC2 Auto Scaling API Reference,
// PredefinedMetricSpecification).
const (
	balancerPrefix = ":loadbalancer/"
	groupPrefix    = "targetgroup/"
)

func resourceLabel(balancer, group string) string {
	_, balancerEnd, _ := strings.Cut(balancer, balancerPrefix)
	_, groupEnd, _ := strings.Cut(group, ":"+groupPrefix)
	return balancerEnd + "/" + groupPrefix + groupEnd
}

// splitResourceLabel returns the ARNs that a label stands for, in the partition,
// region and account of the policy.
func splitResourceLabel(policy, label string) (balancer, group string) {
	balancerEnd, groupEnd, ok := strings.Cut(label, "/"+groupPrefix)
	if !ok {
		return "", ""
	}
	return balancingARN(policy, balancerPrefix+balancerEnd), balancingARN(policy, ":"+groupPrefix+groupEnd)
}

// putScalingPolicy creates or changes a policy, which its name identifies.
func (p *Provisioner) putScalingPolicy(
	ctx context.Context,
	r stack.Resource,
	body stack.ScalingPolicy,
) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindScalingPolicy, Name: body.PolicyName}
	metric := &types.PredefinedMetricSpecification{PredefinedMetricType: stack.MetricCPU}
	value := float64(body.CPU)
	if body.CPU == 0 {
		value = float64(body.Requests)
		label := resourceLabel(*p.id(body.LoadBalancer), *p.id(body.TargetGroup))
		metric.PredefinedMetricType, metric.ResourceLabel = stack.MetricRequests, &label
	}
	group := *p.id(body.Group)
	warmup, err := p.policyWarmup(ctx, group)
	if err != nil {
		return f, err
	}
	err = retryEventual(ctx, "set the scaling policy of "+group, func(ctx context.Context) error {
		out, err := p.ASG.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName:    &group,
			PolicyName:              &body.PolicyName,
			PolicyType:              aws.String("TargetTrackingScaling"),
			Enabled:                 aws.Bool(true),
			EstimatedInstanceWarmup: &warmup,
			TargetTrackingConfiguration: &types.TargetTrackingConfiguration{
				PredefinedMetricSpecification: metric, TargetValue: &value,
			},
		})
		if err == nil {
			f.ID = aws.ToString(out.PolicyARN)
		}
		return err
	})
	return f, err
}

// policyWarmup returns how long a policy does not count new instances, in seconds:
// the group's warm-up, and until its alarm evaluates minutes that were entirely
// theirs. Otherwise it would add instances twice for one rise of the load (Amazon
// EC2 Auto Scaling API Reference, PutScalingPolicy, EstimatedInstanceWarmup).
func (p *Provisioner) policyWarmup(ctx context.Context, group string) (int32, error) {
	g, _, err := p.scalingGroup(ctx, group)
	return aws.ToInt32(g.raw.DefaultInstanceWarmup) + int32(alarmDelay/time.Second), err
}

func (p *Provisioner) updateScalingPolicy(
	ctx context.Context,
	r stack.Resource,
	body stack.ScalingPolicy,
	_ plan.Found,
) error {
	_, err := p.putScalingPolicy(ctx, r, body)
	return err
}

func (p *Provisioner) deleteScalingPolicy(ctx context.Context, f plan.Found) error {
	_, err := p.ASG.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{
		AutoScalingGroupName: aws.String(f.Value(stack.AttrGroup)), PolicyName: &f.Name,
	})
	return ignoreScalingNotFound(fmt.Sprintf("delete policy %s", f.Name), err)
}
