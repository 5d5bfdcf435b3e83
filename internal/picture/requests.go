package picture

import (
	"math"
	"slices"
	"time"

	"aloft.dev/aloft/internal/load"
)

// kindColours are what requests became. Failures are warm, all else is not.
var kindColours = map[load.Kind]string{
	load.OK: "#b7dcc3", load.Timeout: "#9a1b1b", load.Reset: "#d9480f", load.Refused: "#f08c00", load.BadGateway: "#e03131", load.Unavailable: "#ff6b6b",
	load.GatewayTimeout: "#c2255c", load.ServerError: "#f783ac", load.ClientError: "#ffc078", load.DNS: "#7048e8", load.Unsent: "#adb5bd", load.Other: "#495057",
}

// Lasts is how long requests were due.
func Lasts(r load.Recording) time.Duration {
	n := len(r.Samples)
	if n == 0 {
		return 0
	}
	last := r.Samples[n-1].At
	return last + last/time.Duration(n) // the last request has its time as well
}

// Requests stacks the requests a second by how they ended.
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
	most := p.Scale(plot, slices.Max(sums))
	p.Frame(plot, "Requests a second")
	var all []Layer
	for _, kind := range append([]load.Kind{load.OK}, load.Kinds...) {
		if rates[kind] != nil {
			all = append(all, Layer{string(kind), kindColours[kind], rates[kind]})
		}
	}
	p.Layers(plot, most, all)
}

// Scale labels a plot's heights from 0 on, in about four steps, and gives its
// highest. A value that is a little over the last line gets no step more.
func (p *Picture) Scale(plot Plot, value float64) (most float64) {
	step := Nice(max(4, value) / 4)
	most = max(step, step*math.Ceil(value*0.98/step))
	for v := 0.0; v <= most; v += step {
		p.Tick(plot.Top+plot.High*(1-v/most), Grouped(int(v)))
	}
	return most
}
