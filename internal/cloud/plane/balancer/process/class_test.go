//go:build linux

package process

import (
	"testing"
	"time"
)

var (
	// alone, busy and beside are what half a second looks like in bench/balancer and
	// bench/neighbour on a host with two processors.
	alone  = usage{ran: 27 * time.Millisecond, waited: 12 * time.Millisecond, slices: 390}
	busy   = usage{ran: 144 * time.Millisecond, waited: 560 * time.Millisecond, slices: 924}
	beside = usage{ran: 24 * time.Millisecond, waited: 401 * time.Millisecond, slices: 337}
)

// calm is the usage in a pause in which nothing else ran.
var calm = usage{idle: 2 * time.Minute}

// clock counts intervals of a rule.
type clock struct {
	at   time.Time
	rule rule
}

func newClock() *clock {
	at := time.Unix(1_000_000, 0)
	return &clock{at: at, rule: newRule(at)}
}

// count lets the rule's interval pass, in which the process used the processors.
func (c *clock) count(used usage) class {
	c.at = c.at.Add(c.rule.interval())
	c.rule.count(c.at, used)
	return c.rule.class
}

// until counts until the rule is in a class, and returns how long that took.
func (c *clock) until(t *testing.T, want class, used usage) time.Duration {
	t.Helper()
	began := c.at
	for c.count(used) != want {
		if c.at.Sub(began) > time.Hour {
			t.Fatalf("not in class %d after an hour", want)
		}
	}
	return c.at.Sub(began)
}

func TestBalancerGathersWhileItIsNotInTheWayOfOthers(t *testing.T) {
	for name, used := range map[string]usage{"idle": {}, "alone": alone, "busy": busy} {
		c := newClock()
		for range 1000 {
			if c.count(used) != gathering {
				t.Fatalf("%s: it preempts after %v", name, c.at)
			}
		}
	}
}

func TestBalancerPreemptsBesideNeighboursThatNeverRest(t *testing.T) {
	c := newClock()
	if took := c.until(t, preempting, beside); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestOneLongWaitIsNotEnough(t *testing.T) {
	c := newClock()
	for range 100 {
		if c.count(beside) != gathering || c.count(alone) != gathering {
			t.Fatalf("it preempts after %v", c.at)
		}
	}
}

func TestFewSlicesAreCountedTogether(t *testing.T) {
	c := newClock()
	few := usage{ran: beside.ran / 50, waited: beside.waited / 50, slices: beside.slices / 50}
	if took := c.until(t, preempting, few); took < 2*time.Second || took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestPausesBecomeLongerWhileNeighboursDoNotRest(t *testing.T) {
	c := newClock()
	c.until(t, preempting, beside)
	for _, want := range []time.Duration{10, 20, 40, 60, 60} {
		if paused := c.until(t, gathering, calm); paused != want*time.Second {
			t.Errorf("a pause of %v, want %v", paused, want*time.Second)
		}
		if trial := c.until(t, preempting, beside); trial != trialInterval {
			t.Errorf("a trial of %v", trial)
		}
	}
}

func TestPauseIsShortAgainAfterAMinuteWithoutHarm(t *testing.T) {
	for _, test := range []struct{ quiet, pause time.Duration }{
		{50 * time.Second, 40 * time.Second}, // the same neighbour
		{70 * time.Second, 10 * time.Second}, // another
	} {
		c := newClock()
		c.until(t, preempting, beside)
		c.until(t, gathering, calm)
		c.until(t, preempting, beside)
		c.until(t, gathering, calm)
		for end := c.at.Add(test.quiet); c.at.Before(end); {
			if c.count(alone) != gathering {
				t.Fatal("it preempts for no reason")
			}
		}
		c.until(t, preempting, beside)
		if paused := c.until(t, gathering, calm); paused != test.pause {
			t.Errorf("%v without harm: a pause of %v, want %v", test.quiet, paused, test.pause)
		}
	}
}

func TestBalancerPreemptsAsLongAsNoProcessorIsIdle(t *testing.T) {
	c := newClock()
	c.until(t, preempting, beside)
	for range 1000 {
		if c.count(usage{idle: minPause / 20}) != preempting {
			t.Fatal("it tries to gather beside the same neighbours")
		}
	}
	if took := c.until(t, gathering, usage{idle: minPause / 5}); took != minPause {
		t.Errorf("it took %v", took)
	}
}
