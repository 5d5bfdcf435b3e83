package resource

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func inGroup(id, zone, created string) plan.Found {
	return plan.Found{
		Address: stack.AddressMember,
		Kind:    stack.KindServer,
		ID:      id,
		Created: created,
		Status:  map[string]string{"zone": zone, "group": "aloft-shop"},
	}
}

func TestMachinesOfAGroupKeepTheirNamesAndAreListedByZoneAndAge(t *testing.T) {
	servers := []plan.Found{
		inGroup(
			"i-0aaaaaaaaaaa1b2c3",
			"us-east-1b",
			"2026-01-02",
		), inGroup("i-0aaaaaaaaaaa00001", "us-east-1a", "2026-01-03"),
		inGroup(
			"i-0aaaaaaaaaaa00002",
			"us-east-1a",
			"2026-01-01",
		), {Address: "server-1", Kind: stack.KindServer, ID: "i-0fixed", Status: map[string]string{}},
		inGroup(
			"i-0aaaaaaaaaaaf00d1",
			"us-east-1c",
			"2026-01-01",
		), inGroup("i-0bbbbbbbbbbbf00d1", "us-east-1c", "2026-01-02"),
	}
	names := func(servers []plan.Found) string {
		_, members := membersOf(servers, nil, nil)
		var all []string
		for _, m := range members {
			all = append(all, m.Name)
		}
		return strings.Join(all, " ")
	}
	if got, want := names(servers), "server-a-00002 server-a-00001 server-b-1b2c3 i-0aaaaaaaaaaaf00d1 i-0bbbbbbbbbbbf00d1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := names(servers[:2]); got != "server-a-00001 server-b-1b2c3" {
		t.Errorf("without the others: %s", got)
	}
}

func TestAMachineThatItsGroupHasLetGoIsAServerThatNobodyWants(t *testing.T) {
	detached := inGroup("i-1", "us-east-1a", "")
	detached.Status["group"] = ""
	rest, members := membersOf([]plan.Found{detached, inGroup("i-2", "us-east-1a", "")}, []scalingGroup{{
		raw: types.AutoScalingGroup{
			Instances: []types.Instance{
				{
					InstanceId:     aws.String("i-2"),
					LifecycleState: types.LifecycleStateInService,
					HealthStatus:   aws.String("Healthy"),
				},
			},
		},
		found: plan.Found{ID: "aloft-shop"},
	}}, map[string][]elbtypes.TargetHealthDescription{"tg": {{Target: &elbtypes.TargetDescription{Id: aws.String("i-2")}, TargetHealth: &elbtypes.TargetHealth{State: "healthy"}}}})
	if len(rest) != 1 || rest[0].ID != "i-1" || rest[0].Kind != stack.KindServer {
		t.Errorf("rest %+v", rest)
	}
	if members[0].Broken != "" {
		t.Errorf("broken: %s", members[0].Broken)
	}
	if len(members) != 1 || members[0].Kind != stack.KindMember || members[0].Status["health"] != "healthy" ||
		members[0].Status["lifecycle"] != "InService" {
		t.Errorf("members %+v", members)
	}
}

func TestALabelNamesTheLoadBalancerAndTheTargetGroupThereAndBack(t *testing.T) {
	const (
		balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop-d4733a/50dc6c495c0c9188"
		group    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop-db1dc8/943f017f100becff"
		policy   = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:0-1-2:autoScalingGroupName/aloft-shop:policyName/aloft-shop"
	)
	text := label(balancer, group)
	if text != "app/shop-d4733a/50dc6c495c0c9188/targetgroup/shop-db1dc8/943f017f100becff" {
		t.Error(text)
	}
	if b, g := labelled(policy, text); b != balancer || g != group {
		t.Errorf("%s, %s", b, g)
	}
	if b, g := labelled(policy, ""); b != "" || g != "" {
		t.Errorf("%s, %s", b, g)
	}
}

func TestPatienceFollowsWhatMachinesTookAndIsNeverShort(t *testing.T) {
	for boot, want := range map[time.Duration][2]int32{ // grace, warm-up
		200 * time.Millisecond: {60, 1}, 4 * time.Second: {60, 7}, 35 * time.Second: {120, 53}, unknown.boot: {300, 151},
	} {
		p := patience{boot}
		if got := [2]int32{*p.grace(), *p.warmup()}; got != want {
			t.Errorf("%s: %v, want %v", boot, got, want)
		}
	}
}

func TestTheTimeOfMachinesIsMeasuredFromTheirWayInToTheirHealth(t *testing.T) {
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	see := func(w *watched, second int, healthy ...bool) {
		var members []plan.Found
		for i, h := range healthy {
			f := plan.Found{ID: string(rune('a' + i)), Status: map[string]string{"health": "initial"}}
			if h {
				f.Status["health"] = "healthy"
			}
			members = append(members, f)
		}
		w.see(members, began.Add(time.Duration(second)*time.Second))
	}
	w := newWatched(began)
	see(w, 0, true) // it was there when the run began
	see(w, 5, true, false)
	see(w, 20, true, false, false)
	see(w, 30, true, true, false)
	see(w, 40, true, true, true)
	see(w, 90, true, true, true)
	if w.longest != 25*time.Second {
		t.Errorf("took %s", w.longest)
	}
	w = newWatched(began)
	w.born = began
	see(w, 3, true) // all of a group that is new
	if w.longest != 3*time.Second {
		t.Errorf("of a new group: %s", w.longest)
	}
}

func TestThreeEqualFailuresAreTheCauseAndFewerAreBadLuck(t *testing.T) {
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	failed := func(second int, why string) types.Activity {
		return types.Activity{
			StatusCode:    types.ScalingActivityStatusCodeFailed,
			StatusMessage: &why,
			StartTime:     aws.Time(began.Add(time.Duration(second) * time.Second)),
		}
	}
	underWay := types.Activity{
		StatusCode: types.ScalingActivityStatusCodeInProgress,
		StartTime:  aws.Time(began.Add(time.Minute)),
	}
	done := types.Activity{
		StatusCode: types.ScalingActivityStatusCodeSuccessful,
		StartTime:  aws.Time(began.Add(time.Minute)),
	}
	const full = "We currently do not have sufficient t3.micro capacity"
	for name, c := range map[string]struct {
		activities []types.Activity
		fails      bool
	}{
		"three":             {[]types.Activity{underWay, failed(30, full), failed(20, full), failed(10, full)}, true},
		"two":               {[]types.Activity{failed(20, full), failed(10, full)}, false},
		"different":         {[]types.Activity{failed(30, full), failed(20, "other"), failed(10, full)}, false},
		"before this run":   {[]types.Activity{failed(30, full), failed(20, full), failed(-60, full)}, false},
		"success since":     {[]types.Activity{done, failed(30, full), failed(20, full), failed(10, full)}, false},
		"three after other": {[]types.Activity{failed(30, full), failed(20, full), failed(10, full), done}, true},
	} {
		if err := failing("scaling-group", c.activities, began); (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAGroupIsHealthyWhenAllItsMachinesServe(t *testing.T) {
	g := scalingGroup{raw: types.AutoScalingGroup{DesiredCapacity: aws.Int32(2)}}
	member := func(lifecycle, health string) plan.Found {
		return plan.Found{Status: map[string]string{"lifecycle": lifecycle, "health": health}}
	}
	for _, c := range []struct {
		members []plan.Found
		want    string
	}{
		{nil, "0 of 2 healthy"},
		{[]plan.Found{member("InService", "healthy"), member("InService", "initial")}, "1 of 2 healthy"},
		{[]plan.Found{member("InService", "healthy"), member("Terminating", "healthy")}, "1 of 2 healthy"},
		{[]plan.Found{member("InService", "healthy"), member("InService", "healthy"), member("Pending", "")}, "healthy"},
	} {
		if got := g.condition(c.members); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
