package autoscaling

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

// Limits of an account (Amazon EC2 Auto Scaling User Guide, Quotas). There are
// no launch configurations here.
const (
	maxGroups = 500
	maxHooks  = 50
)

// DescribeAccountLimits tells how many groups there may be, and are.
func (a *API) DescribeAccountLimits(ctx context.Context, _ *autoscaling.DescribeAccountLimitsInput) (*autoscaling.DescribeAccountLimitsOutput, error) {
	return &autoscaling.DescribeAccountLimitsOutput{
		MaxNumberOfAutoScalingGroups: aws.Int32(maxGroups), MaxNumberOfLaunchConfigurations: aws.Int32(0),
		NumberOfAutoScalingGroups: aws.Int32(int32(len(store.ScalingGroups.By(
			a.Store.View(), "region", region(ctx),
		)))),
		NumberOfLaunchConfigurations: aws.Int32(0),
	}, nil
}

// Limits of policies (Amazon EC2 Auto Scaling User Guide, Quotas).
const (
	maxPolicies = 50
	maxSteps    = 20
)

// Limits of scheduled actions (Amazon EC2 Auto Scaling User Guide, Scheduled
// scaling; API Reference, BatchPutScheduledUpdateGroupAction).
const (
	maxScheduled = 125
	maxBatch     = 50
)

// Limits of an instance refresh's preferences (Amazon EC2 Auto Scaling API
// Reference, RefreshPreferences and AlarmSpecification).
const (
	maxRefreshPause  = 172800 // seconds
	maxRefreshWarmup = 1 << 30
	maxRefreshAlarms = 10
)

// refreshRetention is how long instance refreshes are told of (Amazon EC2 Auto
// Scaling API Reference, DescribeInstanceRefreshes).
const refreshRetention = 6 * 7 * 24 * time.Hour
