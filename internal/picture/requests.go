package picture

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/load"
)

// Lasts returns how long the requests of a recording were due, including the
// interval after the last one.
func Lasts(r load.Recording) time.Duration {
	n := len(r.Samples)
	if n == 0 {
		return 0
	}
	last := r.Samples[n-1].At
	return last + last/time.Duration(n)
}

// Requests draws the requests per second by how they ended, on top of each other.
func (p *Picture) Requests(plot Plot, r load.Recording) {
	g := p.Grid
	rates := map[load.Kind][]float64{}
	sums := make([]float64, g.N)
	for _, s := range r.Samples {
		if rates[s.Kind] == nil {
			rates[s.Kind] = make([]float64, g.N)
		}
		i := g.Column(s.At)
		each := 1 / (g.Edge(i+1) - g.Edge(i)).Seconds()
		rates[s.Kind][i] += each
		sums[i] += each
	}
	top := p.Scale(plot, slices.Max(sums))
	p.Frame(plot, "Requests a second")
	var layers []Layer
	for _, kind := range append([]load.Kind{load.OK}, load.Kinds...) {
		if rates[kind] != nil {
			layers = append(layers, Layer{string(kind), kindColours[kind], rates[kind]})
		}
	}
	p.Layers(plot, top, layers)
}
