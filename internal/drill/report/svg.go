package report

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/picture"
)

// Vertical measures of the picture, in pixels.
const (
	momentsTop    = 86 // the moments' names, above the plots
	momentsRows   = 3
	momentHigh    = 14
	momentsBottom = momentsTop + momentsRows*momentHigh

	pictureHeight = 710
)

var (
	requestsPlot = picture.Plot{Top: 164, High: 170}
	latencyPlot  = picture.Plot{Top: 380, High: 130}
	targetsPlot  = picture.Plot{Top: 556, High: 90}
	plots        = []picture.Plot{requestsPlot, latencyPlot, targetsPlot}
)

// SVG returns a picture of the run for a post-mortem: successful and failed requests,
// latency and the servers' shares over time, with the moments of the drill and the
// bound. The document refers to no other file.
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
	return fmt.Sprintf("%s of %s requests failed, for %s, the last one %s the disturbance",
		picture.Grouped(r.Failed), picture.Grouped(r.Sent), seconds(&r.ErrorWindow), relative(r.LastFailure))
}

func (r Report) settings() string {
	s := r.facts.Settings
	when := ""
	if !r.Started.IsZero() {
		when = r.Started.UTC().Format("2006-01-02 15:04:05") + " UTC · "
	}
	return when + fmt.Sprintf("health checks every %s, time-out %s, %d to leave the rotation, %d to return · %s in %s",
		short(s.Interval), short(s.Timeout), s.Unhealthy, s.Healthy,
		plural(s.Targets, "server", "servers"), plural(s.Zones, "zone", "zones"))
}

// drawVerdict draws, to the right of the title, whether the bound was kept.
func (r Report) drawVerdict(p *picture.Picture) {
	if r.Bound == 0 {
		return
	}
	text, colour := "inside the bound", insideColour
	if !r.InsideBound {
		text, colour = "OUTSIDE THE BOUND", outsideColour
	}
	wide := 24 + 7.6*float64(len(text))
	const box = `<rect x="%.1f" y="17" width="%.1f" height="24" rx="12" fill="none" stroke="%s" stroke-width="1.5"/>`
	p.Printf(box+"\n", picture.Right-wide, wide, colour)
	p.Text(picture.Right-wide/2, 33, `text-anchor="middle" font-weight="600" fill="`+colour+`"`, text)
}

// drawBound shades the time in which requests may fail.
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
	attributes := fmt.Sprintf(`text-anchor="%s" font-size="11" fill="%s"`, anchor, boundText)
	p.Text(at, latencyPlot.Bottom()-7, attributes, name)
}

// moment is a moment of the drill that the picture shows.
type moment struct {
	at   time.Duration // 0 if it did not come
	name string
}

func (r Report) moments() []moment {
	f := r.facts
	return []moment{
		{f.Injected, "disturbed"},
		{f.Detected, "detected" + since(r.Detected)},
		{f.OutOfRotation, "out of rotation" + since(r.OutOfRotation)},
		{f.Restored, "put back" + since(r.Restored)},
		{f.Recovered, "recovered" + since(r.Recovered)},
	}
}

// since formats the time since the failure for a moment's name.
func since(ms *int64) string {
	if ms == nil {
		return ""
	}
	return " +" + seconds(ms)
}

// drawMoments draws a vertical line for each moment. Names that would overlap are
// written in different rows.
func (r Report) drawMoments(p *picture.Picture) {
	used := [momentsRows]float64{} // the right end of the last name in each row
	var writeNames []func()        // names are written on top of all lines
	for _, m := range r.moments() {
		if m.at == 0 {
			continue
		}
		x, wide := p.X(m.at), 6.1*float64(len(m.name))
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
		p.Line(x, y-8, x, momentsBottom, momentColour, "3 3")
		for _, plot := range plots { // the lines stop at the legends
			p.Line(x, plot.Top, x, plot.Bottom(), momentColour, "3 3")
		}
		writeNames = append(writeNames, func() {
			const halo = `stroke="#fff" stroke-width="4" paint-order="stroke"`
			p.Text(at, y+1, fmt.Sprintf(`font-size="11" text-anchor="%s" %s`, anchor, halo), m.name)
		})
	}
	for _, write := range writeNames {
		write()
	}
}

// drawTime draws the time axis, counted from the failure.
func (r Report) drawTime(p *picture.Picture) {
	unit := "seconds since the disturbance"
	if r.facts.Injected == 0 {
		unit = "seconds since the load began"
	}
	p.Time(targetsPlot.Bottom(), r.facts.Injected, unit)
}
