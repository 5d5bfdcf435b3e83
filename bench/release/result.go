//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/bench/site"
	"aloft.dev/aloft/internal/load"
)

// result counts the requests that were due during a step and the steady time after it.
type result struct {
	Step       string            `json:"step"`
	Seconds    float64           `json:"seconds"` // without the steady time
	Sent       int               `json:"sent"`
	Failed     int               `json:"failed"`
	ByKind     map[load.Kind]int `json:"failed_by_kind"`
	P99        float64           `json:"p99_ms"` // of the quick requests that succeeded
	SlowSent   int               `json:"slow_sent"`
	SlowFailed int               `json:"slow_failed"`
	Serves     []string          `json:"serves"` // releases that responded in the last second

	began, ended time.Time
}

// count counts the requests of the step in the recordings.
func (r *result) count(quick, slow load.Recording) {
	r.ByKind = map[load.Kind]int{}
	var latencies []time.Duration
	serves := map[string]bool{}
	for _, s := range r.samples(quick) {
		r.Sent++
		if s.Kind != load.OK {
			r.Failed++
			r.ByKind[s.Kind]++
			continue
		}
		latencies = append(latencies, s.Latency)
		if r.ended.Sub(quick.Started.Add(s.At)) <= time.Second {
			serves[s.Target] = true
		}
	}
	for _, s := range r.samples(slow) {
		r.SlowSent++
		if s.Kind != load.OK {
			r.SlowFailed++
			r.ByKind[s.Kind]++
		}
	}
	r.Serves = slices.Sorted(maps.Keys(serves))
	if n := len(latencies); n > 0 {
		slices.Sort(latencies)
		r.P99 = float64(latencies[n*99/100].Microseconds()) / 1000
	}
}

// samples returns the samples that were due during the step.
func (r *result) samples(recording load.Recording) []load.Sample {
	from, to := r.began.Sub(recording.Started), r.ended.Sub(recording.Started)
	compare := func(s load.Sample, at time.Duration) int { return int(s.At - at) }
	first, _ := slices.BinarySearchFunc(recording.Samples, from, compare)
	end, _ := slices.BinarySearchFunc(recording.Samples, to, compare)
	return recording.Samples[first:end]
}

// total counts the requests of all steps.
type total struct{ Sent, Failed int }

// printTable prints the results and returns their sum.
func printTable(rates rates, results []result) total {
	fmt.Printf(
		"%g requests/s and %g that take %g s each, by the DNS name, while three servers and more change as planned\n",
		rates.Quick, rates.Slow, site.SlowTime.Seconds(),
	)
	fmt.Printf("%-34s %9s %8s %7s %10s %11s %7s  %s\n",
		"", "takes", "sent", "failed", "p99", "slow: sent", "failed", "then serves")
	var sum total
	for _, r := range results {
		fmt.Printf("%-34s %7.1f s %8d %7d %7.1f ms %11d %7d  %s%s\n",
			r.Step, r.Seconds, r.Sent, r.Failed, r.P99, r.SlowSent, r.SlowFailed,
			strings.Join(r.Serves, ", "), r.kinds())
		sum.Sent += r.Sent + r.SlowSent
		sum.Failed += r.Failed + r.SlowFailed
	}
	fmt.Printf("%d of %d requests failed\n", sum.Failed, sum.Sent)
	return sum
}

// kinds returns the kinds of failures with their numbers, or "".
func (r *result) kinds() string {
	var out []string
	for _, kind := range load.Kinds {
		if n := r.ByKind[kind]; n > 0 {
			out = append(out, fmt.Sprintf("%s %d", kind, n))
		}
	}
	if out == nil {
		return ""
	}
	return "  (" + strings.Join(out, ", ") + ")"
}
