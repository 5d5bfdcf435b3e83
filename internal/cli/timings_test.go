package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/timing"
)

func TestPrintTimings(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	var times timing.Recorder
	g := times.Graph("first")
	g.Add(timing.Task{ID: 0, Address: "vpc", Message: "create VPC", Started: at(1), Ended: at(3)})
	g.Add(timing.Task{ID: 1, Address: "key-pair", Message: "import the key", Started: at(1), Ended: at(2)})
	g.Add(timing.Task{ID: 2, Address: "server-1", Message: "launch", Started: at(3), Ended: at(51), After: []int{0, 1}})
	var out bytes.Buffer
	(&global{}).printTimings(&out, &times, began, at(60))
	want := `
     START  TOOK  RESOURCE  TASK
  *  1.0s   2.0s  vpc       create VPC
     1.0s   1.0s  key-pair  import the key
  *  3.0s   48s   server-1  launch

  * The critical path: these tasks wait for each other and took 50s together.
  The run took 1m00s, 1.20 times the critical path.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	(&global{}).printTimings(&out, nil, began, at(60))
	if out.Len() != 0 {
		t.Errorf("without --timings: %s", out.String())
	}
}
