//go:build linux

package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	api "aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

const (
	targetGroupARN  = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/tg/2"
	loadBalancerARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/lb/1"
	resourceLabel   = "app/lb/1/targetgroup/tg/2"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// serveGroup serves the API with a group, web, of one to nine instances, three
// desired, behind a load balancer. The API's time is noon.
func serveGroup(t *testing.T) (*autoscaling.Client, *store.Store) {
	t.Helper()
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	err = rows.Update(func(tx *store.Tx) error {
		store.ScalingGroups.Put(tx, &store.ScalingGroup{
			Region: "eu-west-1", Name: "web", Min: 1, Max: 9, Desired: 3,
			DefaultCooldown: 300, TargetGroupARNs: []string{targetGroupARN},
		})
		store.Listeners.Put(tx, &store.Listener{
			ARN: "l", Region: "eu-west-1", LoadBalancerARN: loadBalancerARN,
			Actions: []store.Action{
				{Type: "forward", Forward: []store.WeightedTargetGroup{{ARN: targetGroupARN}}},
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

// trackCPU returns the request for a target tracking policy of CPU utilization,
// changed by change if that is not nil.
func trackCPU(name string, change func(c *types.TargetTrackingConfiguration)) *autoscaling.PutScalingPolicyInput {
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

// trackRequests changes a configuration to track the requests of the group's target
// group.
func trackRequests(c *types.TargetTrackingConfiguration) {
	c.TargetValue = aws.Float64(1000)
	c.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{
		PredefinedMetricType: "ALBRequestCountPerTarget",
		ResourceLabel:        aws.String(resourceLabel),
	}
}
