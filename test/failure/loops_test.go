//go:build linux

package failure

import (
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/test/simulation"
)

func TestUpSurvivesRestartsOfTheControlLoops(t *testing.T) {
	for round := range 8 {
		c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
		d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
		type result struct {
			status *apply.Status
			err    error
		}
		done := make(chan result, 1)
		go func() {
			status, err := d.Up(t.Context())
			done <- result{status, err}
		}()
		var r result
		for dying := true; dying; {
			select {
			case r = <-done:
				dying = false
			case <-time.After(time.Duration(3+2*round) * time.Millisecond): // at a different point in every round
				c.StopLoops()
				c.StartLoops(t)
			}
		}
		if r.err != nil || len(r.status.Machines) != 3 {
			t.Fatalf("%+v, %v", r.status, r.err)
		}
		simulation.PlanIsEmpty(t, d)
		simulation.EverythingOnce(t, c)
		if n := len(c.Machines.List()); n != 3 {
			t.Errorf("%d machines:\n%s", n, c.Machines.String())
		}
	}
}
