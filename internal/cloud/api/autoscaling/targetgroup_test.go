//go:build linux

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
		must(w.AttachLoadBalancerTargetGroups(w.ctx, &autoscaling.AttachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targetGroup},
		}))(t)
		check(t, "states", w.targetGroupStates(), []string{"Adding"})
		w.waitForLoop()
		check(t, "states", w.targetGroupStates(), []string{"Added"})
		check(t, "number of targets", len(store.TargetsByTargetGroup.List(w.store.View(), w.targetGroup)), 3)
		sources := must(w.DescribeTrafficSources(w.ctx, &autoscaling.DescribeTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
		}))(t).TrafficSources
		check(t, "number of TrafficSources", len(sources), 1)
		check(t, "Identifier", *sources[0].Identifier, w.targetGroup)
		check(t, "State", *sources[0].State, "Added")

		w.update(func(tx *store.Tx) {
			for _, row := range store.Targets.List(tx) {
				store.Targets.Edit(tx, row.Key(), func(r *store.Target) { r.State = "healthy" })
			}
		})
		check(t, "states", w.targetGroupStates(), []string{"InService"})

		must(w.DetachTrafficSources(w.ctx, &autoscaling.DetachTrafficSourcesInput{
			AutoScalingGroupName: new("g"),
			TrafficSources:       []types.TrafficSourceIdentifier{{Identifier: &w.targetGroup, Type: new("elbv2")}},
		}))(t)
		check(t, "states", w.targetGroupStates(), []string{"Removing"})
		w.waitForLoop()
		check(t, "states", w.targetGroupStates(), nil)
		check(t, "number of targets", len(store.Targets.List(w.store.View())), 0)
		_, err := w.DetachLoadBalancerTargetGroups(w.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: new("g"), TargetGroupARNs: []string{w.targetGroup},
		})
		wantError(t, err, "ValidationError", "Trying to remove Target Groups that are not part of the group")
	})
}

func TestTrafficSourcesOtherThanTargetGroupsAreNotImplemented(t *testing.T) {
	w := newWorld(t)
	must(w.CreateAutoScalingGroup(w.ctx, w.groupOfThree()))(t)
	_, err := w.AttachTrafficSources(w.ctx, &autoscaling.AttachTrafficSourcesInput{
		AutoScalingGroupName: new("g"),
		TrafficSources:       []types.TrafficSourceIdentifier{{Identifier: new("lattice"), Type: new("vpc-lattice")}},
	})
	wantError(t, err, "NotImplemented", "vpc-lattice")
}

// targetGroupStates returns the states of the group's target groups.
func (w *world) targetGroupStates() (states []string) {
	w.t.Helper()
	in := &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: new("g")}
	for _, g := range must(w.DescribeLoadBalancerTargetGroups(w.ctx, in))(w.t).LoadBalancerTargetGroups {
		states = append(states, *g.State)
	}
	return states
}
