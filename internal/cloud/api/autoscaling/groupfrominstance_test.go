//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestGroupsLikeAnInstance(t *testing.T) {
	withLoop(t, func(w *world) {
		like := must(w.ec2.RunInstances(w.ctx, &ec2.RunInstancesInput{
			ImageId: &w.image, InstanceType: "t3.small", SubnetId: &w.subnets[1], UserData: new("IyE="),
			MinCount: new(int32(1)), MaxCount: new(int32(1)),
		}))(t).Instances[0]
		ids := w.createGroup(func(in *createInput) {
			in.LaunchTemplate, in.VPCZoneIdentifier, in.InstanceId = nil, nil, like.InstanceId
		})
		g := w.describeGroup()
		check(t, "LaunchConfigurationName", *g.LaunchConfigurationName, "g")
		check(t, "VPCZoneIdentifier", *g.VPCZoneIdentifier, w.subnets[1])
		row, _ := store.Instances.Get(w.store.View(), ids[0])
		check(t, "type of an instance", row.Type, "t3.small")
		c := must(w.DescribeLaunchConfigurations(w.ctx, &autoscaling.DescribeLaunchConfigurationsInput{}))(t)
		check(t, "number of launch configurations", len(c.LaunchConfigurations), 1)
		check(t, "UserData", *c.LaunchConfigurations[0].UserData, "IyE=")
	})
}

func TestGroupsLikeAnInstanceAreRefused(t *testing.T) {
	w := newWorld(t)
	checkCreateRefusals(t, w, "ValidationError", map[string]refusal{
		"unknown": {
			func(in *createInput) { in.LaunchTemplate, in.InstanceId = nil, new("i-1") }, "Instance [i-1] is invalid.",
		},
		"and a template": {func(in *createInput) { in.InstanceId = new("i-1") }, "Valid requests must contain either"},
		"Classic Load Balancers": {
			func(in *createInput) { in.LoadBalancerNames = []string{"elb"} }, "Provided Load Balancers may not",
		},
	})
	like := must(w.ec2.RunInstances(w.ctx, &ec2.RunInstancesInput{
		ImageId: &w.image, InstanceType: "t3.small", MinCount: new(int32(1)), MaxCount: new(int32(1)),
	}))(t).Instances[0]
	w.mustConfigure("g", nil)
	checkCreateRefusals(t, w, "AlreadyExists", map[string]refusal{"a configuration with the name": {
		func(in *createInput) { in.LaunchTemplate, in.InstanceId = nil, like.InstanceId },
		"A launch configuration already exists with the name g",
	}})
	if groups := store.ScalingGroups.List(w.store.View()); len(groups) != 0 {
		t.Errorf("refused requests created %v", groups)
	}
}
