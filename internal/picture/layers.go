package picture

import (
	"fmt"
	"slices"
	"strings"
)

// Layer is one layer of a plot, with a value per column.
type Layer struct {
	Name, Colour string
	Values       []float64
}

// minHeight makes a single failure among many requests visible, in pixels.
const minHeight = 2

// Layers draws layers on top of each other, and their legend. top is the value at
// the top of the plot.
func (p *Picture) Layers(plot Plot, top float64, layers []Layer) {
	base := make([]float64, p.Grid.N)
	legend := float64(Right)
	for _, layer := range layers {
		sums := slices.Clone(base)
		for i, v := range layer.Values {
			sums[i] += v
		}
		if path := p.layerPath(plot, top, base, sums); path != "" {
			p.Printf(`<path d="%s" fill="%s" fill-opacity="0.88" shape-rendering="crispEdges"/>`+"\n",
				path, layer.Colour)
		}
		base = sums
		legend -= 24 + 6.8*float64(len([]rune(layer.Name)))
		p.Rect(legend, plot.Top-19, 10, 10, layer.Colour)
		p.Text(legend+14, plot.Top-10, "", layer.Name)
	}
}

// layerPath returns the path data of a layer between two values per column.
func (p *Picture) layerPath(plot Plot, top float64, lower, upper []float64) string {
	y := func(v float64) float64 { return plot.Top + plot.High*(1-v/top) }
	var path strings.Builder
	for i := range upper {
		if upper[i] == lower[i] {
			continue
		}
		high := min(y(upper[i]), y(lower[i])-minHeight)
		left, right := p.X(p.Grid.Edge(i)), p.X(p.Grid.Edge(i+1))
		_, _ = fmt.Fprintf(&path, "M%.1f %.1fH%.1fV%.1fH%.1fZ", left, high, right, y(lower[i]), left)
	}
	return path.String()
}
