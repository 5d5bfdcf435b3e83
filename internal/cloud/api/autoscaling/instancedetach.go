package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

// DetachInstances removes instances from a group and leaves them running. Their
// connections drain first.
func (a *API) DetachInstances(
	ctx context.Context, in *autoscaling.DetachInstancesInput,
) (*autoscaling.DetachInstancesOutput, error) {
	activities, err := a.leaveService(
		ctx, detaching, in.AutoScalingGroupName, in.InstanceIds, in.ShouldDecrementDesiredCapacity,
	)
	return &autoscaling.DetachInstancesOutput{Activities: activities}, err
}
