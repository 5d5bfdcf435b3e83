//go:build linux

package main

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/picture"
)

// letterWidth is the approximate width of a letter in a moment's name, in pixels.
const letterWidth = 6.5

// moment is a change of the load or the group.
type moment struct {
	at   time.Duration // since the load began; 0: it has not happened
	name string
}

func (t *trace) moments() []moment {
	return []moment{
		{t.tripled, "load tripled"}, {t.grows, "scaling out"}, {t.grown, "in service"},
		{t.fallen, "load reduced"}, {t.shrinks, "scaling in"}, {t.shrunk, "removed"},
	}
}

// drawMoments marks the changes of the load and the group. It writes their names on two
// rows so that they do not overlap.
func (t *trace) drawMoments(p *picture.Picture) {
	var rowEnds [2]float64 // of the names so far
	var names []func()     // write over all lines
	for _, m := range t.moments() {
		if m.at == 0 {
			continue
		}
		x := p.X(m.at)
		for _, plot := range plots {
			p.Line(x, plot.Top, x, plot.Bottom(), momentColour, "3 3")
		}
		width := letterWidth * float64(len(m.name))
		anchor, at, left := "start", x+4, x
		if x > picture.Right-80 {
			anchor, at, left = "end", x-4, x-4-width
		}
		row := 0
		if left < rowEnds[0] {
			row = 1
		}
		rowEnds[row] = left + 4 + width
		y := float64(momentsTop + 14*row)
		p.Line(x, y-8, x, momentsTop+16, momentColour, "3 3")
		style := fmt.Sprintf(
			`font-size="11" text-anchor="%s" stroke="#fff" stroke-width="4" paint-order="stroke"`, anchor)
		names = append(names, func() { p.Text(at, y+1, style, m.name) })
	}
	for _, write := range names {
		write()
	}
}
