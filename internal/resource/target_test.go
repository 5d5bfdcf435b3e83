package resource

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func TestUnhealthyServerIsBrokenOnceItHasServedOrIsOld(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	server := func(id string, age time.Duration, served bool) plan.Found {
		f := plan.Found{
			Address: "server-" + id,
			Kind:    stack.KindServer,
			ID:      "i-" + id,
			Created: now.Add(-age).Format(time.RFC3339),
		}
		f.Status.Served = served
		return f
	}
	servers := []plan.Found{
		server("1", time.Minute, false),
		server("2", time.Minute, true),
		server("3", 10*time.Minute, false),
		server("4", 10*time.Minute, true),
		server("5", 10*time.Minute, true),
	}
	health := func(id string, s types.TargetHealthStateEnum) types.TargetHealthDescription {
		return types.TargetHealthDescription{
			Target:       &types.TargetDescription{Id: aws.String("i-" + id), Port: aws.Int32(3000)},
			TargetHealth: &types.TargetHealth{State: s, Reason: "Target.Timeout"},
		}
	}
	found := registeredTargets("arn", []types.TargetHealthDescription{
		health("1", types.TargetHealthStateEnumUnhealthy),
		health("2", types.TargetHealthStateEnumUnhealthy),
		health("3", types.TargetHealthStateEnumUnhealthy),
		health("4", types.TargetHealthStateEnumHealthy),
		health("5", types.TargetHealthStateEnumDraining),
		health("9", types.TargetHealthStateEnumHealthy),
	}, servers, now)
	var addresses []string
	for _, f := range found {
		addresses = append(addresses, f.Address)
	}
	if want := []string{"target-1", "target-2", "target-3", "target-4"}; !slices.Equal(addresses, want) {
		t.Errorf("got %v", addresses)
	}
	for i, broken := range []bool{false, true, true, false, false} {
		if (servers[i].Broken != "") != broken {
			t.Errorf("server-%d: broken %q", i+1, servers[i].Broken)
		}
	}
}
