//go:build linux

package admission

import (
	"testing"
	"time"
)

func TestNoticeIsDueOnceInAWhile(t *testing.T) {
	var n Notice
	start := time.Unix(1000, 0)
	for i, want := range []int{1, 0, 0, 3, 0, 2} {
		at := start.Add(time.Duration(i) * noticeInterval / 3)
		if i > 3 {
			at = at.Add(noticeInterval / 2)
		}
		if count, due := n.Due(at); due != (want > 0) || count != want {
			t.Errorf("occurrence %d: %d, %v; want %d", i, count, due, want)
		}
	}
}
