package picture

import (
	"bytes"
	"testing"
)

func TestNiceIsTheNextOneTwoOrFive(t *testing.T) {
	for min, want := range map[float64]float64{
		-1: 1, 0: 1, 0.3: 0.5, 1: 1, 1.1: 2, 2: 2, 3: 5, 5.1: 10, 10: 10, 99: 100, 1200: 2000,
	} {
		if got := Nice(min); got != want {
			t.Errorf("Nice(%g) = %g, want %g", min, got, want)
		}
	}
}

func TestGroupedSeparatesThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestScaleHasAFewLinesUpToTheValue(t *testing.T) {
	for value, want := range map[float64]struct {
		top   float64
		lines int
	}{0: {1, 2}, 3: {3, 4}, 100: {100, 3}, 101: {100, 3}, 103: {150, 4}, 300: {300, 4}} {
		p := &Picture{Grid: GridOf(0)}
		top := p.Scale(Plot{Top: 10, High: 100}, value)
		lines := bytes.Count(p.Bytes(), []byte("<path"))
		if top != want.top || lines != want.lines {
			t.Errorf("Scale(%g): top %g with %d lines, want %g with %d", value, top, lines, want.top, want.lines)
		}
	}
}
