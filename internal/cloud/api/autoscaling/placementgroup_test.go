//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (w *world) createPlacementGroup(name string, strategy ec2types.PlacementStrategy) {
	w.t.Helper()
	must(w.ec2.CreatePlacementGroup(w.ctx, &ec2.CreatePlacementGroupInput{GroupName: &name, Strategy: strategy}))(w.t)
}

// placements returns how many of the group's instances are in each placement group.
func (w *world) placements() map[string]int {
	w.t.Helper()
	counts := map[string]int{}
	for _, i := range w.describeGroup().Instances {
		instance := must(w.ec2.DescribeInstances(w.ctx, &ec2.DescribeInstancesInput{
			InstanceIds: []string{*i.InstanceId},
		}))(w.t).Reservations[0].Instances[0]
		counts[*instance.Placement.GroupName]++
	}
	return counts
}

func TestGroupLaunchesIntoItsPlacementGroup(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createPlacementGroup("spread", ec2types.PlacementStrategySpread)
		w.createPlacementGroup("of-template", ec2types.PlacementStrategyPartition)
		must(w.ec2.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: new("placed"),
			LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
				ImageId: &w.image, InstanceType: "t3.micro",
				Placement: &ec2types.LaunchTemplatePlacementRequest{GroupName: new("of-template")},
			},
		}))(t)
		w.createGroup(func(in *createInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: new("placed")}
			in.PlacementGroup = new("spread")
		})
		check(t, "PlacementGroup", *w.describeGroup().PlacementGroup, "spread")
		check(t, "instances by placement group", w.placements(), map[string]int{"spread": 3})

		update := &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(4)), PlacementGroup: new(""),
		}
		must(w.UpdateAutoScalingGroup(w.ctx, update))(t)
		w.waitForLoop()
		check(t, "PlacementGroup that was removed", w.describeGroup().PlacementGroup, nil)
		check(t, "instances by placement group with that of the template",
			w.placements(), map[string]int{"spread": 3, "of-template": 1})

		update.PlacementGroup = new("none")
		_, err := w.UpdateAutoScalingGroup(w.ctx, update)
		wantError(t, err, "ValidationError", "The Placement Group 'none' is unknown.")
	})
}

func TestGroupWithALaunchConfigurationLaunchesIntoItsPlacementGroup(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createPlacementGroup("spread", ec2types.PlacementStrategySpread)
		must(w.CreateLaunchConfiguration(w.ctx, &autoscaling.CreateLaunchConfigurationInput{
			LaunchConfigurationName: new("c"), ImageId: &w.image, InstanceType: new("t3.micro"),
		}))(t)
		w.createGroup(func(in *createInput) {
			in.LaunchTemplate, in.LaunchConfigurationName = nil, new("c")
			in.PlacementGroup = new("spread")
		})
		check(t, "instances by placement group", w.placements(), map[string]int{"spread": 3})
	})
}

func TestCreateGroupRefusesAnUnknownPlacementGroup(t *testing.T) {
	checkCreateRefusals(t, newWorld(t), "ValidationError", map[string]refusal{
		"unknown": {
			func(in *createInput) { in.PlacementGroup = new("none") }, "The Placement Group 'none' is unknown.",
		},
	})
}
