package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestTargetGroupsComeAndGo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.TargetGroupARNs = nil })
		tells := func() (out []string) {
			for _, g := range must(w.DescribeLoadBalancerTargetGroups(w.ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{
				AutoScalingGroupName: new("g"),
			}))(t).LoadBalancerTargetGroups {
				out = append(out, *g.State)
			}
			return out
		}
		must(w.AttachLoadBalancerTargetGroups(w.ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targets},
		}))(t)
		if got := tells(); len(got) != 1 || got[0] != "Adding" {
			t.Error(got)
		}
		w.settle()
		sources := must(w.DescribeTrafficSources(w.ctx, &autoscaling.DescribeTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
		}))(t).TrafficSources
		if got := tells(); got[0] != "Added" || len(sources) != 1 || *sources[0].Identifier != w.targets || *sources[0].State != "Added" || len(store.Targets.By(
			w.store.View(), "target_group", w.targets,
		)) != 3 {
			t.Error(got, sources)
		}
		w.update(func(tx *store.Tx) {
			for _, row := range store.Targets.List(tx) {
				store.Targets.Edit(tx, row.Key(), func(r *store.Target) { r.State = "healthy" })
			}
		})
		if got := tells(); got[0] != "InService" {
			t.Error(got)
		}
		must(w.DetachTrafficSources(w.ctx, &autoscaling.DetachTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
			TrafficSources:       []types.TrafficSourceIdentifier{{Identifier: &w.targets, Type: new("elbv2")}},
		}))(t)
		if got := tells(); len(got) != 1 || got[0] != "Removing" {
			t.Error(got)
		}
		w.settle()
		if got := tells(); len(got) != 0 || len(store.Targets.List(w.store.View())) != 0 {
			t.Error(got)
		}
		_, err := w.DetachLoadBalancerTargetGroups(w.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targets},
		})
		declined(t, err, "ValidationError", "Trying to remove Target Groups that are not part of the group")
		_, err = w.AttachTrafficSources(w.ctx, &autoscaling.AttachTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
			TrafficSources:       []types.TrafficSourceIdentifier{{Identifier: new("lattice"), Type: new("vpc-lattice")}},
		})
		declined(t, err, "NotImplemented", "vpc-lattice")
	})
}
