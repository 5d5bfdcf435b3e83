package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// percent formats a share. It rounds down, so that only 1 is 100 %.
func percent(share float64) string {
	if share >= 1 {
		return "100 %"
	}
	return fmt.Sprintf("%.3f %%", min(99.999, math.Floor(share*100_000+1e-6)/1000))
}

// kinds formats the failed requests by kind, in parentheses.
func kinds(by map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s %d", kind, by[kind]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// seconds formats milliseconds as seconds.
func seconds(ms *int64) string { return fmt.Sprintf("%.1f s", float64(*ms)/1000) }

// afterText formats the time of a moment since the failure.
func afterText(ms *int64) string {
	if ms == nil {
		return "–"
	}
	return "after " + seconds(ms)
}

// relative formats the time of a request relative to the failure.
func relative(ms *int64) string {
	if *ms < 0 {
		before := -*ms
		return seconds(&before) + " before"
	}
	return seconds(ms) + " after"
}

// plural formats a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// short formats a duration without its zero parts: 5s, 1m30s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// ASCII replaces the block and line characters of a text, for terminals without
// them.
func ASCII(text string) string { return asciiCharacters.Replace(text) }

var asciiCharacters = strings.NewReplacer(
	"█", "#", "▇", "#", "▆", "#", "▅", "=", "▄", "=", "▃", "-", "▂", "-", "▁", ".",
	"▒", "x", "│", "|", "└", "+", "─", "-", "–", "-",
)
