package report

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/load"
)

// Blocks from low to high, for values within one row.
var blocks = []rune(" ▁▂▃▄▅▆▇█")

// Chart draws the requests over time, as columns of that many rows: answered
// ones as solid blocks, failed ones on top of them as shaded ones. Below is the
// time in seconds.
func Chart(r load.Recording, width, height int) string {
	const margin = 7
	columns := max(1, width-margin)
	ok, bad, each := columnsOf(r, columns)
	top := 1
	for i := range ok {
		top = max(top, ok[i]+bad[i])
	}
	var out strings.Builder
	for row := height - 1; row >= 0; row-- {
		label := ""
		if row == height-1 {
			label = fmt.Sprintf("%.0f/s", float64(top)/each.Seconds())
		}
		fmt.Fprintf(&out, "%*s│", margin-1, label)
		for i := range ok {
			out.WriteRune(cell(ok[i], bad[i], top, row, height))
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, "%*s└%s\n", margin-1, "0 ", strings.Repeat("─", len(ok)))
	end := fmt.Sprintf("%.0f s", (time.Duration(len(ok)) * each).Seconds())
	fmt.Fprintf(&out, "%*s%*s\n", margin, "", len(ok), end)
	return out.String()
}

// cell is the character of a column at a row of that many.
func cell(ok, bad, top, row, height int) rune {
	const shade = '▒'
	parts := func(n int) int { return n * height * 8 / top } // in eighths of a row
	low, high := row*8, row*8+8
	solid, all := parts(ok), parts(ok+bad)
	if bad > 0 && all < high && solid < high && (all > low || row == 0) {
		return shade // also a single failure is seen
	}
	switch {
	case solid >= high:
		return blocks[8]
	case all >= high && solid < high:
		return shade
	case solid > low:
		return blocks[solid-low]
	}
	return ' '
}

// columnsOf counts the samples in equal parts of time. Until there are as many
// seconds as columns, a column is a second.
func columnsOf(r load.Recording, columns int) (ok, bad []int, each time.Duration) {
	each = time.Second
	if n := lasts(r); n > columns {
		each = time.Duration(n) * time.Second / time.Duration(columns)
		each = max(each, 1)
	} else {
		columns = n
	}
	ok, bad = make([]int, columns), make([]int, columns)
	for _, s := range r.Samples {
		i := min(int(s.At/each), columns-1)
		if s.Kind == load.OK {
			ok[i]++
		} else {
			bad[i]++
		}
	}
	return ok, bad, each
}

// spark draws numbers as one row of blocks, at most so wide.
func spark(values []int, width int) string {
	if each := (len(values) + width - 1) / width; each > 1 {
		joined := make([]int, len(values)/each) // a rest shorter than the others would look like a dip
		for i := range joined {
			for _, v := range values[i*each : (i+1)*each] {
				joined[i] += v
			}
		}
		values = joined
	}
	top := 1
	for _, v := range values {
		top = max(top, v)
	}
	var out strings.Builder
	for _, v := range values {
		i := v * 8 / top
		if v > 0 && i == 0 {
			i = 1
		}
		out.WriteRune(blocks[i])
	}
	return out.String()
}
