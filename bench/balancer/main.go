//go:build linux

// Command balancer measures what a request costs with Aloft's load balancer, nginx
// and HAProxy: CPU time of the whole proxy and of the servers behind it, requests a
// second, the 99th percentile, and the memory of an idle connection. All proxies run
// side by side over the same backends and are measured in turns, one at a time. It
// prints a table of ratios and, last, one line of JSON.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"aloft.dev/aloft/bench/contest"
)

func main() {
	if contest.IsBackend() {
		fmt.Fprintln(os.Stderr, contest.ServeBackend(100, 10240, 1048576))
		os.Exit(1)
	}
	var b benchmark
	flag.IntVar(&b.rounds, "rounds", 3, "measurements of each proxy and load; the median counts")
	flag.IntVar(&b.seconds, "seconds", 3, "length of a measurement")
	flag.StringVar(&b.only, "only", "", "run only loads with this in their name, and skip idle connections")
	flag.Parse()
	// SIGPIPE too: the proxies must not be left behind when nobody reads the output.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGPIPE)
	defer stop()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench/balancer:", err)
		os.Exit(1)
	}
}
