//go:build linux

// Package torture kills and cuts off power at random points, again and again, and checks
// that nothing is lost: every answered call is there, no unanswered one is half there,
// and what exists equals what the APIs answer.
package torture

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Report lists what a run of the tests did and found.
type Report struct {
	Seed        uint64  `json:"seed"`
	Kills       int     `json:"kills"`
	PowerCuts   int     `json:"power_cuts"`
	Answered    int     `json:"calls_answered"`
	Lost        int     `json:"calls_lost"`      // answered, but not there
	HalfDone    int     `json:"calls_half_done"` // unanswered, and there in part
	Differences int     `json:"differences"`     // between the rows, or rows and kernel
	Leaks       int     `json:"leaks"`
	Seconds     float64 `json:"seconds"`
}

// Recorder adds up a report. Its methods may be called concurrently.
type Recorder struct {
	mu     sync.Mutex
	report Report
}

// Add edits the report.
func (r *Recorder) Add(edit func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	edit(&r.report)
}

// Print prints the report as text and as a line of JSON, if anything was done.
func (r *Recorder) Print(w io.Writer, took time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.report.Kills+r.report.PowerCuts == 0 {
		return nil
	}
	r.report.Seconds = took.Seconds()
	line, err := json.Marshal(r.report)
	if err != nil {
		return err
	}
	x := r.report
	_, err = fmt.Fprintf(w, `
seed %d: %d kills and %d power cuts in %s
calls answered  %8d
  lost          %8d
calls half done %8d
differences     %8d
leaks           %8d
%s
`, x.Seed, x.Kills, x.PowerCuts, took.Round(time.Second), x.Answered, x.Lost, x.HalfDone, x.Differences, x.Leaks, line)
	return err
}
