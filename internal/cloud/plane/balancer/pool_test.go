package balancer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// tally counts whom a pool chooses in n requests.
func tally(p *pool, n int) map[string]int {
	out := map[string]int{}
	for range n {
		if m := p.next(time.Now()); m != nil {
			out[m.target.ID]++
		} else {
			out["none"]++
		}
	}
	return out
}

func TestHealthyTargetsTakeTurns(t *testing.T) {
	p := fleet(t, &TargetGroup{}, 3)
	if got := tally(p, 9); got["0"] != 3 || got["1"] != 3 || got["2"] != 3 {
		t.Errorf("%v", got)
	}
	p.members[1].fall()
	if got := tally(p, 8); got["0"] != 4 || got["2"] != 4 {
		t.Errorf("%v", got)
	}
	later := newPool(p.group, "a", p.members, p)
	if a, b := p.next(time.Now()), later.next(time.Now()); a == b {
		t.Error("a new version begins anew")
	}
	if got := tally(newPool(p.group, "a", nil, p), 1); got["none"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestTooFewHealthyTargetsOpenThePoolToAll(t *testing.T) {
	for _, c := range []struct {
		name    string
		minimum Minimum
		ill     int
		open    bool
	}{
		{"all ill", Minimum{Count: 1}, 4, true},
		{"all ill, no minimum", Minimum{}, 4, true},
		{"one well", Minimum{Count: 1}, 3, false},
		{"as many as have to be", Minimum{Count: 2}, 2, false},
		{"fewer than have to be", Minimum{Count: 3}, 2, true},
		{"as large a part", Minimum{Count: 1, Percent: 50}, 2, false},
		{"a smaller part", Minimum{Count: 1, Percent: 51}, 2, true},
		{"all well", Minimum{Count: 1, Percent: 100}, 0, false},
	} {
		for _, algorithm := range []string{"round_robin", leastOutstanding, weightedRandom} {
			t.Run(c.name+" "+algorithm, func(t *testing.T) {
				p := fleet(t, &TargetGroup{FailOpen: c.minimum, Algorithm: algorithm}, 4)
				for _, m := range p.members[:c.ill] {
					m.fall()
				}
				got := tally(p, 400)
				for i, m := range p.members {
					if used := got[m.target.ID] > 0; used != (c.open || i >= c.ill) {
						t.Errorf("%v", got)
					}
				}
			})
		}
	}
}

func TestWithoutCrossZoneANodeUsesItsOwnZone(t *testing.T) {
	all := []*member{newMember("here", "a"), newMember("there", "b"), newMember("outside", "all")}
	ids := func(p *pool) (out []string) {
		for _, m := range p.members {
			out = append(out, m.target.ID)
		}
		return out
	}
	if got := ids(newPool(&TargetGroup{ZoneOnly: true}, "a", all, nil)); !slices.Equal(
		got,
		[]string{"here", "outside"},
	) {
		t.Errorf("%v", got)
	}
	if got := ids(newPool(&TargetGroup{}, "a", all, nil)); len(got) != 3 {
		t.Errorf("%v", got)
	}
	apart := newPool(&TargetGroup{ZoneOnly: true, FailOpen: Minimum{Count: 1}}, "a", all[:2], nil)
	all[0].fall()
	if got := tally(apart, 5); got["here"] != 5 {
		t.Errorf("it fails open into another zone: %v", got)
	}
}

func TestTheIdlestTargetIsChosen(t *testing.T) {
	p := fleet(t, &TargetGroup{Algorithm: leastOutstanding}, 3)
	p.members[0].begin()
	p.members[2].begin()
	if got := tally(p, 10); got["1"] != 10 {
		t.Errorf("%v", got)
	}
	p.members[1].begin()
	if got := tally(p, 9); got["0"] != 3 || got["1"] != 3 || got["2"] != 3 {
		t.Errorf("equals do not take turns: %v", got)
	}
	again := newPool(p.group, "a", crowd(3), p)
	again.members[0].begin()
	if got := tally(again, 10); got["0"] != 0 {
		t.Errorf("a new version forgets what is in flight: %v", got)
	}
	again.members[0].end()
	p.members[1].begin()
	p.members[0].end()
	p.members[0].fall() // the idlest, but ill
	if got := tally(p, 10); got["2"] != 10 {
		t.Errorf("%v", got)
	}
}

func TestWeightedRandomSpreadsEvenly(t *testing.T) {
	p := fleet(t, &TargetGroup{Algorithm: weightedRandom}, 4)
	p.roll = rand.New(rand.NewPCG(1, 2)).IntN
	for id, n := range tally(p, 4000) {
		if n < 900 || n > 1100 {
			t.Errorf("%s: %d", id, n)
		}
	}
}

func TestTheShareOfANewTargetGrowsEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group := &TargetGroup{SlowStart: 100 * time.Second}
		first := crowd(2)
		p := newPool(group, "a", first, nil)
		p.roll = rand.New(rand.NewPCG(1, 2)).IntN
		share := func(id string) float64 {
			const n = 6000
			return float64(tally(p, n)[id]) / n
		}
		near := func(what, id string, want float64) {
			t.Helper()
			if got := share(id); got < want-0.02 || got > want+0.02 {
				t.Errorf("%s: %.3f, want %.3f", what, got, want)
			}
		}
		near("the first targets of a group", "0", 0.5)
		time.Sleep(10 * time.Second)
		late := newMember("late", "a")
		next := newPool(group, "a", append(first, late), p)
		next.roll = p.roll
		p = next
		near("at once", "late", 0)
		time.Sleep(50 * time.Second)
		near("half way", "late", 0.5/2.5)
		time.Sleep(25 * time.Second)
		near("three quarters", "late", 0.75/2.75)
		time.Sleep(25 * time.Second)
		near("warm", "late", 1.0/3)

		first[0].fall()
		near("ill", "0", 0)
		time.Sleep(time.Second)
		first[0].rise()
		near("well again", "0", 0)
		time.Sleep(50 * time.Second)
		near("well again, half way", "0", 0.5/2.5)
	})
}

func TestSlowStartSparesNobodyWhenItIsSwitchedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		members := crowd(2)
		before := newPool(&TargetGroup{}, "a", members, nil)
		members[1].fall()
		p := newPool(&TargetGroup{SlowStart: time.Minute}, "a", members, before)
		if got := tally(p, 10); got["0"] != 10 {
			t.Errorf("%v", got)
		}
		time.Sleep(time.Second)
		members[1].rise()
		if got := tally(p, 100); got["1"] > 20 {
			t.Errorf("one that recovers is not spared: %v", got)
		}
		members[0].fall()
		if got := tally(p, 10); got["1"] != 10 {
			t.Errorf("the only healthy one does not get all: %v", got)
		}
	})
}
