package balancer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fleet is a pool of healthy members in zone a, named 0 and on.
func fleet(t testing.TB, group *TargetGroup, n int) *pool {
	t.Helper()
	return newPool(group, "a", crowd(n), nil)
}

func crowd(n int) []*member {
	var out []*member
	for i := range n {
		out = append(out, newMember(fmt.Sprint(i), "a"))
	}
	return out
}

func newMember(id, zone string) *member {
	m := &member{
		target:  Target{ID: id, Port: 80, Zone: zone},
		checker: newChecker(nil, HealthCheck{HealthyThreshold: 1, UnhealthyThreshold: 1}, func() {}),
	}
	m.checker.conclude(outcome{passed: true})
	return m
}

func (m *member) fall() { m.checker.conclude(outcome{late: true}) }
func (m *member) rise() { m.checker.conclude(outcome{passed: true}) }

// planOf is the plan of a listener that forwards to the pools.
func planOf(l *Listener, pools ...*pool) *plan {
	return newPlan(&LoadBalancer{CookieKey: "key"}, l, func(arn string) *pool {
		for _, p := range pools {
			if p.group.ARN == arn {
				return p
			}
		}
		return nil
	})
}

func to(arns ...string) Action {
	var a Action
	for _, arn := range arns {
		a.Forward = append(a.Forward, Share{TargetGroup: arn, Weight: 1})
	}
	return a
}

func TestTheFirstRuleWhoseConditionsAreAllMetDecides(t *testing.T) {
	path := func(v string) Condition { return Condition{Field: "path-pattern", Values: []string{v}} }
	post := Condition{Field: "http-request-method", Values: []string{"POST"}}
	p := planOf(&Listener{ARN: "l", Rules: []Rule{
		{ARN: "any a", Priority: 30, Conditions: []Condition{path("/a*")}},
		{ARN: "post a", Priority: 10, Conditions: []Condition{path("/a*"), post}},
		{ARN: "ab", Priority: 20, Conditions: []Condition{path("/ab")}},
	}})
	for _, c := range []struct {
		method, path, rule string
		priority           int
	}{
		{"GET", "/a", "any a", 30}, {"POST", "/ab", "post a", 10}, {"GET", "/ab", "ab", 20}, {"GET", "/b", "", 0},
	} {
		a := p.action(request(c.method, "h", c.path, ""), somewhere)
		if a.rule != c.rule || a.priority != c.priority {
			t.Errorf("%s %s: %q, %d", c.method, c.path, a.rule, a.priority)
		}
	}
}

func TestNothingIsAllocatedWithoutStickiness(t *testing.T) {
	one, two := fleet(
		t,
		&TargetGroup{ARN: "one"},
		3,
	), fleet(
		t,
		&TargetGroup{ARN: "two", Algorithm: leastOutstanding},
		3,
	)
	slow := fleet(t, &TargetGroup{ARN: "slow", SlowStart: time.Minute}, 3)
	p := planOf(
		&Listener{ARN: "l", Action: to("one", "two", "slow"), Rules: []Rule{{Priority: 1, Conditions: []Condition{
			{Field: "host-header", Values: []string{"*.Example.com"}, Regexes: []string{`^b(a|c)+$`}},
			{Field: "path-pattern", Values: []string{"/x/*/y"}, Regexes: []string{`^/[0-9]+/([a-z]+)$`}},
			{Field: "http-header", Header: "x-tag", Values: []string{"*two*"}},
			{Field: "http-request-method", Values: []string{"GET"}},
			{Field: "query-string", Pairs: []Pair{{"a", "b*"}}},
			{Field: "source-ip", Values: []string{"192.0.2.0/24", "2001:db8::/32"}},
		}}, {Priority: 2, Conditions: []Condition{{Field: "path-pattern", Values: []string{"/nowhere*"}}}}}},
		one,
		two,
		slow,
	)
	r := request("GET", "www.example.com:80", "/17/abc", "x=y&a=c", "X-Tag", "one two three")
	now := time.Now()
	if n := testing.AllocsPerRun(1000, func() {
		c := p.action(r, somewhere).choose(r, now)
		c.to.begin()
		_ = c.answered(nil)
		c.to.end()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTargetGroupsGetTheirShares(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(0, 999), 1, 5).Draw(rt, "weights")
		var action Action
		var pools []*pool
		total := 0
		for i, w := range weights {
			arn := fmt.Sprint(i)
			action.Forward = append(action.Forward, Share{arn, w})
			pools = append(pools, newPool(&TargetGroup{ARN: arn}, "a", crowd(1), nil))
			total += w
		}
		p := planOf(&Listener{Action: action}, pools...)
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		p.fallback.roll = dice.IntN
		const n = 4000
		got := map[*pool]int{}
		for range n {
			got[p.fallback.choose(nil, time.Time{}).pool]++
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
				rt.Errorf("%d of %v: %.3f", i, weights, share)
			}
		}
	})
}

func TestAZoneWithTooFewHealthyTargetsFailsOver(t *testing.T) {
	fine, thin := fleet(
		t,
		&TargetGroup{ARN: "fine", Failover: Minimum{Count: 1}},
		1,
	), fleet(
		t,
		&TargetGroup{ARN: "thin", Failover: Minimum{Count: 1, Percent: 50}},
		4,
	)
	empty := fleet(t, &TargetGroup{ARN: "empty", Failover: Minimum{Count: 1}}, 0)
	p := planOf(
		&Listener{Action: to("fine", "empty"), Rules: []Rule{{Priority: 1, Action: to("thin")}}},
		fine,
		thin,
		empty,
	)
	for i, want := range []bool{false, false, false, true, true} {
		n := &node{}
		n.table.Store(&map[uint16]*plan{80: planOf(&Listener{Action: to("fine")}, fine), 81: p})
		if got := n.failsOver(); got != want {
			t.Errorf("with %d of 4 ill: %v", i, got)
		}
		if i < 4 {
			thin.members[i].fall()
		}
	}
}

func BenchmarkChoosingATarget(b *testing.B) {
	for _, n := range []int{0, 100} {
		b.Run(fmt.Sprint(n, " rules"), func(b *testing.B) {
			l := &Listener{ARN: "l", Action: to("tg")}
			for i := range n {
				l.Rules = append(
					l.Rules,
					Rule{
						Priority:   i + 1,
						Conditions: []Condition{{Field: "path-pattern", Values: []string{fmt.Sprintf("/svc-%d/*", i)}}},
						Action:     to("tg"),
					},
				)
			}
			p := planOf(l, fleet(b, &TargetGroup{ARN: "tg"}, 3))
			r, now := request("GET", "www.example.com", "/index.html", ""), time.Now()
			b.ReportAllocs()
			for b.Loop() {
				c := p.action(r, somewhere).choose(r, now)
				c.to.begin()
				c.to.end()
			}
		})
	}
}
