package authorization

import (
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
)

// scalingOperations: a scaling policy or a scheduled action belongs to its group.
var scalingOperations = operations{
	"CreateAutoScalingGroup":              createsRole(onGroup(), servicerole.AutoScaling),
	"UpdateAutoScalingGroup":              onGroup(),
	"DeleteAutoScalingGroup":              onGroup(),
	"SetDesiredCapacity":                  onGroup(),
	"SetInstanceProtection":               onGroup(),
	"AttachInstances":                     onGroup(),
	"DetachInstances":                     onGroup(),
	"EnterStandby":                        onGroup(),
	"ExitStandby":                         onGroup(),
	"CompleteLifecycleAction":             onGroup(),
	"RecordLifecycleActionHeartbeat":      onGroup(),
	"PutLifecycleHook":                    onGroup(),
	"DeleteLifecycleHook":                 onGroup(),
	"CreateLaunchConfiguration":           onNew("LaunchConfigurationName", launchConfiguration),
	"DeleteLaunchConfiguration":           onNew("LaunchConfigurationName", launchConfiguration),
	"PutNotificationConfiguration":        onGroup(),
	"DeleteNotificationConfiguration":     onGroup(),
	"PutWarmPool":                         onGroup(),
	"DeleteWarmPool":                      onGroup(),
	"EnableMetricsCollection":             onGroup(),
	"DisableMetricsCollection":            onGroup(),
	"PutScalingPolicy":                    onGroup(),
	"DeletePolicy":                        onGroup(),
	"ExecutePolicy":                       onGroup(),
	"StartInstanceRefresh":                onGroup(),
	"CancelInstanceRefresh":               onGroup(),
	"RollbackInstanceRefresh":             onGroup(),
	"SuspendProcesses":                    onGroup(),
	"ResumeProcesses":                     onGroup(),
	"PutScheduledUpdateGroupAction":       onGroup(),
	"BatchPutScheduledUpdateGroupAction":  onGroup(),
	"DeleteScheduledAction":               onGroup(),
	"BatchDeleteScheduledAction":          onGroup(),
	"AttachLoadBalancerTargetGroups":      onGroup(),
	"AttachLoadBalancers":                 onGroup(),
	"AttachTrafficSources":                onGroup(),
	"DetachLoadBalancerTargetGroups":      onGroup(),
	"DetachLoadBalancers":                 onGroup(),
	"DetachTrafficSources":                onGroup(),
	"CreateOrUpdateTags":                  onNew("Tags.ResourceId", scalingGroup),
	"DeleteTags":                          onNew("Tags.ResourceId", scalingGroup),
	"SetInstanceHealth":                   onNew("InstanceId", groupOfInstance),
	"TerminateInstanceInAutoScalingGroup": onNew("InstanceId", groupOfInstance),
}

// launchConfiguration returns a launch configuration, or the one that the call will create.
func launchConfiguration(s *subject, name string) []target {
	row, ok := store.LaunchConfigurations.Get(s, s.region.Key(name))
	if !ok {
		return []target{{
			arn: identity.ARN("autoscaling", s.region, "launchConfiguration:*:launchConfigurationName/"+name),
		}}
	}
	return []target{{arn: row.ARN}}
}

func onGroup() operation { return onNew("AutoScalingGroupName", scalingGroup) }

// scalingGroup returns an Auto Scaling group, or the one that the call will create.
func scalingGroup(s *subject, name string) []target {
	row, ok := store.ScalingGroups.Get(s, s.region.Key(name))
	if !ok {
		return []target{{
			arn: identity.ARN("autoscaling", s.region, "autoScalingGroup:*:autoScalingGroupName/"+name),
		}}
	}
	t := target{arn: row.ARN, tags: store.Tags{}}
	for _, tag := range row.Tags {
		t.tags[tag.Key] = tag.Value
	}
	return []target{t}
}

// groupOfInstance returns the group of an instance. It is unknown if there is none.
func groupOfInstance(s *subject, id string) []target {
	member, ok := store.ScalingInstances.Get(s, id)
	if !ok || member.Region != s.region {
		return nil
	}
	return scalingGroup(s, member.Group)
}
