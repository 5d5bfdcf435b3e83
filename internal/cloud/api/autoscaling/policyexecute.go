package autoscaling

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ExecutePolicy executes a simple or step scaling policy for a user.
func (a *API) ExecutePolicy(
	ctx context.Context, in *autoscaling.ExecutePolicyInput,
) (*autoscaling.ExecutePolicyOutput, error) {
	return &autoscaling.ExecutePolicyOutput{}, a.Store.Update(func(tx *store.Tx) error {
		here := wire.RegionFrom(ctx)
		row, err := findPolicy(tx, here, in.AutoScalingGroupName, in.PolicyName)
		if err != nil {
			return err
		}
		if err := checkExecutable(row, in); err != nil {
			return err
		}
		g, err := findActiveGroup(tx, here, &row.Group)
		if err != nil {
			return err
		}
		difference := aws.ToFloat64(in.MetricValue) - aws.ToFloat64(in.BreachThreshold)
		err = capacity.ExecuteForUser(tx, g, row, difference, aws.ToBool(in.HonorCooldown), a.Now())
		if blocked, ok := errors.AsType[*capacity.CooldownError](err); ok {
			return cooldownRefusal(g, blocked)
		}
		if errors.Is(err, capacity.ErrNoStep) {
			return invalid("No step adjustment found for metric value %v and breach threshold %v",
				*in.MetricValue, *in.BreachThreshold)
		}
		return err
	})
}

// cooldownRefusal returns the error of a request that respects cooldowns for a
// group that is scaling or in its cooldown.
func cooldownRefusal(g *store.ScalingGroup, blocked *capacity.CooldownError) error {
	if blocked.Activity != "" {
		return wire.Errorf("ScalingActivityInProgress", "%s", blocked.Error())
	}
	return wire.Errorf(
		"ScalingActivityInProgress", "The cooldown period of AutoScalingGroup %s has not expired", g.Name,
	)
}

func checkExecutable(p *store.ScalingPolicy, in *autoscaling.ExecutePolicyInput) error {
	switch {
	case p.Type == capacity.Tracking:
		return invalid("Policies of type %s cannot be executed", p.Type)
	case p.Disabled:
		return invalid("The policy %s is disabled", p.Name)
	case p.Type == capacity.Step && (in.MetricValue == nil || in.BreachThreshold == nil):
		return invalid("MetricValue and BreachThreshold are required for policies of type %s", p.Type)
	case p.Type == capacity.Step && in.HonorCooldown != nil:
		return invalid("HonorCooldown is not supported for policies of type %s", p.Type)
	case p.Type == capacity.Simple && (in.MetricValue != nil || in.BreachThreshold != nil):
		return invalid("MetricValue and BreachThreshold are not supported for policies of type %s", p.Type)
	}
	return nil
}
