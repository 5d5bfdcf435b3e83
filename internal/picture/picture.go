// Package picture draws measurements over time as an SVG document: plots below
// each other that share one time axis. It depends on its inputs alone.
package picture

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"
)

// Horizontal measures of every picture, in pixels.
const (
	Width = 960
	Left  = 68  // left edge of the plots
	Right = 936 // right edge of the plots
)

const fonts = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"

// Picture is an SVG document under construction (Scalable Vector Graphics 1.1).
type Picture struct {
	bytes.Buffer
	Grid Grid
}

// Plot is the vertical position of a plot, in pixels.
type Plot struct{ Top, High float64 }

// Bottom returns the lower edge of the plot.
func (p Plot) Bottom() float64 { return p.Top + p.High }

// New returns a picture with a white background, a title and a summary.
func New(height int, grid Grid, title, summary string) *Picture {
	p := &Picture{Grid: grid}
	p.Printf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%d" height="%d" viewBox="0 0 %d %d" `+
		`font-family="%s" font-size="12" fill="%s">`+"\n", Width, height, Width, height, fonts, ink)
	p.Printf("<title>")
	p.escape(title)
	p.Printf("</title>\n")
	p.Rect(0, 0, Width, float64(height), background)
	p.Text(Left, 34, `font-size="20" font-weight="600"`, title)
	p.Text(Left, 57, `fill="`+Faint+`" font-size="13"`, summary)
	return p
}

// End completes the document and returns it.
func (p *Picture) End() []byte {
	p.Printf("</svg>\n")
	return p.Bytes()
}

// X returns the horizontal position of an instant.
func (p *Picture) X(at time.Duration) float64 {
	return Left + (Right-Left)*min(1, float64(at)/float64(p.Grid.End))
}

// Printf writes SVG without escaping it.
func (p *Picture) Printf(format string, args ...any) { _, _ = fmt.Fprintf(p, format, args...) }

func (p *Picture) escape(text string) { _ = xml.EscapeText(p, []byte(text)) } // a Buffer returns no error

// Text writes a text. attributes are those of its SVG element.
func (p *Picture) Text(x, y float64, attributes, text string) {
	p.Printf(`<text x="%.1f" y="%.1f" %s>`, x, y, attributes)
	p.escape(text)
	p.Printf("</text>\n")
}

// Rect draws a filled rectangle.
func (p *Picture) Rect(x, y, w, h float64, fill string) {
	p.Printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, w, h, fill)
}

// Line draws a line. dashes are the lengths of strokes and gaps; "" is a solid
// line.
func (p *Picture) Line(x1, y1, x2, y2 float64, stroke, dashes string) {
	if dashes != "" {
		dashes = ` stroke-dasharray="` + dashes + `"`
	}
	p.Printf(`<path d="M%.1f %.1fL%.1f %.1f" stroke="%s"%s/>`+"\n", x1, y1, x2, y2, stroke, dashes)
}
