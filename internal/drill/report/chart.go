package report

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/load"
)

// blocks are the block characters from empty to full.
var blocks = []rune(" ▁▂▃▄▅▆▇█")

// Chart draws the requests over time as columns with a number of rows: successful
// requests as solid blocks, failed ones above them as shaded blocks. The time axis
// is in seconds.
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

// cell returns the character at a row of a column. top is the number of requests at
// the top of the chart, and height its number of rows.
func cell(ok, bad, top, row, height int) rune {
	const shade = '▒'
	eighths := func(n int) int { return n * height * 8 / top } // of a row
	low, high := row*8, row*8+8
	solid, all := eighths(ok), eighths(ok+bad)
	if bad > 0 && all < high && solid < high && (all > low || row == 0) {
		return shade // a single failure is visible too
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

// columnsOf counts the successful and the failed requests per column. A column is a
// second, or longer if there are more seconds than columns.
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

// sparkline draws numbers as one row of blocks, at most width wide.
func sparkline(values []int, width int) string {
	if each := (len(values) + width - 1) / width; each > 1 {
		joined := make([]int, len(values)/each) // without the incomplete rest, which would look like a dip
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
