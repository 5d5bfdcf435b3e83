package autoscaling_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	api "aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

const (
	targetsARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/tg/2"
	balancer   = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/lb/1"
	label      = "app/lb/1/targetgroup/tg/2"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// scaled serves a group web of 1 to 9 that wants 3, behind a load balancer, at noon.
func scaled(t *testing.T) (*autoscaling.Client, *store.Store) {
	t.Helper()
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	err = rows.Update(func(tx *store.Tx) error {
		store.ScalingGroups.Put(tx, &store.ScalingGroup{
			Region:          "eu-west-1",
			Name:            "web",
			Min:             1,
			Max:             9,
			Desired:         3,
			DefaultCooldown: 300,
			TargetGroupARNs: []string{targetsARN},
		})
		store.Listeners.Put(tx, &store.Listener{
			ARN:             "l",
			Region:          "eu-west-1",
			LoadBalancerARN: balancer,
			Actions: []store.Action{
				{Type: "forward", Forward: []store.WeightedTargetGroup{{ARN: targetsARN}}},
			},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return autoscaling.NewFromConfig(wiretest.Serve(t, "eu-west-1", wire.Service{
		Name: "autoscaling",
		API:  api.New(api.Config{Store: rows, Now: func() time.Time { return noon }}),
	})), rows
}

func refused(t *testing.T, err error, code, words string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		t.Errorf("got %v, want %s with %q", err, code, words)
	}
}

// tracking is a target tracking policy, with what else a test wants of it.
func tracking(name string, change func(c *types.TargetTrackingConfiguration)) *autoscaling.PutScalingPolicyInput {
	c := &types.TargetTrackingConfiguration{
		TargetValue: aws.Float64(60),
		PredefinedMetricSpecification: &types.PredefinedMetricSpecification{
			PredefinedMetricType: "ASGAverageCPUUtilization",
		},
	}
	if change != nil {
		change(c)
	}
	return &autoscaling.PutScalingPolicyInput{
		AutoScalingGroupName:        aws.String("web"),
		PolicyName:                  &name,
		PolicyType:                  aws.String("TargetTrackingScaling"),
		TargetTrackingConfiguration: c,
	}
}

func requests(c *types.TargetTrackingConfiguration) {
	c.TargetValue = aws.Float64(1000)
	c.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{
		PredefinedMetricType: "ALBRequestCountPerTarget",
		ResourceLabel:        aws.String(label),
	}
}
