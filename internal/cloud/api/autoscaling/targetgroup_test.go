package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAttachAndDetachTargetGroups(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(func(in *createInput) { in.TargetGroupARNs = nil })
		states := func() (out []string) {
			for _, g := range must(w.DescribeLoadBalancerTargetGroups(w.ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{
				AutoScalingGroupName: new("g"),
			}))(t).LoadBalancerTargetGroups {
				out = append(out, *g.State)
			}
			return out
		}
		must(w.AttachLoadBalancerTargetGroups(w.ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targetGroup},
		}))(t)
		if got := states(); len(got) != 1 || got[0] != "Adding" {
			t.Error(got)
		}
		w.waitForLoop()
		sources := must(w.DescribeTrafficSources(w.ctx, &autoscaling.DescribeTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
		}))(t).TrafficSources
		if got := states(); got[0] != "Added" || len(sources) != 1 || *sources[0].Identifier != w.targetGroup ||
			*sources[0].State != "Added" || len(store.Targets.By(
			w.store.View(), "target_group", w.targetGroup,
		)) != 3 {
			t.Error(got, sources)
		}
		w.update(func(tx *store.Tx) {
			for _, row := range store.Targets.List(tx) {
				store.Targets.Edit(tx, row.Key(), func(r *store.Target) { r.State = "healthy" })
			}
		})
		if got := states(); got[0] != "InService" {
			t.Error(got)
		}
		must(w.DetachTrafficSources(w.ctx, &autoscaling.DetachTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
			TrafficSources:       []types.TrafficSourceIdentifier{{Identifier: &w.targetGroup, Type: new("elbv2")}},
		}))(t)
		if got := states(); len(got) != 1 || got[0] != "Removing" {
			t.Error(got)
		}
		w.waitForLoop()
		if got := states(); len(got) != 0 || len(store.Targets.List(w.store.View())) != 0 {
			t.Error(got)
		}
		_, err := w.DetachLoadBalancerTargetGroups(w.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targetGroup},
		})
		wantError(t, err, "ValidationError", "Trying to remove Target Groups that are not part of the group")
		_, err = w.AttachTrafficSources(w.ctx, &autoscaling.AttachTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
			TrafficSources: []types.TrafficSourceIdentifier{
				{Identifier: new("lattice"), Type: new("vpc-lattice")},
			},
		})
		wantError(t, err, "NotImplemented", "vpc-lattice")
	})
}
