package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/internal/picture"
)

// drawLatency draws p50 and p99 of each column on a logarithmic scale.
func (r Report) drawLatency(p *picture.Picture) {
	g := p.Grid
	by := make([][]time.Duration, g.N)
	least, most := time.Hour, time.Millisecond
	for _, s := range r.facts.Recording.Samples {
		if s.Kind == load.OK {
			i := g.Column(s.At)
			by[i] = append(by[i], s.Latency)
			least, most = min(least, s.Latency), max(most, s.Latency)
		}
	}
	low := math.Floor(math.Log10(max(1e-4, min(least, most).Seconds())))
	high := max(low+1, math.Ceil(math.Log10(most.Seconds())-1e-9))
	y := func(s float64) float64 {
		return latencyPlot.Top + latencyPlot.High*(1-max(0, math.Log10(max(s, 1e-9))-low)/(high-low))
	}
	for e := low; e <= high; e++ {
		p.Tick(y(math.Pow(10, e)), decade(int(e)))
	}
	p.Frame(latencyPlot, "Latency of answered requests")
	legend := float64(picture.Right)
	for _, l := range []struct {
		name, colour string
		q            float64
	}{{"p99", p99Colour, 0.99}, {"p50", p50Colour, 0.5}} {
		var path strings.Builder
		command := "M"
		for i, d := range by {
			if len(d) == 0 {
				command = "M"
				continue
			}
			slices.Sort(d)
			// A horizontal stroke per column makes a single column visible too.
			v := y(percentile(d, l.q) / 1000)
			fmt.Fprintf(&path, "%s%.1f %.1fH%.1f", command, p.X(g.Edge(i)), v, p.X(g.Edge(i+1)))
			command = "L"
		}
		p.Printf(`<path d="%s" fill="none" stroke="%s" stroke-width="1.6" stroke-linejoin="round"/>`+"\n",
			path.String(), l.colour)
		legend -= 48
		p.Printf(`<path d="M%.1f %.0fh14" stroke="%s" stroke-width="2.4"/>`+"\n", legend, latencyPlot.Top-14, l.colour)
		p.Text(legend+19, latencyPlot.Top-10, "", l.name)
	}
}

// decade formats ten to the power of e seconds.
func decade(e int) string {
	switch {
	case e >= 0:
		return strconv.Itoa(int(math.Pow10(e))) + " s"
	case e >= -3:
		return strconv.Itoa(int(math.Pow10(e+3))) + " ms"
	}
	return fmt.Sprintf("%g ms", math.Pow10(e+3))
}

// drawTargets draws each server's share of the successful requests.
func (r Report) drawTargets(p *picture.Picture) {
	g := p.Grid
	p.Tick(targetsPlot.Top, "100 %")
	p.Tick(targetsPlot.Top+targetsPlot.High/2, "50 %")
	p.Tick(targetsPlot.Bottom(), "0 %")
	sums := make([]float64, g.N)
	layers := make([]picture.Layer, len(r.Targets))
	for k, t := range r.Targets {
		colour := targetColours[k%len(targetColours)]
		layers[k] = picture.Layer{Name: t.Name, Colour: colour, Values: make([]float64, g.N)}
		for second, c := range t.PerSecond {
			i := g.Column(time.Duration(second) * time.Second)
			layers[k].Values[i] += float64(c)
			sums[i] += float64(c)
		}
	}
	for _, layer := range layers {
		for i := range layer.Values {
			layer.Values[i] /= max(1, sums[i])
		}
	}
	p.Frame(targetsPlot, "Answered by")
	if len(layers) > 0 {
		p.Layers(targetsPlot, 1, layers)
	} else {
		middle := targetsPlot.Top + targetsPlot.High/2
		p.Text(picture.Left+8, middle-6, `fill="`+picture.Faint+`"`, "the answers name no server")
	}
}
