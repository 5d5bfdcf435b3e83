package main

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/picture"
)

// The picture's plots, and the strips of the alarms between the last two.
var (
	requestsPlot = picture.Plot{Top: 130, High: 130}
	perPlot      = picture.Plot{Top: 306, High: 130}
	alarmsPlot   = picture.Plot{Top: 476, High: 32}
	serversPlot  = picture.Plot{Top: 550, High: 110}
	plots        = []picture.Plot{requestsPlot, perPlot, alarmsPlot, serversPlot}
)

const (
	pictureHeight = 710
	momentsTop    = 86

	line     = "#1d4ed8"
	desired  = "#c2410c"
	servers  = "#b7dcc3"
	targets  = "#e0a800"
	momentAt = "#57606a"
)

var stateColours = map[string]string{"ALARM": "#e03131", "OK": servers, "INSUFFICIENT_DATA": picture.Hairline}

// svg draws the trace.
func (t *trace) svg() []byte {
	r := t.result()
	end := max(picture.Lasts(t.requests), t.points[len(t.points)-1].at)
	p := picture.New(
		pictureHeight,
		picture.GridOf(end),
		r.title(),
		fmt.Sprintf(
			"%s requests, %d failed; the group follows %s requests a minute for each server",
			picture.Grouped(r.Sent),
			r.Failed,
			picture.Grouped(target),
		),
	)
	p.Requests(requestsPlot, t.requests)
	t.drawPerServer(p)
	t.drawAlarms(p)
	t.drawServers(p)
	t.drawMoments(p)
	p.Time(serversPlot.Bottom(), t.tripled, "seconds since the load was tripled")
	return p.End()
}

func (r result) title() string {
	if r.Shrunk == nil {
		return fmt.Sprintf("Target tracking: %d servers, then %d", r.Before, r.Most)
	}
	return fmt.Sprintf("Target tracking: %d servers, %d, and %d again", r.Before, r.Most, r.After)
}

// drawPerServer draws what the policy follows, and its target.
func (t *trace) drawPerServer(p *picture.Picture) {
	highest := float64(target)
	for _, point := range t.points {
		highest = max(highest, point.value)
	}
	most := p.Scale(perPlot, highest)
	p.Frame(perPlot, "Requests a minute for each server, as CloudWatch measures them")
	y := func(v float64) float64 { return perPlot.Top + perPlot.High*(1-v/most) }
	p.Line(picture.Left, y(target), picture.Right, y(target), targets, "6 4")
	p.Text(
		picture.Right-4,
		y(target)-5,
		`text-anchor="end" font-size="11" fill="#8a6500"`,
		"target "+picture.Grouped(target),
	)
	t.steps(p, line, func(point point) (float64, bool) { return y(point.value), point.value > 0 })
}

// drawServers draws how many there are, and how many are wanted.
func (t *trace) drawServers(p *picture.Picture) {
	most := 1
	for _, point := range t.points {
		most = max(most, point.Desired, point.InService)
	}
	top := p.Scale(serversPlot, float64(most))
	p.Frame(serversPlot, "Servers")
	in := picture.Layer{Name: "in service", Colour: servers, Values: make([]float64, p.Grid.N)}
	k := 0
	for i := range in.Values {
		for k+1 < len(t.points) && t.points[k+1].at <= p.Grid.Edge(i) {
			k++
		}
		in.Values[i] = float64(t.points[k].InService)
	}
	p.Layers(serversPlot, top, []picture.Layer{in})
	t.steps(p, desired, func(point point) (float64, bool) {
		return serversPlot.Top + serversPlot.High*(1-float64(point.Desired)/top), true
	})
	p.Printf(
		`<path d="M%d %.0fh14" stroke="%s" stroke-width="2.4"/>`+"\n",
		picture.Right-160,
		serversPlot.Top-14,
		desired,
	)
	p.Text(picture.Right-140, serversPlot.Top-10, "", "desired")
}

// steps draws a line that keeps each value until the next.
func (t *trace) steps(p *picture.Picture, colour string, height func(point) (y float64, is bool)) {
	var path strings.Builder
	command := "M"
	for i, point := range t.points {
		y, is := height(point)
		if !is {
			command = "M"
			continue
		}
		until := p.Grid.End
		if i+1 < len(t.points) {
			until = t.points[i+1].at
		}
		fmt.Fprintf(&path, "%s%.1f %.1fH%.1f", command, p.X(point.at), y, p.X(until))
		command = "L"
	}
	p.Printf(
		`<path d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-linejoin="round"/>`+"\n",
		path.String(),
		colour,
	)
}

// drawAlarms draws a strip for each alarm, coloured by its state.
func (t *trace) drawAlarms(p *picture.Picture) {
	p.Text(picture.Left, alarmsPlot.Top-10, `font-weight="600"`, "Alarms")
	high := alarmsPlot.High/2 - 2
	for row, alarm := range []struct {
		name string
		of   func(point) apply.ScalingAlarm
	}{{"high", func(p point) apply.ScalingAlarm { return p.high }}, {"low", func(p point) apply.ScalingAlarm { return p.low }}} {
		top := alarmsPlot.Top + float64(row)*(high+4)
		p.Text(picture.Left-8, top+11, `text-anchor="end" font-size="11" fill="`+picture.Faint+`"`, alarm.name)
		for i := 0; i < len(t.points); {
			from, state, until := t.points[i].at, alarm.of(t.points[i]).State, p.Grid.End
			for i++; i < len(t.points); i++ {
				if alarm.of(t.points[i]).State != state {
					until = t.points[i].at
					break
				}
			}
			p.Rect(p.X(from), top, p.X(until)-p.X(from), high, stateColours[state])
		}
	}
	legend := float64(picture.Right)
	for _, state := range []string{"ALARM", "OK", "INSUFFICIENT_DATA"} {
		legend -= 24 + 7.4*float64(len(state))
		p.Rect(legend, alarmsPlot.Top-19, 10, 10, stateColours[state])
		p.Text(legend+14, alarmsPlot.Top-10, "", state)
	}
}

// letter is about how wide one is in a moment's name.
const letter = 6.5

// drawMoments marks what happened, the names at two heights so that they do not
// touch.
func (t *trace) drawMoments(p *picture.Picture) {
	var taken [2]float64 // up to where each height is
	var names []func()   // are written over all lines
	for _, m := range []struct {
		at   time.Duration
		name string
	}{{t.tripled, "load tripled"}, {t.told, "more wanted"}, {t.grown, "in service"}, {t.fallen, "load fallen"}, {t.shrinks, "fewer wanted"}, {t.shrunk, "gone"}} {
		if m.at == 0 {
			continue
		}
		x := p.X(m.at)
		for _, plot := range plots {
			p.Line(x, plot.Top, x, plot.Bottom(), momentAt, "3 3")
		}
		width := letter * float64(len(m.name))
		anchor, at, left := "start", x+4, x
		if x > picture.Right-80 {
			anchor, at, left = "end", x-4, x-4-width
		}
		row := 0
		if left < taken[0] {
			row = 1
		}
		taken[row] = left + 4 + width
		y := float64(momentsTop + 14*row)
		p.Line(x, y-8, x, momentsTop+16, momentAt, "3 3")
		names = append(names, func() {
			p.Text(
				at,
				y+1,
				fmt.Sprintf(
					`font-size="11" text-anchor="%s" stroke="#fff" stroke-width="4" paint-order="stroke"`,
					anchor,
				),
				m.name,
			)
		})
	}
	for _, write := range names {
		write()
	}
}
