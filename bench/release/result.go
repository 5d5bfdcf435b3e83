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

// result is what became of the requests that were due during a step and the calm
// after it.
type result struct {
	Step       string            `json:"step"`
	Seconds    float64           `json:"seconds"` // without the calm
	Sent       int               `json:"sent"`
	Failed     int               `json:"failed"`
	ByKind     map[load.Kind]int `json:"failed_by_kind"`
	P99        float64           `json:"p99_ms"` // of the quick ones that were answered
	SlowSent   int               `json:"slow_sent"`
	SlowFailed int               `json:"slow_failed"`
	Serves     []string          `json:"serves"` // the releases that answered in the last second

	began, ended time.Time
}

// count takes the step's part of the recordings.
func (r *result) count(quick, slow load.Recording) {
	r.ByKind = map[load.Kind]int{}
	var latencies []time.Duration
	serves := map[string]bool{}
	for _, s := range r.of(quick) {
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
	for _, s := range r.of(slow) {
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

// of are the samples that were due during the step.
func (r *result) of(recording load.Recording) []load.Sample {
	from, to := r.began.Sub(recording.Started), r.ended.Sub(recording.Started)
	first, _ := slices.BinarySearchFunc(
		recording.Samples,
		from,
		func(s load.Sample, at time.Duration) int { return int(s.At - at) },
	)
	end, _ := slices.BinarySearchFunc(
		recording.Samples,
		to,
		func(s load.Sample, at time.Duration) int { return int(s.At - at) },
	)
	return recording.Samples[first:end]
}

// total is over all steps and all requests.
type total struct{ Sent, Failed int }

func print(rates rates, results []result) total {
	fmt.Printf(
		"%g requests/s and %g that take %g s each, by the DNS name, while three servers and more change as planned\n",
		rates.Quick,
		rates.Slow,
		site.Slow.Seconds(),
	)
	fmt.Printf(
		"%-34s %9s %8s %7s %10s %11s %7s  %s\n",
		"",
		"takes",
		"sent",
		"failed",
		"p99",
		"slow: sent",
		"failed",
		"then serves",
	)
	var sum total
	for _, r := range results {
		fmt.Printf(
			"%-34s %7.1f s %8d %7d %7.1f ms %11d %7d  %s%s\n",
			r.Step,
			r.Seconds,
			r.Sent,
			r.Failed,
			r.P99,
			r.SlowSent,
			r.SlowFailed,
			strings.Join(r.Serves, ", "),
			r.kinds(),
		)
		sum.Sent += r.Sent + r.SlowSent
		sum.Failed += r.Failed + r.SlowFailed
	}
	fmt.Printf("%d of %d requests failed\n", sum.Failed, sum.Sent)
	return sum
}

// kinds tells of which kinds the failed requests are.
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
