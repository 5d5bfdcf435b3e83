//go:build linux

package route

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

func TestFirstRuleWithAllConditionsMetDecides(t *testing.T) {
	path := func(v string) balancer.Condition {
		return balancer.Condition{Field: "path-pattern", Values: []string{v}}
	}
	post := balancer.Condition{Field: "http-request-method", Values: []string{"POST"}}
	rules := rulesOf(&balancer.Listener{ARN: "l", Rules: []balancer.Rule{
		{ARN: "any a", Priority: 30, Conditions: []balancer.Condition{path("/a*")}},
		{ARN: "post a", Priority: 10, Conditions: []balancer.Condition{path("/a*"), post}},
		{ARN: "ab", Priority: 20, Conditions: []balancer.Condition{path("/ab")}},
	}})
	for _, c := range []struct {
		method, path, rule string
		priority           int
	}{
		{"GET", "/a", "any a", 30}, {"POST", "/ab", "post a", 10}, {"GET", "/ab", "ab", 20}, {"GET", "/b", "", 0},
	} {
		a := rules.Action(request(c.method, "h", c.path, ""), clientAddr)
		if a.rule != c.rule || a.Priority != c.priority {
			t.Errorf("%s %s: rule %q, priority %d", c.method, c.path, a.rule, a.Priority)
		}
	}
}

func TestChoosingDoesNotAllocateWithoutStickiness(t *testing.T) {
	one := poolOf(&balancer.TargetGroup{ARN: "one"}, 3)
	two := poolOf(&balancer.TargetGroup{ARN: "two", Algorithm: leastOutstanding}, 3)
	slow := poolOf(&balancer.TargetGroup{ARN: "slow", SlowStart: time.Minute}, 3)
	everyKind := []balancer.Condition{
		{Field: "host-header", Values: []string{"*.Example.com"}, Regexes: []string{`^b(a|c)+$`}},
		{Field: "path-pattern", Values: []string{"/x/*/y"}, Regexes: []string{`^/[0-9]+/([a-z]+)$`}},
		{Field: "http-header", Header: "x-tag", Values: []string{"*two*"}},
		{Field: "http-request-method", Values: []string{"GET"}},
		{Field: "query-string", Pairs: []balancer.Pair{{Key: "a", Value: "b*"}}},
		{Field: "source-ip", Values: []string{"192.0.2.0/24", "2001:db8::/32"}},
	}
	nowhere := []balancer.Condition{{Field: "path-pattern", Values: []string{"/nowhere*"}}}
	rules := rulesOf(&balancer.Listener{
		ARN: "l", Action: forward("one", "two", "slow"),
		Rules: []balancer.Rule{{Priority: 1, Conditions: everyKind}, {Priority: 2, Conditions: nowhere}},
	}, one, two, slow)
	r := request("GET", "www.example.com:80", "/17/abc", "x=y&a=c", "X-Tag", "one two three")
	now := time.Now()
	if n := testing.AllocsPerRun(1000, func() {
		c := rules.Action(r, clientAddr).Choose(r, now)
		c.Member.Begin()
		_ = c.ResponseCookies(nil)
		c.Member.End()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTargetGroupsGetTheirShares(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(0, 999), 1, 5).Draw(rt, "weights")
		var action balancer.Action
		var pools []*Pool
		total := 0
		for i, w := range weights {
			arn := fmt.Sprint(i)
			action.Forward = append(action.Forward, balancer.Share{TargetGroup: arn, Weight: w})
			pools = append(pools, poolOf(&balancer.TargetGroup{ARN: arn}, 1))
			total += w
		}
		a := rulesOf(&balancer.Listener{Action: action}, pools...).fallback
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		a.roll = dice.IntN
		const n = 4000
		got := map[*Pool]int{}
		for range n {
			got[a.Choose(nil, time.Time{}).pool]++
		}
		if total == 0 {
			if got[nil] != n {
				rt.Fatalf("without weights: %v", got)
			}
			return
		}
		for i, w := range weights {
			want := float64(w) / float64(total)
			if share := float64(got[pools[i]]) / n; w == 0 && share > 0 || share < want-0.05 || share > want+0.05 {
				rt.Errorf("group %d of weights %v: %.3f", i, weights, share)
			}
		}
	})
}

func TestTooFewHealthyTargetsFailOver(t *testing.T) {
	atLeastOne := balancer.Minimum{Count: 1}
	fine := poolOf(&balancer.TargetGroup{ARN: "fine", Failover: atLeastOne}, 1)
	thin := poolOf(&balancer.TargetGroup{ARN: "thin", Failover: balancer.Minimum{Count: 1, Percent: 50}}, 4)
	empty := poolOf(&balancer.TargetGroup{ARN: "empty", Failover: atLeastOne}, 0)
	rules := rulesOf(&balancer.Listener{
		Action: forward("fine", "empty"),
		Rules:  []balancer.Rule{{Priority: 1, Action: forward("thin")}},
	}, fine, thin, empty)
	for i, want := range []bool{false, false, false, true, true} {
		if got := rules.FailedOver(); got != want {
			t.Errorf("with %d of 4 targets unhealthy: %v", i, got)
		}
		if i < 4 {
			setHealth(thin.members[i], unhealthy)
		}
	}
	if rulesOf(&balancer.Listener{Action: forward("fine")}, fine).FailedOver() {
		t.Error("a listener with a healthy group has failed over")
	}
}

func TestNodeWithoutTargetsFailsOverWithANetworkLoadBalancer(t *testing.T) {
	for _, c := range []struct {
		name    string
		group   balancer.TargetGroup
		targets []*Member
		want    bool
	}{
		{"network, targets in another zone", balancer.TargetGroup{ZoneOnly: true, LeaveEmptyZones: true}, nil, true},
		{"application, targets in another zone", balancer.TargetGroup{ZoneOnly: true}, nil, false},
		{"network, across zones", balancer.TargetGroup{LeaveEmptyZones: true}, nil, false},
		{"network, no targets", balancer.TargetGroup{ZoneOnly: true, LeaveEmptyZones: true}, []*Member{}, false},
	} {
		if c.targets == nil {
			c.targets = []*Member{newMember("1", "b")}
		}
		c.group.ARN = "tg"
		pool := NewPool(&c.group, "a", c.targets, nil)
		if got := rulesOf(&balancer.Listener{Action: forward("tg")}, pool).FailedOver(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func BenchmarkChoosingATarget(b *testing.B) {
	for _, n := range []int{0, 100} {
		b.Run(fmt.Sprint(n, " rules"), func(b *testing.B) {
			l := &balancer.Listener{ARN: "l", Action: forward("tg")}
			for i := range n {
				path := balancer.Condition{Field: "path-pattern", Values: []string{fmt.Sprintf("/svc-%d/*", i)}}
				rule := balancer.Rule{Priority: i + 1, Conditions: []balancer.Condition{path}, Action: forward("tg")}
				l.Rules = append(l.Rules, rule)
			}
			rules := rulesOf(l, poolOf(&balancer.TargetGroup{ARN: "tg"}, 3))
			r, now := request("GET", "www.example.com", "/index.html", ""), time.Now()
			b.ReportAllocs()
			for b.Loop() {
				c := rules.Action(r, clientAddr).Choose(r, now)
				c.Member.Begin()
				c.Member.End()
			}
		})
	}
}
