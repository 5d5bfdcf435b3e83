package picture

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// mostColumns are as many as can be told apart.
const mostColumns = 240

// Grid divides a run into columns of a whole number of seconds. The last one may
// be a quarter longer or three quarters shorter.
type Grid struct {
	End time.Duration
	N   int // of columns

	step time.Duration
}

// GridOf is the grid of a run of that length.
func GridOf(end time.Duration) Grid {
	g := Grid{End: max(time.Second, end)}
	g.step = time.Second * time.Duration(math.Ceil(g.End.Seconds()/mostColumns))
	g.N = max(1, int(float64(g.End)/float64(g.step)+0.75))
	return g
}

// Column is the column of an instant.
func (g Grid) Column(at time.Duration) int { return min(int(at/g.step), g.N-1) }

// Edge is when a column begins; that of N is the end.
func (g Grid) Edge(i int) time.Duration {
	if i == g.N {
		return g.End
	}
	return g.step * time.Duration(i)
}

// Layer is one of the layers of a plot: a value a column.
type Layer struct {
	Name, Colour string
	Values       []float64
}

// leastHigh lets a single failure among many requests be seen.
const leastHigh = 2

// Layers draws layers one on another, as high as the most is; then the legend.
func (p *Picture) Layers(plot Plot, most float64, all []Layer) {
	base := make([]float64, p.Grid.N)
	legend := float64(Right)
	for _, s := range all {
		next := slices.Clone(base)
		for i, v := range s.Values {
			next[i] += v
		}
		y := func(v float64) float64 { return plot.Top + plot.High*(1-v/most) }
		var path strings.Builder
		for i := range next {
			if next[i] == base[i] {
				continue
			}
			upper := min(y(next[i]), y(base[i])-leastHigh)
			left, right := p.X(p.Grid.Edge(i)), p.X(p.Grid.Edge(i+1))
			fmt.Fprintf(&path, "M%.1f %.1fH%.1fV%.1fH%.1fZ", left, upper, right, y(base[i]), left)
		}
		if path.Len() > 0 {
			p.Printf(
				`<path d="%s" fill="%s" fill-opacity="0.88" shape-rendering="crispEdges"/>`+"\n",
				path.String(),
				s.Colour,
			)
		}
		base = next
		legend -= 24 + 6.8*float64(len([]rune(s.Name)))
		p.Rect(legend, plot.Top-19, 10, 10, s.Colour)
		p.Text(legend+14, plot.Top-10, "", s.Name)
	}
}
