package resource

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func inGroup(id, zone, created string) plan.Found {
	f := plan.Found{Address: stack.AddressMember, Kind: stack.KindServer, ID: id, Created: created}
	f.Status.Zone, f.Status.ScalingGroup = zone, "aloft-shop"
	return f
}

func TestMembersKeepTheirNamesAndAreSortedByZoneAndAge(t *testing.T) {
	instances := []plan.Found{
		inGroup("i-0aaaaaaaaaaa1b2c3", "us-east-1b", "2026-01-02"),
		inGroup("i-0aaaaaaaaaaa00001", "us-east-1a", "2026-01-03"),
		inGroup("i-0aaaaaaaaaaa00002", "us-east-1a", "2026-01-01"),
		{Address: "server-1", Kind: stack.KindServer, ID: "i-0fixed"},
		inGroup("i-0aaaaaaaaaaaf00d1", "us-east-1c", "2026-01-01"),
		inGroup("i-0bbbbbbbbbbbf00d1", "us-east-1c", "2026-01-02"),
	}
	names := func(instances []plan.Found) string {
		_, members := splitMembers(instances, nil, nil)
		var all []string
		for _, m := range members {
			all = append(all, m.Name)
		}
		return strings.Join(all, " ")
	}
	const want = "server-a-00002 server-a-00001 server-b-1b2c3 i-0aaaaaaaaaaaf00d1 i-0bbbbbbbbbbbf00d1"
	if got := names(instances); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := names(instances[:2]); got != "server-a-00001 server-b-1b2c3" {
		t.Errorf("without the others: %s", got)
	}
}

func TestDetachedInstanceIsAServer(t *testing.T) {
	detached := inGroup("i-1", "us-east-1a", "")
	detached.Status.ScalingGroup = ""
	groups := []scalingGroup{{
		raw: types.AutoScalingGroup{Instances: []types.Instance{{
			InstanceId:     aws.String("i-2"),
			LifecycleState: types.LifecycleStateInService,
			HealthStatus:   aws.String("Healthy"),
		}}},
		found: plan.Found{ID: "aloft-shop"},
	}}
	health := targetHealth{"tg": {{
		Target:       &elbtypes.TargetDescription{Id: aws.String("i-2")},
		TargetHealth: &elbtypes.TargetHealth{State: "healthy"},
	}}}
	servers, members := splitMembers([]plan.Found{detached, inGroup("i-2", "us-east-1a", "")}, groups, health)
	if len(servers) != 1 || servers[0].ID != "i-1" || servers[0].Kind != stack.KindServer {
		t.Errorf("servers %+v", servers)
	}
	if len(members) != 1 || members[0].Kind != stack.KindMember || !members[0].Status.Healthy() ||
		members[0].Status.Lifecycle != "InService" || members[0].Broken != "" {
		t.Errorf("members %+v", members)
	}
}
