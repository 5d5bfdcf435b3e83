//go:build linux

package main

import (
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/picture"
)

// The picture's plots. The alarms' strips are between the last two.
var (
	requestsPlot = picture.Plot{Top: 130, High: 130}
	metricPlot   = picture.Plot{Top: 306, High: 130}
	alarmsPlot   = picture.Plot{Top: 476, High: 32}
	serversPlot  = picture.Plot{Top: 550, High: 110}
	plots        = []picture.Plot{requestsPlot, metricPlot, alarmsPlot, serversPlot}
)

const (
	pictureHeight = 710
	momentsTop    = 86
)

// svg returns a picture of the trace.
func (t *trace) svg() []byte {
	r := t.result()
	end := max(picture.Lasts(t.requests), t.points[len(t.points)-1].at)
	subtitle := fmt.Sprintf("%s requests, %d failed; the group tracks %s requests a minute for each server",
		picture.Grouped(r.Sent), r.Failed, picture.Grouped(target))
	p := picture.New(pictureHeight, picture.GridOf(end), r.title(), subtitle)
	p.Requests(requestsPlot, t.requests)
	t.drawMetric(p)
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

// drawMetric draws the metric that the policy tracks, and its target.
func (t *trace) drawMetric(p *picture.Picture) {
	highest := float64(target)
	for _, point := range t.points {
		highest = max(highest, point.value)
	}
	most := p.Scale(metricPlot, highest)
	p.Frame(metricPlot, "Requests a minute for each server, as CloudWatch measures them")
	y := func(v float64) float64 { return metricPlot.Top + metricPlot.High*(1-v/most) }
	p.Line(picture.Left, y(target), picture.Right, y(target), targetColour, "6 4")
	p.Text(picture.Right-4, y(target)-5, `text-anchor="end" font-size="11" fill="#8a6500"`,
		"target "+picture.Grouped(target))
	t.drawSteps(p, metricColour, func(point point) (float64, bool) { return y(point.value), point.value > 0 })
}

// drawServers draws the servers in service and the desired capacity.
func (t *trace) drawServers(p *picture.Picture) {
	most := 1
	for _, point := range t.points {
		most = max(most, point.Desired, point.InService)
	}
	top := p.Scale(serversPlot, float64(most))
	p.Frame(serversPlot, "Servers")
	in := picture.Layer{Name: "in service", Colour: serversColour, Values: make([]float64, p.Grid.N)}
	k := 0
	for i := range in.Values {
		for k+1 < len(t.points) && t.points[k+1].at <= p.Grid.Edge(i) {
			k++
		}
		in.Values[i] = float64(t.points[k].InService)
	}
	p.Layers(serversPlot, top, []picture.Layer{in})
	t.drawSteps(p, desiredColour, func(point point) (float64, bool) {
		return serversPlot.Top + serversPlot.High*(1-float64(point.Desired)/top), true
	})
	p.Printf(`<path d="M%d %.0fh14" stroke="%s" stroke-width="2.4"/>`+"\n",
		picture.Right-160, serversPlot.Top-14, desiredColour)
	p.Text(picture.Right-140, serversPlot.Top-10, "", "desired")
}

// drawSteps draws a line that keeps each value until the next. height returns false where
// there is no value.
func (t *trace) drawSteps(p *picture.Picture, colour string, height func(point) (y float64, ok bool)) {
	var path strings.Builder
	command := "M"
	for i, point := range t.points {
		y, ok := height(point)
		if !ok {
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
	p.Printf(`<path d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-linejoin="round"/>`+"\n",
		path.String(), colour)
}

// drawAlarms draws a strip for each alarm, coloured by its state.
func (t *trace) drawAlarms(p *picture.Picture) {
	p.Text(picture.Left, alarmsPlot.Top-10, `font-weight="600"`, "Alarms")
	height := alarmsPlot.High/2 - 2
	high := func(p point) apply.ScalingAlarm { return p.high }
	low := func(p point) apply.ScalingAlarm { return p.low }
	for row, alarm := range []struct {
		name string
		of   func(point) apply.ScalingAlarm
	}{{"high", high}, {"low", low}} {
		top := alarmsPlot.Top + float64(row)*(height+4)
		p.Text(picture.Left-8, top+11, `text-anchor="end" font-size="11" fill="`+picture.Faint+`"`, alarm.name)
		for i := 0; i < len(t.points); {
			from, state, until := t.points[i].at, alarm.of(t.points[i]).State, p.Grid.End
			for i++; i < len(t.points); i++ {
				if alarm.of(t.points[i]).State != state {
					until = t.points[i].at
					break
				}
			}
			p.Rect(p.X(from), top, p.X(until)-p.X(from), height, stateColours[state])
		}
	}
	legend := float64(picture.Right)
	for _, state := range []string{"ALARM", "OK", "INSUFFICIENT_DATA"} {
		legend -= 24 + 7.4*float64(len(state))
		p.Rect(legend, alarmsPlot.Top-19, 10, 10, stateColours[state])
		p.Text(legend+14, alarmsPlot.Top-10, "", state)
	}
}
