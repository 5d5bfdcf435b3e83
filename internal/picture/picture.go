// Package picture draws what was measured over time as an SVG document: plots one
// above the other, with one axis of time. It is pure.
package picture

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"time"
)

// The measures of every picture in pixels.
const (
	Width = 960
	Left  = 68  // of the plots
	Right = 936 // of the plots
)

// The colours of what every picture has.
const (
	Ink      = "#24292f"
	Faint    = "#6b7280"
	Hairline = "#e5e7eb"
	axis     = "#9ca3af"
)

// Picture is an SVG document that is being written (Scalable Vector Graphics 1.1).
type Picture struct {
	bytes.Buffer
	Grid Grid
}

// Plot is where a plot is.
type Plot struct{ Top, High float64 }

// Bottom is where the plot ends.
func (p Plot) Bottom() float64 { return p.Top + p.High }

// New begins a picture, white and with its title and summary in words.
func New(height int, grid Grid, title, summary string) *Picture {
	p := &Picture{Grid: grid}
	p.Printf(
		`<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="12" fill="%s">`+"\n",
		Width,
		height,
		Width,
		height,
		Ink,
	)
	p.Printf("<title>")
	p.escape(title)
	p.Printf("</title>\n")
	p.Rect(0, 0, Width, float64(height), "#ffffff")
	p.Text(Left, 34, `font-size="20" font-weight="600"`, title)
	p.Text(Left, 57, `fill="`+Faint+`" font-size="13"`, summary)
	return p
}

// End completes the document.
func (p *Picture) End() []byte {
	p.Printf("</svg>\n")
	return p.Bytes()
}

// X is where an instant is.
func (p *Picture) X(at time.Duration) float64 {
	return Left + (Right-Left)*min(1, float64(at)/float64(p.Grid.End))
}

// Printf writes SVG as it is.
func (p *Picture) Printf(format string, args ...any) { _, _ = fmt.Fprintf(p, format, args...) }

func (p *Picture) escape(text string) { _ = xml.EscapeText(p, []byte(text)) } // a buffer takes everything

// Text writes a text, with attributes of its element.
func (p *Picture) Text(x, y float64, style, text string) {
	p.Printf(`<text x="%.1f" y="%.1f" %s>`, x, y, style)
	p.escape(text)
	p.Printf("</text>\n")
}

// Rect fills a rectangle.
func (p *Picture) Rect(x, y, w, h float64, fill string) {
	p.Printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, w, h, fill)
}

// Line draws a line; dashes are lengths of strokes and gaps, or "".
func (p *Picture) Line(x1, y1, x2, y2 float64, stroke, dashes string) {
	if dashes != "" {
		dashes = ` stroke-dasharray="` + dashes + `"`
	}
	p.Printf(`<path d="M%.1f %.1fL%.1f %.1f" stroke="%s"%s/>`+"\n", x1, y1, x2, y2, stroke, dashes)
}

// Frame draws a plot's heading and base line.
func (p *Picture) Frame(plot Plot, name string) {
	p.Text(Left, plot.Top-10, `font-weight="600"`, name)
	p.Line(Left, plot.Bottom(), Right, plot.Bottom(), axis, "")
}

// Tick labels a height and draws a line there.
func (p *Picture) Tick(y float64, label string) {
	p.Line(Left, y, Right, y, Hairline, "")
	p.Text(Left-8, y+4, `text-anchor="end" font-size="11" fill="`+Faint+`"`, label)
}

// Time labels the time below all plots in seconds, counted from an instant.
func (p *Picture) Time(y float64, zero time.Duration, since string) {
	end, from := p.Grid.End.Seconds(), zero.Seconds()
	step := max(1, Nice(end/12))
	for n := math.Ceil(-from / step); n*step+from <= end; n++ {
		at := n*step + 0 // not -0
		x := p.X(time.Duration((at + from) * float64(time.Second)))
		p.Line(x, y, x, y+4, Faint, "")
		p.Text(x, y+17, `text-anchor="middle" font-size="11" fill="`+Faint+`"`, fmt.Sprintf("%g", at))
	}
	p.Text(Right, y+34, `text-anchor="end" font-size="11" fill="`+Faint+`"`, since)
}

// Nice is the smallest of 1, 2 and 5 times a power of ten that is not below a
// number.
func Nice(least float64) float64 {
	if least <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= least {
			return n * power
		}
	}
	return 10 * power
}

// Grouped writes a number with a comma every three digits.
func Grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
