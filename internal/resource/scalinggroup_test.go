package resource

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
)

func TestResourceLabelNamesLoadBalancerAndTargetGroup(t *testing.T) {
	const (
		balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop-d4733a/50dc6c495c0c9188"
		group    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop-db1dc8/943f017f100becff"
		policy   = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:0-1-2:" +
			"autoScalingGroupName/aloft-shop:policyName/aloft-shop"
	)
	text := resourceLabel(balancer, group)
	if text != "app/shop-d4733a/50dc6c495c0c9188/targetgroup/shop-db1dc8/943f017f100becff" {
		t.Error(text)
	}
	if b, g := splitResourceLabel(policy, text); b != balancer || g != group {
		t.Errorf("%s, %s", b, g)
	}
	if b, g := splitResourceLabel(policy, ""); b != "" || g != "" {
		t.Errorf("%s, %s", b, g)
	}
}

func TestGracePeriodAndWarmupFollowBootTimes(t *testing.T) {
	for boot, want := range map[time.Duration][2]int32{ // grace period, warm-up
		200 * time.Millisecond: {60, 1},
		4 * time.Second:        {60, 7},
		35 * time.Second:       {120, 53},
		assumedBootTime:        {300, 151},
	} {
		if got := [2]int32{*gracePeriod(boot), *warmup(boot)}; got != want {
			t.Errorf("%s: %v, want %v", boot, got, want)
		}
	}
}

func TestBootTimesAreMeasuredFromFirstSightToHealth(t *testing.T) {
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	observe := func(b *bootTimes, second int, healthy ...bool) {
		var members []plan.Found
		for i, h := range healthy {
			f := plan.Found{ID: string(rune('a' + i))}
			f.Status.Health = "initial"
			if h {
				f.Status.Health = "healthy"
			}
			members = append(members, f)
		}
		b.observe(members, began.Add(time.Duration(second)*time.Second))
	}
	b := newBootTimes(began)
	observe(b, 0, true) // it existed when the run began
	observe(b, 5, true, false)
	observe(b, 20, true, false, false)
	observe(b, 30, true, true, false)
	observe(b, 40, true, true, true)
	observe(b, 90, true, true, true)
	if b.longest != 25*time.Second {
		t.Errorf("took %s", b.longest)
	}
	b = newBootTimes(began)
	b.launchedAfter = began
	observe(b, 3, true) // all instances of a new group
	if b.longest != 3*time.Second {
		t.Errorf("of a new group: %s", b.longest)
	}
}

func TestThreeEqualFailuresAreReported(t *testing.T) {
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
	in := func(zone string) string {
		return full + " in the Availability Zone you requested (us-east-1" + zone + ")."
	}
	evening := func(a types.Activity) types.Activity {
		a.Cause = aws.String("At 2026-01-01T12:00:00Z availability zones us-east-1a us-east-1b had 2 0 instances " +
			"respectively.  An instance was launched to aid in balancing the group's zones.")
		return a
	}
	for name, c := range map[string]struct {
		activities []types.Activity
		fails      bool
	}{
		"three":     {[]types.Activity{underWay, failed(30, full), failed(20, full), failed(10, full)}, true},
		"two":       {[]types.Activity{failed(20, full), failed(10, full)}, false},
		"different": {[]types.Activity{failed(30, full), failed(20, "other"), failed(10, full)}, false},
		"lack of room in three zones": {
			[]types.Activity{failed(30, in("a")), failed(20, in("b")), failed(10, in("c"))}, true,
		},
		"to even out the zones": {[]types.Activity{
			evening(failed(30, full)), evening(failed(20, full)), evening(failed(10, full)),
		}, false},
		"before this run":   {[]types.Activity{failed(30, full), failed(20, full), failed(-60, full)}, false},
		"success since":     {[]types.Activity{done, failed(30, full), failed(20, full), failed(10, full)}, false},
		"three after other": {[]types.Activity{failed(30, full), failed(20, full), failed(10, full), done}, true},
	} {
		if err := (scalingGroup{}).launchFailure("scaling-group", c.activities, began); (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
	}
	group := describeScalingGroup(types.AutoScalingGroup{
		AvailabilityZones:    []string{"us-east-1a", "us-east-1b"},
		MixedInstancesPolicy: launchSource{version: "lt-1/1", types: []string{"t3.micro", "t3a.micro"}}.mixed(),
	})
	err := group.launchFailure(
		"scaling-group", []types.Activity{failed(30, in("a")), failed(20, in("b")), failed(10, in("a"))}, began,
	)
	if list := diag.From(err); len(list) != 1 || !strings.Contains(list[0].Summary, "no room for another server") ||
		!strings.Contains(list[0].Detail, "types: t3.micro, else t3a.micro. Its zones: us-east-1a, us-east-1b") ||
		!strings.Contains(list[0].Hint, "machines.type") {
		t.Errorf("got %v", list)
	}
}

func TestLaunchSourceIsReadAsItIsWritten(t *testing.T) {
	for want, s := range map[string]launchSource{
		"the launch template's":    {version: "lt-1/2"},
		"t3.micro, else t3a.micro": {version: "lt-1/2", types: []string{"t3.micro", "t3a.micro"}},
	} {
		if got := launchSourceOf(s.template(), s.mixed()); !got.equal(s) || got.description() != want {
			t.Errorf("got %+v, %s, want %+v", got, got.description(), s)
		}
	}
	changed := launchSource{version: "lt-1/2", types: []string{"t3.micro", "t3a.micro"}}.mixed()
	changed.InstancesDistribution.OnDemandPercentageAboveBaseCapacity = aws.Int32(25)
	if got := launchSourceOf(nil, changed).description(); got != "t3.micro, else t3a.micro, with 75 % Spot Instances" {
		t.Errorf("a policy that somebody changed: %s", got)
	}
}

func TestGroupIsHealthyWhenAllItsInstancesServe(t *testing.T) {
	g := scalingGroup{raw: types.AutoScalingGroup{DesiredCapacity: aws.Int32(2)}}
	member := func(lifecycle, health string) plan.Found {
		var f plan.Found
		f.Status.Lifecycle, f.Status.Health = lifecycle, health
		return f
	}
	serving, starting := member("InService", "healthy"), member("InService", "initial")
	for _, c := range []struct {
		members []plan.Found
		want    string
	}{
		{nil, "0 of 2 healthy"},
		{[]plan.Found{serving, starting}, "1 of 2 healthy"},
		{[]plan.Found{serving, member("Terminating", "healthy")}, "1 of 2 healthy"},
		{[]plan.Found{serving, serving, member("Pending", "")}, "healthy"},
	} {
		if got := g.condition(c.members); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
