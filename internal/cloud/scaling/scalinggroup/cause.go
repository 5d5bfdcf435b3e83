package scalinggroup

import (
	"fmt"
	"time"
)

// All words of activities are in this file: causes, descriptions and status
// messages. They are AWS's (Amazon EC2 Auto Scaling User Guide, Verify a scaling
// activity for an Auto Scaling group; the examples of the API Reference and the
// command line), because people and programs match them.

// Reasons to take an instance out of service. An activity says them after "an
// instance was taken out of service in response to ".
const (
	ReasonUnhealthy       = "an unhealthy instance needing to be replaced"
	ReasonELBHealthCheck  = "an ELB system health check failure"
	ReasonInstanceGone    = "an EC2 health check indicating it has been terminated or stopped"
	ReasonEC2StatusCheck  = "an EC2 instance status check failure"
	ReasonUserHealthCheck = "a user health-check"
	ReasonInstanceRefresh = "an instance refresh"
	ReasonMaxLifetime     = "maximum instance lifetime"
)

// Reasons to change the desired capacity. An activity says them before " changing
// the desired capacity from … to …".
const (
	BecauseUserSetCapacity = "a user request explicitly set group desired capacity"
	BecauseGroupCreated    = "a user request created an AutoScalingGroup"
)

// BecauseUserSetSizes is the reason of a user's update of the group's sizes.
func BecauseUserSetSizes(least, most, desired int32) string {
	return fmt.Sprintf(
		"a user request update of AutoScalingGroup constraints to min: %d, max: %d, desired: %d",
		least, most, desired,
	)
}

// BecauseOfAlarm is the reason of a scaling policy that an alarm triggered.
func BecauseOfAlarm(alarm, state, policy string) string {
	return fmt.Sprintf("a monitor alarm %s in state %s triggered policy %s", alarm, state, policy)
}

// BecauseUserExecuted is the reason of a scaling policy that a user executed.
func BecauseUserExecuted(policy string) string { return "a user request executed policy " + policy }

// BecauseOfSchedule is the reason of a scheduled action.
func BecauseOfSchedule(least, most, desired int32) string {
	return fmt.Sprintf(
		"a scheduled action update of AutoScalingGroup constraints to min: %d, max: %d, desired: %d",
		least, most, desired,
	)
}

// sentence returns one sentence of a cause.
func sentence(at time.Time, format string, args ...any) string {
	return "At " + at.UTC().Format("2006-01-02T15:04:05Z") + " " + fmt.Sprintf(format, args...) + "."
}

// causeDesiredChanged says that the desired capacity changed.
func causeDesiredChanged(at time.Time, because string, from, to int32) string {
	return sentence(at, "%s changing the desired capacity from %d to %d", because, from, to)
}

// CauseGrown says that a launch brings the group to its desired capacity.
func CauseGrown(at time.Time, from, to int) string {
	return sentence(at, "an instance was started in response to a difference between desired and actual capacity, "+
		"increasing the capacity from %d to %d", from, to)
}

// CauseShrunk says that a termination brings the group to its desired capacity.
func CauseShrunk(at time.Time, from, to int) string {
	return sentence(at, "an instance was taken out of service in response to a difference between desired and "+
		"actual capacity, shrinking the capacity from %d to %d", from, to)
}

// CausePoolGrown says that a launch brings the warm pool to its size.
func CausePoolGrown(at time.Time, from, to int) string {
	return sentence(at, "an instance was started in response to a difference between desired and actual capacity of "+
		"the warm pool, increasing the capacity from %d to %d", from, to)
}

// CausePoolShrunk says that a termination brings the warm pool to its size.
func CausePoolShrunk(at time.Time, from, to int) string {
	return sentence(at, "an instance was taken out of the warm pool in response to a difference between desired and "+
		"actual capacity, shrinking the capacity from %d to %d", from, to)
}

// CauseLaunched says in response to which reason an instance was launched.
func CauseLaunched(at time.Time, reason string) string {
	return sentence(at, "an instance was launched in response to %s", reason)
}

// CauseTakenOut says for which reason an instance was taken out of service.
func CauseTakenOut(at time.Time, reason string) string {
	return sentence(at, "an instance was taken out of service in response to %s", reason)
}

// CauseSelected says that the termination policies chose an instance.
func CauseSelected(at time.Time, instanceID string) string {
	return sentence(at, "instance %s was selected for termination", instanceID)
}

// CauseLaunchCancelled says that an instance leaves before it entered service.
func CauseLaunchCancelled(at time.Time) string {
	return sentence(at, "an instance was taken out of service in response to its launch being cancelled")
}

// CauseZonesUneven says that a launch evens out the zones. zones and counts are
// lists separated by spaces.
func CauseZonesUneven(at time.Time, zones, counts string) string {
	return sentence(at, "availability zones %s had %s instances respectively.  An instance was launched to aid in "+
		"balancing the group's zones", zones, counts)
}

// CauseBalanced says that the group has more instances than desired because it
// launched some to balance its zones.
func CauseBalanced(at time.Time, zones string) string {
	return sentence(at, "instances were launched to balance instances in zones %s with other zones resulting in "+
		"more than desired number of instances in the group", zones)
}

// CauseUserTookOut says that a user took an instance out of service. resize is the
// result of SuffixGrown or SuffixShrunk, or empty.
func CauseUserTookOut(at time.Time, instanceID, resize string) string {
	return sentence(at, "instance %s was taken out of service in response to a user request%s", instanceID, resize)
}

// CauseUserAttached says that a user attached an instance.
func CauseUserAttached(at time.Time, resize string) string {
	return sentence(at, "an instance was attached in response to a user request%s", resize)
}

// CauseUserMoved says what a user did to an instance: "detached", "moved to
// standby", "moved out of standby".
func CauseUserMoved(at time.Time, instanceID, done, resize string) string {
	return sentence(at, "instance %s was %s in response to a user request%s", instanceID, done, resize)
}

// SuffixGrown continues the cause of a user request that increases the capacity.
func SuffixGrown(from, to int32) string {
	return fmt.Sprintf(", increasing the capacity from %d to %d", from, to)
}

// SuffixShrunk continues the cause of a user request that decreases the capacity.
func SuffixShrunk(from, to int32) string {
	return fmt.Sprintf(", shrinking the capacity from %d to %d", from, to)
}

// Descriptions of activities, before an instance's id.
const (
	describeLaunch      = "Launching a new EC2 instance"
	describeIntoPool    = "Launching a new EC2 instance into warm pool"
	describeFromPool    = "Launching a new EC2 instance from warm pool"
	describeTermination = "Terminating EC2 instance"

	DescribeAttach       = "Attaching an existing EC2 instance: "
	DescribeDetach       = "Detaching EC2 instance: "
	DescribeEnterStandby = "Moving EC2 instance to Standby: "
	DescribeExitStandby  = "Moving EC2 instance out of Standby: "

	// DescribeProtected is the description of a scale-in that protection prevents.
	DescribeProtected = "Could not scale to desired capacity because all remaining instances are protected from " +
		"scale in."
)

// DescribeLaunch describes a launch, into the group or its warm pool. instanceID is empty
// until there is one.
func DescribeLaunch(instanceID string, warm bool) string {
	words := describeLaunch
	if warm {
		words = describeIntoPool
	}
	if instanceID == "" {
		return words
	}
	return words + ": " + instanceID
}

// MessageDiedBeforeService is the status message of a launch whose instance ended
// with a state reason before it entered service.
func MessageDiedBeforeService(stateReason string) string {
	return "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: " +
		stateReason
}

// MessageHookAbandoned is the status message of a launch that a lifecycle hook
// ended.
func MessageHookAbandoned(token, why string) string {
	return "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token " + token +
		" was abandoned: " + why
}

// Why a lifecycle hook ended a launch.
const (
	WhyAbandonResult    = "Lifecycle Action Completed with ABANDON Result"
	WhyHeartbeatTimeout = "Heartbeat Timeout"
)

// MessageTargetGroupMissing is the status message of a launch into a group whose
// target group does not exist.
const MessageTargetGroupMissing = "One or more target groups not found. " +
	"Validating load balancer configuration failed."
