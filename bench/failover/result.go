package main

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/load"
)

// result is what became of the requests to one proxy in one scenario, over all
// its rounds.
type result struct {
	Scenario string            `json:"scenario"`
	Proxy    string            `json:"proxy"`
	Sent     int               `json:"sent"`
	Lost     int               `json:"lost"`
	ByKind   map[load.Kind]int `json:"lost_by_kind"`
	LastLoss int64             `json:"last_loss_ms"` // after the loss of the server, in the worst round
	Inside   bool              `json:"inside_bound"` // none was lost after the bound
	GoesOn   bool              `json:"goes_on"`      // requests were still lost when the load ended
	Lag      int64             `json:"lag_ms"`       // the generator's own worst delay

	last time.Duration
}

// add counts a recording in which the server was lost at that time.
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

// slack is what scheduling may add to a bound, and less than what two failures of
// a lasting loss are apart.
const slack = 100 * time.Millisecond

// judge compares the last loss with the bound and the end of the load.
func (r *result) judge(b benchmark) {
	r.Inside = r.last <= b.bound()+slack
	r.GoesOn = r.last > b.window()-slack
}

// kinds tells of which kinds the lost requests are.
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
	"removed": "one of three servers is removed as planned, under slow requests as well (1.5 s)",
}

func (b benchmark) printHead() {
	fmt.Printf(
		"health checks every %s, time-out %s, %d in a row: out of the rotation after %s at the latest; connect time-out 10 s, idle time-out 60 s\n",
		b.interval,
		b.timeout,
		b.Threshold,
		b.bound(),
	)
	fmt.Printf(
		"%g requests/s for each proxy; who has no answer after %s is lost; the sum of %d rounds, of a planned removal 1\n",
		b.Rate,
		b.patience,
		b.Rounds,
	)
}

func printRows(s scenario, row []result) {
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
		fmt.Printf("  %-21s lost %5d of %5d   the last one after %-16s %s\n", r.Proxy, r.Lost, r.Sent, last, r.kinds())
	}
}

func printNotes() {
	fmt.Println(
		`A request is tried once, as by an Application Load Balancer; "its retries" are the proxy as it comes: nginx's
proxy_next_upstream, and out for 10 s after one failure; HAProxy's three retries with option redispatch.
Open source nginx has no health checks of its own: it counts the failures of clients' requests (max_fails, fail_timeout;
here as many as failed checks, for as long) and tries the server again with a client's request.
HAProxy gives a check the whole interval to connect, and starts the next one an interval after the last one ended.`,
	)
}
