//go:build linux

package machine

import (
	"testing"
	"time"
)

func TestMachineComesLastOnlyAfterItHasUsedItsCredit(t *testing.T) {
	now := time.Unix(0, 0)
	c := credit{left: maxCredit, at: now, weight: 20}
	used := time.Duration(0)
	// run lets the machine use a share of one processor for a time, and returns when, if ever, it
	// first came last or first again.
	run := func(percent, long time.Duration) (changed time.Duration) {
		before := c.idle
		for passed := creditInterval; passed <= long; passed += creditInterval {
			now = now.Add(creditInterval)
			used += creditInterval * percent / 100
			if c.count(used, now) != before {
				return passed
			}
		}
		return 0
	}
	if at := run(20, time.Hour); at != 0 {
		t.Errorf("a machine that uses what it always has comes last after %v", at)
	}
	if at := run(200, time.Minute); at == 0 || at > 2*creditInterval {
		t.Errorf("two busy processors come last after %v, want 0.2 s of credit at 1.8 s a second", at)
	}
	if at := run(100, time.Hour); at != 0 {
		t.Errorf("a busy machine comes first again after %v", at)
	}
	if at := run(0, time.Minute); at == 0 || at > time.Second {
		t.Errorf("a machine without processor time comes first again after %v, want a second at most", at)
	}
}
