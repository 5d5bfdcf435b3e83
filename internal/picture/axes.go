package picture

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Frame draws a plot's heading and base line.
func (p *Picture) Frame(plot Plot, heading string) {
	p.Text(Left, plot.Top-10, `font-weight="600"`, heading)
	p.Line(Left, plot.Bottom(), Right, plot.Bottom(), axis, "")
}

// Tick draws a horizontal line with a label.
func (p *Picture) Tick(y float64, label string) {
	p.Line(Left, y, Right, y, Hairline, "")
	p.Text(Left-8, y+4, `text-anchor="end" font-size="11" fill="`+Faint+`"`, label)
}

// Scale draws about four labelled lines from 0 to a value and returns the value at
// the top of the plot. A value just above a line needs no further line.
func (p *Picture) Scale(plot Plot, value float64) (top float64) {
	step := Nice(max(4, value) / 4)
	top = max(step, step*math.Ceil(value*0.98/step))
	for v := 0.0; v <= top; v += step {
		p.Tick(plot.Top+plot.High*(1-v/top), Grouped(int(v)))
	}
	return top
}

// Time draws the time axis in seconds, counted from zero. unit is its title.
func (p *Picture) Time(y float64, zero time.Duration, unit string) {
	end, from := p.Grid.End.Seconds(), zero.Seconds()
	step := max(1, Nice(end/12))
	for n := math.Ceil(-from / step); n*step+from <= end; n++ {
		at := n*step + 0 // not -0
		x := p.X(time.Duration((at + from) * float64(time.Second)))
		p.Line(x, y, x, y+4, Faint, "")
		p.Text(x, y+17, `text-anchor="middle" font-size="11" fill="`+Faint+`"`, fmt.Sprintf("%g", at))
	}
	p.Text(Right, y+34, `text-anchor="end" font-size="11" fill="`+Faint+`"`, unit)
}

// Nice returns the smallest number of the form 1, 2 or 5 times a power of ten that
// is at least min.
func Nice(min float64) float64 {
	if min <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(min)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= min {
			return n * power
		}
	}
	return 10 * power
}

// Grouped formats a number with a comma between groups of three digits.
func Grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
