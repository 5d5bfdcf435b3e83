package picture

import (
	"math"
	"time"
)

// maxColumns is the largest number of columns that can be told apart.
const maxColumns = 240

// Grid divides a run into columns of a whole number of seconds. The last column may
// be a quarter longer or three quarters shorter.
type Grid struct {
	End time.Duration
	N   int // number of columns

	step time.Duration
}

// GridOf returns the grid of a run that ends at a time.
func GridOf(end time.Duration) Grid {
	g := Grid{End: max(time.Second, end)}
	g.step = time.Second * time.Duration(math.Ceil(g.End.Seconds()/maxColumns))
	g.N = max(1, int(float64(g.End)/float64(g.step)+0.75))
	return g
}

// Column returns the column of an instant.
func (g Grid) Column(at time.Duration) int { return min(int(at/g.step), g.N-1) }

// Edge returns the time at which a column begins. Edge(N) is the end of the run.
func (g Grid) Edge(column int) time.Duration {
	if column == g.N {
		return g.End
	}
	return g.step * time.Duration(column)
}
