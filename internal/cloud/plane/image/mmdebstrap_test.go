//go:build linux

package image

import (
	"slices"
	"strings"
	"testing"
)

func TestProgressIsReportedAndTheLastLinesAreKept(t *testing.T) {
	var stages []string
	noise := strings.Repeat("noise\n", 30)
	out := "I: running apt-get update...\n" + noise + "I: extracting archives...\nE: disk full\n"
	tail := reportProgress(strings.NewReader(out), func(stage string, _ float64) { stages = append(stages, stage) })
	if want := []string{"read the package lists", "extract packages"}; !slices.Equal(stages, want) {
		t.Errorf("stages %q, want %q", stages, want)
	}
	if !strings.HasSuffix(tail, "E: disk full") || strings.Count(tail, "\n") > 15 {
		t.Errorf("tail %q", tail)
	}
}
