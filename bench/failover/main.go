// Command failover measures how many requests Aloft's load balancer, nginx and
// HAProxy lose when a server is killed, hangs, falls silent or is removed as
// planned. All run side by side, each over three servers of its own, with the same
// settings of health checks and under the same load, whose rate does not depend on
// the answers. It prints a table of what was lost and, last, one line of JSON.
//
// Everything happens in a network and process namespace of its own, so that a
// server can be silenced and nothing is left behind, however the benchmark ends.
// It needs root.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"aloft.dev/aloft/bench/contest"
)

// body is the size of an answer.
const body = 100

func main() {
	if contest.IsBackend() {
		fmt.Fprintln(os.Stderr, contest.ServeBackend(body))
		os.Exit(1)
	}
	var b benchmark
	rounds := flag.Int("rounds", 3, "how often every loss of a server is repeated; what was lost is added up")
	flag.Float64Var(&b.Rate, "rate", 300, "requests a second for each proxy")
	flag.DurationVar(&b.interval, "interval", time.Second, "from one health check to the next")
	flag.DurationVar(&b.timeout, "timeout", 500*time.Millisecond, "of one health check")
	flag.IntVar(&b.Threshold, "threshold", 2, "checks in a row that change the opinion of a server")
	flag.DurationVar(&b.patience, "patience", 2*time.Second, "how long a client waits for an answer")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, b, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench/failover:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b benchmark, rounds int) error {
	if !isolated() {
		return isolate(ctx)
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("make a network of its own: %w", err)
	}
	b.Interval, b.Timeout, b.Patience = b.interval.Milliseconds(), b.timeout.Milliseconds(), b.patience.Milliseconds()
	b.Bound = b.bound().Milliseconds()
	b.Rounds = rounds
	b.printHead()
	results := []result{}
	for _, s := range scenarios {
		row, err := b.play(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		printRows(s, row)
		results = append(results, row...)
	}
	printNotes()
	line, err := json.Marshal(map[string]any{"benchmark": "failover", "settings": b, "results": results})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}
