package resource

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/stack"
)

// healthCheckELB makes a group replace instances that the load balancer finds
// unhealthy.
const healthCheckELB = "ELB"

// assumedBootTime is how long an instance is assumed to take from its launch to
// being healthy behind the load balancer until it has been measured. It is long
// enough for slow instances.
const assumedBootTime = 100 * time.Second

// gracePeriod returns how long a group keeps an instance that is not healthy: three
// times as long as instances took before, because later hosts may be busier.
func gracePeriod(boot time.Duration) *int32 {
	const step, least = 30 * time.Second, time.Minute
	return seconds(max((3*boot+step-1)/step*step, least))
}

// warmup returns the default instance warm-up, the time for which an instance that
// has entered service does not count. Instances enter service before they are
// healthy. A refresh waits so long before it replaces the next instance, and a
// policy ignores the metrics of the instance (Amazon EC2 Auto Scaling User Guide,
// "Set the default instance warmup").
func warmup(boot time.Duration) *int32 {
	return seconds((3*boot/2 + time.Second).Truncate(time.Second))
}

func seconds(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }

// setBootTimes sets a group's grace period and warm-up from measured boot times.
func (p *Provisioner) setBootTimes(ctx context.Context, name string, times *bootTimes) error {
	if times.longest == 0 {
		return nil
	}
	return retryEventual(ctx, "set the grace period of "+name, func(ctx context.Context) error {
		_, err := p.ASG.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName:   &name,
			HealthCheckGracePeriod: gracePeriod(times.longest),
			DefaultInstanceWarmup:  warmup(times.longest),
		})
		return err
	})
}

func maintenancePolicy() *types.InstanceMaintenancePolicy {
	return &types.InstanceMaintenancePolicy{
		MinHealthyPercentage: aws.Int32(stack.MinHealthyPercent),
		MaxHealthyPercentage: aws.Int32(stack.MaxHealthyPercent),
	}
}

func zoneDistribution() *types.AvailabilityZoneDistribution {
	return &types.AvailabilityZoneDistribution{
		CapacityDistributionStrategy: types.CapacityDistributionStrategyBalancedBestEffort,
	}
}

// impairmentPolicy keeps the instances of a zone that traffic is shifted away from.
// They are unreachable, not broken, and serve again when the shift ends (Amazon EC2
// Auto Scaling User Guide, "Auto Scaling group zonal shift").
func impairmentPolicy() *types.AvailabilityZoneImpairmentPolicy {
	return &types.AvailabilityZoneImpairmentPolicy{
		ZonalShiftEnabled:               aws.Bool(true),
		ImpairedZoneHealthCheckBehavior: types.ImpairedZoneHealthCheckBehaviorIgnoreUnhealthy,
	}
}

// scalingGroupTags returns the tags of a new group. Instances that it launches get those
// that the spec asks for, and Aloft's own from the launch template.
func (p *Provisioner) scalingGroupTags(r stack.Resource, name string) []types.Tag {
	own := r
	own.Tags = nil
	return slices.Concat(groupTags(p.tags(own), name, false), groupTags(userTags(r.Tags), name, true))
}

func launchTemplateSpecification(id string) *types.LaunchTemplateSpecification {
	template, version := splitVersionID(id)
	return &types.LaunchTemplateSpecification{LaunchTemplateId: &template, Version: &version}
}
