package picture

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGridCoversTheRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := time.Duration(rapid.Int64Range(0, int64(10*time.Hour)).Draw(t, "end"))
		g := GridOf(end)
		if g.N < 1 || g.N > maxColumns+1 || g.Edge(0) != 0 || g.Edge(g.N) != max(end, time.Second) {
			t.Fatalf("%v: got %d columns from %v to %v", end, g.N, g.Edge(0), g.Edge(g.N))
		}
		for i := range g.N {
			if width := g.Edge(i+1) - g.Edge(i); width <= 0 || width > g.step*5/4+1 {
				t.Fatalf("%v: column %d lasts %v, the others %v", end, i, width, g.step)
			}
		}
		at := time.Duration(rapid.Int64Range(0, int64(g.End)).Draw(t, "at"))
		if i := g.Column(at); at < g.Edge(i) || at > g.Edge(i+1) {
			t.Fatalf("%v: %v is in column %d, from %v to %v", end, at, i, g.Edge(i), g.Edge(i+1))
		}
	})
}
