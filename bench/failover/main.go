//go:build linux

// Command failover measures how many requests Aloft's load balancer, nginx and HAProxy
// lose when a server is killed, hangs, falls silent or is removed as planned. All run
// side by side, each over three servers, with the same health check settings and under
// the same load, whose rate does not depend on the responses. It prints a table of
// losses and, last, one line of JSON.
//
// Everything runs in a network and a process namespace of its own, so that a server can
// be silenced and nothing is left behind however the benchmark ends. It needs root.
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

// body is the size of a response's body in bytes.
const body = 100

func main() {
	if contest.IsBackend() {
		fmt.Fprintln(os.Stderr, contest.ServeBackend(body))
		os.Exit(1)
	}
	var b benchmark
	flag.IntVar(&b.Rounds, "rounds", 3, "how often to repeat each loss of a server; the results are added up")
	flag.Float64Var(&b.Rate, "rate", 300, "requests a second for each proxy")
	flag.DurationVar(&b.interval, "interval", time.Second, "interval of health checks")
	flag.DurationVar(&b.timeout, "timeout", 500*time.Millisecond, "timeout of a health check")
	flag.IntVar(&b.Threshold, "threshold", 2, "checks in a row after which a server counts as unhealthy")
	flag.DurationVar(&b.clientTimeout, "patience", 2*time.Second, "how long a client waits for a response")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, b); err != nil {
		fmt.Fprintln(os.Stderr, "bench/failover:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b benchmark) error {
	if !isolated() {
		return isolate(ctx)
	}
	if err := setLoopbackUp(); err != nil {
		return fmt.Errorf("set the loopback of the network namespace up: %w", err)
	}
	b.Interval, b.Timeout = b.interval.Milliseconds(), b.timeout.Milliseconds()
	b.ClientTimeout, b.Bound = b.clientTimeout.Milliseconds(), b.bound().Milliseconds()
	b.printSettings()
	results := []result{}
	for _, s := range scenarios {
		row, err := b.play(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		printRow(s, row)
		results = append(results, row...)
	}
	fmt.Println(notes)
	line, err := json.Marshal(map[string]any{"benchmark": "failover", "settings": b, "results": results})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}
