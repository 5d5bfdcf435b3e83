package autoscaling

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// policyTypes are AWS's types of scaling policies. The local cloud does not
// support the last.
var policyTypes = []string{capacity.Simple, capacity.Step, capacity.Tracking, "PredictiveScaling"}

// findPolicy returns the policy with an ARN, or the group's policy with a name.
func findPolicy(r store.Reader, region identity.Region, groupName, name *string) (*store.ScalingPolicy, error) {
	if err := model.Required("policyName", name != nil); err != nil {
		return nil, err
	}
	if strings.HasPrefix(*name, "arn:") {
		if row, ok := store.ScalingPolicies.Get(r, *name); ok && row.Region == region &&
			(groupName == nil || *groupName == row.Group) {
			return row, nil
		}
		return nil, invalid("ScalingPolicy name not found - ScalingPolicy %s not found", *name)
	}
	g, err := findGroup(r, region, groupName)
	if err != nil {
		return nil, err
	}
	for _, row := range store.ScalingPoliciesByGroup.List(r, g.Key()) {
		if row.Name == *name {
			return row, nil
		}
	}
	return nil, invalid(
		"ScalingPolicy name not found - ScalingPolicy %s not found in AutoScalingGroup %s", *name, g.Name,
	)
}

// DeletePolicy deletes a policy and the alarms that Auto Scaling created for
// it.
func (a *API) DeletePolicy(
	ctx context.Context, in *autoscaling.DeletePolicyInput,
) (*autoscaling.DeletePolicyOutput, error) {
	return &autoscaling.DeletePolicyOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findPolicy(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName, in.PolicyName)
		if err != nil {
			return err
		}
		scalinggroup.DeletePolicy(tx, row, a.Now())
		return nil
	})
}
