//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/load"
)

// result counts what happened to the requests to one proxy in all rounds of a scenario.
type result struct {
	Scenario string            `json:"scenario"`
	Proxy    string            `json:"proxy"`
	Sent     int               `json:"sent"`
	Lost     int               `json:"lost"`
	ByKind   map[load.Kind]int `json:"lost_by_kind"`
	LastLoss int64             `json:"last_loss_ms"` // after the loss of the server, in the worst round
	Inside   bool              `json:"inside_bound"` // no request was lost after the bound
	GoesOn   bool              `json:"goes_on"`      // requests were still being lost when the load ended
	Lag      int64             `json:"lag_ms"`       // the load generator's largest delay

	last time.Duration
}

// add adds a recording in which the server was lost at that time.
func (r *result) add(recording load.Recording, at time.Time) {
	for _, s := range recording.Samples {
		r.Sent++
		if s.Kind == load.OK {
			continue
		}
		r.Lost++
		r.ByKind[s.Kind]++
		r.last = max(r.last, recording.Started.Add(s.At).Sub(at))
	}
	r.LastLoss = r.last.Milliseconds()
	r.Lag = max(r.Lag, recording.Lag.Milliseconds())
}

// tolerance is how much scheduling may add to a bound. It is less than the time between
// two failures of a lasting loss.
const tolerance = 100 * time.Millisecond

// evaluate compares the last loss with the bound and the end of the load.
func (r *result) evaluate(b benchmark) {
	r.Inside = r.last <= b.bound()+tolerance
	r.GoesOn = r.last > b.window()-tolerance
}

// kinds lists the lost requests by kind.
func (r *result) kinds() string {
	var out []string
	for _, kind := range load.Kinds {
		if n := r.ByKind[kind]; n > 0 {
			out = append(out, fmt.Sprintf("%s %d", kind, n))
		}
	}
	return strings.Join(out, ", ")
}

var titles = map[string]string{
	"killed":  "one of three servers is killed",
	"hangs":   "one of three servers hangs (SIGSTOP)",
	"silent":  "one of three servers falls silent (its packets are dropped)",
	"removed": "one of three servers is removed as planned, also under slow requests (1.5 s)",
}

func (b benchmark) printSettings() {
	fmt.Printf("health checks: every %s, timeout %s, %d in a row; a server is out of rotation after at most %s; "+
		"connect timeout 10 s, idle timeout 60 s\n", b.interval, b.timeout, b.Threshold, b.bound())
	fmt.Printf("load: %g requests/s for each proxy; a request without a response after %s is lost; "+
		"sums over %d rounds, 1 for the planned removal\n", b.Rate, b.clientTimeout, b.Rounds)
}

func printRow(s scenario, row []result) {
	fmt.Println(titles[s.name])
	for _, r := range row {
		last := "-"
		if r.Lost > 0 {
			last = fmt.Sprintf("%.2f s", r.last.Seconds())
		}
		switch {
		case r.GoesOn:
			last += ", goes on"
		case !r.Inside:
			last += ", late"
		}
		fmt.Printf("  %-21s lost %5d of %5d   last loss after %-16s %s\n", r.Proxy, r.Lost, r.Sent, last, r.kinds())
	}
}

const notes = `Each request is tried once, as by an Application Load Balancer. "its retries" means the proxy's defaults:
nginx's proxy_next_upstream, and 10 s out of rotation after one failure; HAProxy's three retries with option redispatch.
Open source nginx has no active health checks: it counts the failures of clients' requests (max_fails and fail_timeout,
here with the same threshold and time as the health checks), and then tries the server with a client's request.
HAProxy gives a check the whole interval to connect, and starts the next one an interval after the last has ended.`
