package report

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/picture"
)

// The picture's measures in pixels.
const (
	momentsTop    = 86 // the names of the moments, above the plots
	momentsRows   = 3
	momentHigh    = 14
	momentsBottom = momentsTop + momentsRows*momentHigh

	pictureHeight = 710
)

// The plots.
var (
	requestsPlot = picture.Plot{Top: 164, High: 170}
	latencyPlot  = picture.Plot{Top: 380, High: 130}
	targetsPlot  = picture.Plot{Top: 556, High: 90}
	plots        = []picture.Plot{requestsPlot, latencyPlot, targetsPlot} // where the lines go through
)

// Its colours, besides those of every picture.
const (
	good      = "#1a7f4b"
	bad       = "#b42318"
	boundFill = "#fff4d6"
	boundLine = "#e0a800"
)

// SVG is the run as a picture for a post-mortem: requests answered and failed,
// latency and who answered, over time, with the moments of the drill and the
// bound. It needs nothing else to be shown.
func (r Report) SVG() []byte {
	p := picture.New(pictureHeight, picture.GridOf(picture.Lasts(r.facts.Recording)), r.title(), r.summary())
	r.drawVerdict(p)
	r.drawBound(p)
	p.Requests(requestsPlot, r.facts.Recording)
	r.drawLatency(p)
	r.drawTargets(p)
	r.drawMoments(p)
	r.drawTime(p)
	p.Text(picture.Left, pictureHeight-14, `fill="`+picture.Faint+`" font-size="11"`, r.settings())
	return p.End()
}

func (r Report) title() string {
	what := r.Experiment
	if r.Victim != "" {
		what += " " + r.Victim
	}
	return "Drill: " + what + ", " + percent(r.Availability) + " available"
}

func (r Report) summary() string {
	if r.Failed == 0 {
		return picture.Grouped(r.Sent) + " requests, none failed"
	}
	return fmt.Sprintf(
		"%s of %s requests failed, for %s, the last one %s the disturbance",
		picture.Grouped(r.Failed),
		picture.Grouped(r.Sent),
		seconds(&r.ErrorWindow),
		relative(r.LastFailure),
	)
}

func (r Report) settings() string {
	s := r.facts.Settings
	when := ""
	if !r.Started.IsZero() {
		when = r.Started.UTC().Format("2006-01-02 15:04:05") + " UTC · "
	}
	return when + fmt.Sprintf(
		"health checks every %s, time-out %s, %d to leave the rotation, %d to return · %s in %s",
		short(
			s.Interval,
		),
		short(s.Timeout),
		s.Unhealthy,
		s.Healthy,
		plural(s.Targets, "server", "servers"),
		plural(s.Zones, "zone", "zones"),
	)
}

// drawVerdict says at the right of the title whether the bound was kept.
func (r Report) drawVerdict(p *picture.Picture) {
	if r.Bound == 0 {
		return
	}
	text, colour := "inside the bound", good
	if !r.InsideBound {
		text, colour = "OUTSIDE THE BOUND", bad
	}
	wide := 24 + 7.6*float64(len(text))
	p.Printf(
		`<rect x="%.1f" y="17" width="%.1f" height="24" rx="12" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n",
		picture.Right-wide,
		wide,
		colour,
	)
	p.Text(picture.Right-wide/2, 33, `text-anchor="middle" font-weight="600" fill="`+colour+`"`, text)
}

// drawBound shades the time in which requests may fail after the disturbance.
func (r Report) drawBound(p *picture.Picture) {
	from := r.facts.Injected
	if r.facts.Bound.AfterRestore {
		from = r.facts.Restored
	}
	if from == 0 || r.Bound == 0 {
		return
	}
	end := from + r.facts.Bound.Total()
	left, right := p.X(from), p.X(min(end, p.Grid.End))
	for _, plot := range plots {
		p.Rect(left, plot.Top, right-left, plot.High, boundFill)
		if end <= p.Grid.End {
			p.Line(right, plot.Top, right, plot.Bottom(), boundLine, "")
		}
	}
	p.Rect(left, requestsPlot.Top-5, right-left, 3, boundLine)
	name, at, anchor := "bound "+seconds(&r.Bound), right-5, "end"
	if right-left < 90 {
		at, anchor = left+5, "start"
	}
	p.Text(at, latencyPlot.Bottom()-7, fmt.Sprintf(`text-anchor="%s" font-size="11" fill="#8a6500"`, anchor), name)
}

// drawMoments marks when something happened. Names that would overlap go to
// different heights.
func (r Report) drawMoments(p *picture.Picture) {
	f := r.facts
	used := [momentsRows]float64{}
	var names []func() // are written over all lines
	for _, m := range []struct {
		at    time.Duration
		since *int64
		name  string
	}{{f.Injected, nil, "disturbed"}, {f.Detected, r.Detected, "detected"}, {f.OutOfRotation, r.OutOfRotation, "out of rotation"}, {f.Restored, r.Restored, "put back"}, {f.Recovered, r.Recovered, "recovered"}} {
		if m.at == 0 {
			continue
		}
		name := m.name
		if m.since != nil {
			name += " +" + seconds(m.since)
		}
		x, wide := p.X(m.at), 6.1*float64(len(name))
		at, anchor := x+4, "start"
		if at+wide > picture.Width {
			at, anchor = x-4, "end"
		}
		left := at
		if anchor == "end" {
			left -= wide
		}
		row := 0
		for row < momentsRows-1 && left < used[row] {
			row++
		}
		used[row] = left + wide + 8
		y := float64(momentsTop + momentHigh*row)
		p.Line(x, y-8, x, momentsBottom, "#57606a", "3 3")
		for _, plot := range plots { // and not through the legends
			p.Line(x, plot.Top, x, plot.Bottom(), "#57606a", "3 3")
		}
		names = append(names, func() {
			p.Text(
				at,
				y+1,
				fmt.Sprintf(
					`font-size="11" text-anchor="%s" stroke="#fff" stroke-width="4" paint-order="stroke"`,
					anchor,
				),
				name,
			)
		})
	}
	for _, write := range names {
		write()
	}
}

// drawTime labels the time below all plots, counted from the disturbance.
func (r Report) drawTime(p *picture.Picture) {
	since := "seconds since the disturbance"
	if r.facts.Injected == 0 {
		since = "seconds since the load began"
	}
	p.Time(targetsPlot.Bottom(), r.facts.Injected, since)
}
