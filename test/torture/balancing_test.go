//go:build linux

package torture

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/simulation"
)

// targetGroup is a target group whose targets come and go together.
type targetGroup struct{}

func (targetGroup) observe(view store.Reader, t *thing) string {
	for _, row := range store.TargetGroups.List(view) {
		if row.Name != t.name {
			continue
		}
		t.id = row.ARN
		registered := 0
		for _, target := range store.TargetsByTargetGroup.List(view, row.ARN) {
			if target.DeregisteredAt.IsZero() {
				registered++
			}
		}
		return fmt.Sprintf("%d targets", registered)
	}
	return absent
}

// targets are addresses in the default VPC.
var targets = []types.TargetDescription{
	{Id: aws.String("172.31.0.200")}, {Id: aws.String("172.31.0.201")}, {Id: aws.String("172.31.0.202")},
}

func (targetGroup) steps(state string) []step {
	remove := step{absent, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &t.id})
		return err
	}}
	switch state {
	case absent:
		return []step{{"0 targets", func(ctx context.Context, a *api, t *thing) error {
			made, err := a.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
				Name: &t.name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &a.vpc,
				TargetType: types.TargetTypeEnumIp,
			})
			if err == nil {
				t.id = *made.TargetGroups[0].TargetGroupArn
			}
			return err
		}}}
	case "0 targets":
		return []step{remove, {"3 targets", func(ctx context.Context, a *api, t *thing) error {
			_, err := a.elb.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &t.id, Targets: targets})
			return err
		}}}
	}
	return []step{remove, {"0 targets", func(ctx context.Context, a *api, t *thing) error {
		_, err := a.elb.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &t.id, Targets: targets})
		return err
	}}}
}

// loadBalancer is a load balancer with two nodes, with or without a listener.
type loadBalancer struct{}

func (loadBalancer) observe(view store.Reader, t *thing) string {
	for _, row := range store.LoadBalancers.List(view) {
		if row.Name == t.name {
			t.id = row.ARN
			listeners := store.ListenersByLoadBalancer.List(view, row.ARN)
			return fmt.Sprintf("%d nodes, %d listeners", len(row.Nodes), len(listeners))
		}
	}
	return absent
}

func (loadBalancer) steps(state string) []step {
	const without, with = "2 nodes, 0 listeners", "2 nodes, 1 listeners"
	if state == absent {
		return []step{{without, func(ctx context.Context, a *api, t *thing) error {
			made, err := a.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
				Name: &t.name, Subnets: a.subnets[:2],
			})
			if err == nil {
				t.id = *made.LoadBalancers[0].LoadBalancerArn
			}
			return err
		}}}
	}
	all := []step{{absent, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &t.id})
		return err
	}}}
	if state == without {
		all = append(all, step{with, func(ctx context.Context, a *api, t *thing) error {
			_, err := a.elb.CreateListener(ctx, &elb.CreateListenerInput{
				LoadBalancerArn: &t.id, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp,
				DefaultActions: []types.Action{{
					Type:                types.ActionTypeEnumFixedResponse,
					FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("200")},
				}},
			})
			return err
		}})
	}
	return all
}

// scalingGroup is an Auto Scaling group. One that is being deleted is absent.
type scalingGroup struct{}

func (scalingGroup) observe(view store.Reader, t *thing) string {
	row, ok := store.ScalingGroups.Get(view, simulation.Region+"/"+t.name)
	if !ok || row.Deleting {
		return absent
	}
	return fmt.Sprintf("%d desired", row.Desired)
}

func (scalingGroup) steps(state string) []step {
	if state == absent {
		return []step{{"1 desired", func(ctx context.Context, a *api, t *thing) error {
			_, err := a.scaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
				AutoScalingGroupName: &t.name,
				MinSize:              aws.Int32(0), MaxSize: aws.Int32(3), DesiredCapacity: aws.Int32(1),
				AvailabilityZones: []string{simulation.Region + "a", simulation.Region + "b"},
				LaunchTemplate: &scalingtypes.LaunchTemplateSpecification{
					LaunchTemplateName: aws.String(templateName),
				},
			})
			return err
		}}}
	}
	all := []step{{absent, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.scaling.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{
			AutoScalingGroupName: &t.name, ForceDelete: aws.Bool(true),
		})
		return err
	}}}
	for desired := range int32(3) {
		all = append(all, step{fmt.Sprintf("%d desired", desired), func(ctx context.Context, a *api, t *thing) error {
			_, err := a.scaling.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{
				AutoScalingGroupName: &t.name, DesiredCapacity: &desired,
			})
			return err
		}})
	}
	return all
}
