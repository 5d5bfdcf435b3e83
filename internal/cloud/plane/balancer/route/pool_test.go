//go:build linux

package route

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
)

// tally counts by ID which members a pool chooses for n requests.
func tally(p *Pool, n int) map[string]int {
	out := map[string]int{}
	for range n {
		if m := p.next(time.Now()); m != nil {
			out[m.Target.ID]++
		} else {
			out["none"]++
		}
	}
	return out
}

func TestHealthyTargetsTakeTurns(t *testing.T) {
	p := poolOf(&balancer.TargetGroup{}, 3)
	if got := tally(p, 9); got["0"] != 3 || got["1"] != 3 || got["2"] != 3 {
		t.Errorf("%v", got)
	}
	setHealth(p.members[1], unhealthy)
	if got := tally(p, 8); got["0"] != 4 || got["2"] != 4 {
		t.Errorf("with target 1 unhealthy: %v", got)
	}
	later := NewPool(p.group, "a", p.members, p)
	if a, b := p.next(time.Now()), later.next(time.Now()); a == b {
		t.Error("a new version of the pool restarts the turns")
	}
	if got := tally(NewPool(p.group, "a", nil, p), 1); got["none"] != 1 {
		t.Errorf("without targets: %v", got)
	}
}

func TestTooFewHealthyTargetsOpenThePool(t *testing.T) {
	for _, c := range []struct {
		name      string
		minimum   balancer.Minimum
		unhealthy int // of four
		open      bool
	}{
		{"all unhealthy", balancer.Minimum{Count: 1}, 4, true},
		{"all unhealthy, no minimum", balancer.Minimum{}, 4, true},
		{"one healthy", balancer.Minimum{Count: 1}, 3, false},
		{"the minimum count", balancer.Minimum{Count: 2}, 2, false},
		{"below the minimum count", balancer.Minimum{Count: 3}, 2, true},
		{"the minimum percentage", balancer.Minimum{Count: 1, Percent: 50}, 2, false},
		{"below the minimum percentage", balancer.Minimum{Count: 1, Percent: 51}, 2, true},
		{"all healthy", balancer.Minimum{Count: 1, Percent: 100}, 0, false},
	} {
		for _, algorithm := range []string{"round_robin", leastOutstanding, weightedRandom} {
			t.Run(c.name+" "+algorithm, func(t *testing.T) {
				p := poolOf(&balancer.TargetGroup{FailOpen: c.minimum, Algorithm: algorithm}, 4)
				for _, m := range p.members[:c.unhealthy] {
					setHealth(m, unhealthy)
				}
				got := tally(p, 400)
				for i, m := range p.members {
					if used := got[m.Target.ID] > 0; used != (c.open || i >= c.unhealthy) {
						t.Errorf("%v", got)
					}
				}
			})
		}
	}
}

func TestWithoutCrossZoneANodeUsesItsOwnZone(t *testing.T) {
	all := []*Member{newMember("here", "a"), newMember("there", "b"), newMember("outside", "all")}
	ids := func(p *Pool) (out []string) {
		for _, m := range p.members {
			out = append(out, m.Target.ID)
		}
		return out
	}
	zoneOnly := NewPool(&balancer.TargetGroup{ZoneOnly: true}, "a", all, nil)
	if got := ids(zoneOnly); !slices.Equal(got, []string{"here", "outside"}) {
		t.Errorf("zone only: %v", got)
	}
	if got := ids(NewPool(&balancer.TargetGroup{}, "a", all, nil)); len(got) != 3 {
		t.Errorf("cross-zone: %v", got)
	}
	group := &balancer.TargetGroup{ZoneOnly: true, FailOpen: balancer.Minimum{Count: 1}}
	p := NewPool(group, "a", all[:2], nil)
	setHealth(all[0], unhealthy)
	if got := tally(p, 5); got["here"] != 5 {
		t.Errorf("it fails open into another zone: %v", got)
	}
}

func TestLeastOutstandingRequestsDecide(t *testing.T) {
	p := poolOf(&balancer.TargetGroup{Algorithm: leastOutstanding}, 3)
	p.members[0].Begin()
	p.members[2].Begin()
	if got := tally(p, 10); got["1"] != 10 {
		t.Errorf("%v", got)
	}
	p.members[1].Begin()
	if got := tally(p, 9); got["0"] != 3 || got["1"] != 3 || got["2"] != 3 {
		t.Errorf("equals do not take turns: %v", got)
	}
	again := NewPool(p.group, "a", membersOf(3), p)
	again.members[0].Begin()
	if got := tally(again, 10); got["0"] != 0 {
		t.Errorf("a new version of the pool forgets requests in flight: %v", got)
	}
	again.members[0].End()
	p.members[1].Begin()
	p.members[0].End()
	setHealth(p.members[0], unhealthy) // although it has the fewest
	if got := tally(p, 10); got["2"] != 10 {
		t.Errorf("with target 0 unhealthy: %v", got)
	}
}

func TestWeightedRandomSpreadsEvenly(t *testing.T) {
	p := poolOf(&balancer.TargetGroup{Algorithm: weightedRandom}, 4)
	p.roll = rand.New(rand.NewPCG(1, 2)).IntN
	for id, n := range tally(p, 4000) {
		if n < 900 || n > 1100 {
			t.Errorf("target %s: %d of 4000", id, n)
		}
	}
}

func TestShareOfANewTargetGrowsLinearly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group := &balancer.TargetGroup{SlowStart: 100 * time.Second}
		first := membersOf(2)
		p := NewPool(group, "a", first, nil)
		p.roll = rand.New(rand.NewPCG(1, 2)).IntN
		expect := func(when, id string, want float64) {
			t.Helper()
			const n = 6000
			if got := float64(tally(p, n)[id]) / n; got < want-0.02 || got > want+0.02 {
				t.Errorf("%s: target %s gets %.3f, want %.3f", when, id, got, want)
			}
		}
		expect("the first targets of a group", "0", 0.5)
		time.Sleep(10 * time.Second)
		late := newMember("late", "a")
		next := NewPool(group, "a", append(first, late), p)
		next.roll = p.roll
		p = next
		expect("at once", "late", 0)
		time.Sleep(50 * time.Second)
		expect("after half the time", "late", 0.5/2.5)
		time.Sleep(25 * time.Second)
		expect("after three quarters", "late", 0.75/2.75)
		time.Sleep(25 * time.Second)
		expect("after slow start", "late", 1.0/3)

		setHealth(first[0], unhealthy)
		expect("unhealthy", "0", 0)
		time.Sleep(time.Second)
		setHealth(first[0], health.Healthy)
		expect("healthy again", "0", 0)
		time.Sleep(50 * time.Second)
		expect("healthy again, after half the time", "0", 0.5/2.5)
	})
}

func TestEnablingSlowStartSparesHealthyTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		members := membersOf(2)
		before := NewPool(&balancer.TargetGroup{}, "a", members, nil)
		setHealth(members[1], unhealthy)
		p := NewPool(&balancer.TargetGroup{SlowStart: time.Minute}, "a", members, before)
		if got := tally(p, 10); got["0"] != 10 {
			t.Errorf("the healthy target: %v", got)
		}
		time.Sleep(time.Second)
		setHealth(members[1], health.Healthy)
		if got := tally(p, 100); got["1"] > 20 {
			t.Errorf("a target that recovers has no slow start: %v", got)
		}
		setHealth(members[0], unhealthy)
		if got := tally(p, 10); got["1"] != 10 {
			t.Errorf("the only healthy target does not get everything: %v", got)
		}
	})
}
