//go:build linux

package autoscaling_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestCreateGroupAppliesDefaults(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		g := w.describeGroup()
		if arn := *g.AutoScalingGroupARN; !strings.HasPrefix(
			arn, "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:",
		) || !strings.HasSuffix(arn, ":autoScalingGroupName/g") {
			t.Errorf("AutoScalingGroupARN is %s", arn)
		}
		check(t, "DefaultCooldown", *g.DefaultCooldown, 300)
		check(t, "HealthCheckType", *g.HealthCheckType, "EC2")
		check(t, "HealthCheckGracePeriod", *g.HealthCheckGracePeriod, 0)
		check(t, "DefaultInstanceWarmup", g.DefaultInstanceWarmup, nil)
		check(t, "NewInstancesProtectedFromScaleIn", *g.NewInstancesProtectedFromScaleIn, false)
		check(t, "CapacityRebalance", *g.CapacityRebalance, false)
		check(t, "ServiceLinkedRoleARN", *g.ServiceLinkedRoleARN, "arn:aws:iam::000000000000:role/aws-service-role/"+
			"autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
		check(t, "TerminationPolicies", g.TerminationPolicies, []string{"Default"})
		check(t, "CapacityDistributionStrategy",
			g.AvailabilityZoneDistribution.CapacityDistributionStrategy, "balanced-best-effort")
		check(t, "ZonalShiftEnabled", *g.AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled, false)
		check(t, "InstanceMaintenancePolicy", g.InstanceMaintenancePolicy, nil)
		check(t, "MaxInstanceLifetime", g.MaxInstanceLifetime, nil)
		check(t, "Status", g.Status, nil)
		check(t, "MixedInstancesPolicy", g.MixedInstancesPolicy, nil)
		check(t, "DeletionProtection", g.DeletionProtection, "none")

		check(t, "LaunchTemplateName", *g.LaunchTemplate.LaunchTemplateName, "web")
		check(t, "Version", g.LaunchTemplate.Version, nil) // as in the request
		if id := *g.LaunchTemplate.LaunchTemplateId; !strings.HasPrefix(id, "lt-") {
			t.Errorf("LaunchTemplateId is %s", id)
		}
		check(t, "VPCZoneIdentifier", *g.VPCZoneIdentifier, strings.Join(w.subnets, ","))
		check(t, "AvailabilityZones", g.AvailabilityZones, []string{"us-east-1a", "us-east-1b", "us-east-1c"})
		check(t, "number of AvailabilityZoneIds", len(g.AvailabilityZoneIds), 3)
		check(t, "TargetGroupARNs", g.TargetGroupARNs, []string{w.targetGroup})
		check(t, "number of TrafficSources", len(g.TrafficSources), 1)
		check(t, "Type of the traffic source", *g.TrafficSources[0].Type, "elbv2")
		check(t, "number of instances", len(ids), 3)
	})
}

func TestInstancesOfANewGroupAreDescribed(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		i := w.describeGroup().Instances[0]
		check(t, "LifecycleState", i.LifecycleState, "InService")
		check(t, "HealthStatus", *i.HealthStatus, "Healthy")
		check(t, "LaunchTemplateName", *i.LaunchTemplate.LaunchTemplateName, "web")
		check(t, "Version", *i.LaunchTemplate.Version, "1")
		check(t, "InstanceType", *i.InstanceType, "t3.micro")
		check(t, "ProtectedFromScaleIn", *i.ProtectedFromScaleIn, false)

		details := must(w.DescribeAutoScalingInstances(w.ctx, &autoscaling.DescribeAutoScalingInstancesInput{
			InstanceIds: []string{ids[1], "i-0"},
		}))(t).AutoScalingInstances
		check(t, "number of AutoScalingInstances", len(details), 1)
		check(t, "AutoScalingGroupName", *details[0].AutoScalingGroupName, "g")
		check(t, "HealthStatus in upper case", *details[0].HealthStatus, "HEALTHY")
		check(t, "LifecycleState", *details[0].LifecycleState, "InService")

		groups := must(w.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{
			IncludeInstances: new(false),
		}))(t).AutoScalingGroups
		check(t, "number of AutoScalingGroups", len(groups), 1)
		check(t, "Instances if not included", len(groups[0].Instances), 0)
	})
}

func TestMixedInstancesPolicyGetsDefaultsAndLaunchesItsFirstType(t *testing.T) {
	withLoop(t, func(w *world) {
		base := &types.LaunchTemplateSpecification{LaunchTemplateName: new("web"), Version: new("$Latest")}
		w.createGroup(func(in *createInput) {
			in.LaunchTemplate = nil
			in.MixedInstancesPolicy = &types.MixedInstancesPolicy{LaunchTemplate: &types.LaunchTemplate{
				LaunchTemplateSpecification: base,
				Overrides: []types.LaunchTemplateOverrides{
					{InstanceType: new("t3.small")}, {InstanceType: new("t3.medium")},
				},
			}}
		})
		g := w.describeGroup()
		check(t, "LaunchTemplate", g.LaunchTemplate, nil)
		d := g.MixedInstancesPolicy.InstancesDistribution
		check(t, "OnDemandAllocationStrategy", *d.OnDemandAllocationStrategy, "prioritized")
		check(t, "OnDemandBaseCapacity", *d.OnDemandBaseCapacity, 0)
		check(t, "OnDemandPercentageAboveBaseCapacity", *d.OnDemandPercentageAboveBaseCapacity, 100)
		check(t, "SpotAllocationStrategy", *d.SpotAllocationStrategy, "lowest-price")
		check(t, "SpotInstancePools", *d.SpotInstancePools, 2)
		lt := g.MixedInstancesPolicy.LaunchTemplate
		check(t, "Version", *lt.LaunchTemplateSpecification.Version, "$Latest")
		check(t, "number of Overrides", len(lt.Overrides), 2)
		check(t, "InstanceType", *g.Instances[0].InstanceType, "t3.small")
		if *lt.LaunchTemplateSpecification.LaunchTemplateId == "" {
			t.Error("LaunchTemplateId is empty")
		}

		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), LaunchTemplate: base,
		}))(t)
		g = w.describeGroup()
		check(t, "MixedInstancesPolicy after the update", g.MixedInstancesPolicy, nil)
		check(t, "Version after the update", *g.LaunchTemplate.Version, "$Latest")
	})
}

func TestAGroupHasSpotInstances(t *testing.T) {
	lifecycles := func(w *world) (all []string) {
		for _, i := range w.describeGroup().Instances {
			machine, _ := store.Instances.Get(w.store.View(), *i.InstanceId)
			request, _ := store.SpotRequests.Get(w.store.View(), machine.SpotRequestID)
			if request == nil {
				all = append(all, "On-Demand")
			} else {
				all = append(all, "Spot "+request.MaxPrice)
			}
		}
		slices.Sort(all)
		return all
	}
	withLoop(t, func(w *world) {
		w.createGroup(mixedPolicy(&types.InstancesDistribution{
			OnDemandPercentageAboveBaseCapacity: new(int32(0)), OnDemandBaseCapacity: new(int32(1)),
			SpotMaxPrice: new("0.2"), SpotAllocationStrategy: new("price-capacity-optimized"),
		}, types.LaunchTemplateOverrides{InstanceType: new("t3.small")}))
		check(t, "instances", lifecycles(w), []string{"On-Demand", "Spot 0.2", "Spot 0.2"})
	})
	withLoop(t, func(w *world) {
		w.mustConfigure("spot", func(in *configurationInput) { in.SpotPrice = new("0.1") })
		w.createGroup(fromConfiguration("spot"))
		check(t, "instances", lifecycles(w), []string{"Spot 0.1", "Spot 0.1", "Spot 0.1"})
		out := must(w.DescribeLaunchConfigurations(w.ctx, &autoscaling.DescribeLaunchConfigurationsInput{}))(t)
		check(t, "SpotPrice", *out.LaunchConfigurations[0].SpotPrice, "0.1")
	})
}

func TestAMixedInstancesPolicyTakesNoTemplateOfSpotInstances(t *testing.T) {
	w := newWorld(t)
	must(w.ec2.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: new("spot"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: &w.image, InstanceType: "t3.micro",
			InstanceMarketOptions: &ec2types.LaunchTemplateInstanceMarketOptionsRequest{MarketType: "spot"},
		},
	}))(t)
	template := &types.LaunchTemplateSpecification{LaunchTemplateName: new("spot")}
	checkCreateRefusals(t, w, "ValidationError", map[string]refusal{
		"policy": {func(in *createInput) {
			mixedPolicy(nil)(in)
			in.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification = template
		}, "InstanceMarketOptions"},
		"override": {
			mixedPolicy(nil, types.LaunchTemplateOverrides{LaunchTemplateSpecification: template}),
			"InstanceMarketOptions",
		},
	})
}

func TestADesiredCapacityCountsVCPUs(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(func(in *createInput) {
			mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceRequirements: vcpus(2)})(in)
			in.DesiredCapacityType, in.DesiredCapacity, in.MaxSize = new("vcpu"), new(int32(3)), new(int32(4))
		})
		g := w.describeGroup()
		check(t, "instances of two vCPUs", len(g.Instances), 2)
		check(t, "WeightedCapacity", *g.Instances[0].WeightedCapacity, "2")
		check(t, "DesiredCapacityType", *g.DesiredCapacityType, "vcpu")
	})
}

func TestAGroupChoosesTypesByRequirements(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(mixedPolicy(nil, types.LaunchTemplateOverrides{InstanceRequirements: vcpus(2)}))
		g := w.describeGroup()
		check(t, "InstanceType", *g.Instances[0].InstanceType, "c1.medium") // the smallest
		check(t, "VCpuCount", *g.MixedInstancesPolicy.LaunchTemplate.Overrides[0].InstanceRequirements.VCpuCount.Min, 2)
		check(t, "strategy", *g.MixedInstancesPolicy.InstancesDistribution.OnDemandAllocationStrategy, "lowest-price")
	})
}
