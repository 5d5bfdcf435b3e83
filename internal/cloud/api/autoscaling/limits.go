package autoscaling

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of an account and of a group (Amazon EC2 Auto Scaling User Guide,
// Quotas; Scheduled scaling).
const (
	maxHooks            = 50  // per group
	maxPolicies         = 50  // per group
	maxSteps            = 20  // per step scaling policy
	maxScheduledActions = 125 // per group
	maxTopics           = 10  // per group
)

// Limits of one request (Amazon EC2 Auto Scaling API Reference, the operations).
const (
	maxMoved        = 20  // instances to attach, to detach, or to move to or out of standby
	maxProtected    = 50  // instances of SetInstanceProtection
	maxTerminated   = 100 // instances of TerminateInstanceInAutoScalingGroup
	maxDescribed    = 50  // IDs of instances, activities or instance refreshes
	maxActionsBatch = 50  // scheduled actions of a batch operation
)

// Bounds and defaults of durations, in seconds (Amazon EC2 Auto Scaling API
// Reference).
const (
	minHeartbeat     = 30 // PutLifecycleHook, HeartbeatTimeout
	maxHeartbeat     = 7200
	defaultHeartbeat = 3600

	minLifetime = 86400 // CreateAutoScalingGroup, MaxInstanceLifetime; 0 is no limit
	maxLifetime = 31536000

	maxRefreshPause        = 172800 // RefreshPreferences, BakeTime and CheckpointDelay
	defaultCheckpointDelay = 3600
)

// Bounds of the local cloud, where no limit of AWS's is cited.
const (
	maxSeconds  = 1 << 30 // cooldowns, warm-ups and grace periods of groups and refreshes
	maxCapacity = 1 << 30 // instances
)

// maxRefreshAlarms is how many alarms can fail an instance refresh (Amazon EC2
// Auto Scaling API Reference, AlarmSpecification).
const maxRefreshAlarms = 10

// refreshRetention is how long instance refreshes are described (Amazon EC2 Auto
// Scaling API Reference, DescribeInstanceRefreshes).
const refreshRetention = 6 * 7 * 24 * time.Hour

// maxGroups returns how many groups a region may have.
func (a *API) maxGroups() int { return quota.ScalingGroups.Applied(a.Manners.Has(manners.Limits)) }

// DescribeAccountLimits returns how many groups an account may have, and how many
// it has, and the same of launch configurations.
func (a *API) DescribeAccountLimits(
	ctx context.Context, _ *autoscaling.DescribeAccountLimitsInput,
) (*autoscaling.DescribeAccountLimitsOutput, error) {
	view := a.Store.Read(ctx)
	groups := store.ScalingGroups.InRegion(view, wire.RegionFrom(ctx))
	configurations := store.LaunchConfigurations.InRegion(view, wire.RegionFrom(ctx))
	return &autoscaling.DescribeAccountLimitsOutput{
		MaxNumberOfAutoScalingGroups:    aws.Int32(int32(a.maxGroups())),
		NumberOfAutoScalingGroups:       aws.Int32(int32(len(groups))),
		MaxNumberOfLaunchConfigurations: aws.Int32(int32(a.maxConfigurations())),
		NumberOfLaunchConfigurations:    aws.Int32(int32(len(configurations))),
	}, nil
}
