// Command balancer measures what a request costs at Aloft's load balancer, at
// nginx and at HAProxy: CPU time of the whole proxy and of the servers behind it,
// requests a second, the 99th percentile, memory of an idle connection. All run
// side by side against the same backends, one measured at a time, in turns. It
// prints a table of ratios and, last, one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"aloft.dev/aloft/bench/contest"
)

func main() {
	if contest.IsBackend() {
		fmt.Fprintln(os.Stderr, contest.ServeBackend(100, 10240, 1048576))
		os.Exit(1)
	}
	rounds := flag.Int("rounds", 3, "measurements of each; the median counts")
	seconds := flag.Int("seconds", 3, "length of a measurement")
	only := flag.String(
		"only",
		"",
		"the loads to run: a part of their names; empty: all, and the memory of idle connections",
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(
		context.Background(),
		os.Interrupt,
		syscall.SIGPIPE,
	) // what was started is stopped, also when nobody reads on
	defer stop()
	if err := measure(ctx, *rounds, *seconds, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench/balancer:", err)
		os.Exit(1)
	}
}

// load is one way to ask.
type load struct {
	Name        string `json:"name"`
	path        string
	connections int
	close       bool // a connection for every request
}

var loads = []load{
	{"100 B, 64 connections", "/100", 64, false},
	{"100 B, 2000 connections", "/100", 2000, false},
	{"10 KB, 64 connections", "/10240", 64, false},
	{"1 MB, 64 connections", "/1048576", 64, false},
	{"100 B, connection a request", "/100", 64, true},
}

// result is what one proxy did under one load.
type result struct {
	Load     string             `json:"load"`
	Proxy    string             `json:"proxy"`
	Micros   float64            `json:"cpu_us_per_request"`
	Behind   float64            `json:"backends_cpu_us_per_request"`
	Rate     float64            `json:"requests_per_second"`
	P99      float64            `json:"p99_ms"`
	CPURatio map[string]float64 `json:"cpu_ratio_of_aloft,omitempty"` // Aloft's CPU by this proxy's
	Errors   int                `json:"errors"`
}

func measure(ctx context.Context, rounds, seconds int, only string) (err error) {
	dir, err := os.MkdirTemp("", "aloft-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	backends, err := contest.StartBackends(ctx, 3)
	if err != nil {
		return err
	}
	defer contest.StopBackends(backends)
	proxies, err := startProxies(
		ctx,
		contest.Settings{
			Dir:       dir,
			Port:      28080,
			Workers:   2,
			Backends:  backends,
			Interval:  5 * time.Second,
			Timeout:   2 * time.Second,
			Threshold: 2,
		},
	)
	defer func() { contest.StopProxies(proxies) }()
	if err != nil {
		return err
	}
	memory := map[string]float64{}
	for _, p := range proxies { // first, while no load has had them take memory that they keep
		if only != "" {
			break
		}
		kib, err := idleConnection(ctx, p, 2000)
		if err != nil {
			return fmt.Errorf("%s, idle connections: %w", p.Name, err)
		}
		memory[p.Name] = kib
		fmt.Printf("%-30s %-8s %7.1f KiB\n", "an idle connection", p.Name, kib)
	}
	var results []result
	for _, l := range loads {
		if !strings.Contains(l.Name, only) {
			continue
		}
		runs := map[string][]result{}
		for range rounds {
			for _, p := range proxies {
				r, err := measureProxy(ctx, p, backends, l, seconds)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", p.Name, l.Name, err)
				}
				runs[p.Name] = append(runs[p.Name], r)
			}
		}
		var row []result
		for _, p := range proxies {
			row = append(row, median(runs[p.Name]))
		}
		for i := range row[1:] {
			row[0].CPURatio = setRatio(row[0].CPURatio, row[i+1].Proxy, row[0].Micros/row[i+1].Micros)
		}
		print(l, row)
		results = append(results, row...)
	}
	line, err := json.Marshal(
		map[string]any{"benchmark": "balancer", "results": results, "idle_connection_kib": memory},
	)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

func setRatio(m map[string]float64, name string, ratio float64) map[string]float64 {
	if m == nil {
		m = map[string]float64{}
	}
	m[name] = ratio
	return m
}

// median takes the run in the middle by CPU time.
func median(runs []result) result {
	slices.SortFunc(runs, func(a, b result) int {
		if a.Micros < b.Micros {
			return -1
		}
		return 1
	})
	return runs[len(runs)/2]
}

func print(l load, row []result) {
	fmt.Println(l.Name)
	for _, r := range row {
		fmt.Printf(
			"  %-8s %7.1f µs CPU a request %7.1f at the backends %9.0f requests/s  p99 %7.2f ms  errors %d",
			r.Proxy,
			r.Micros,
			r.Behind,
			r.Rate,
			r.P99,
			r.Errors,
		)
		if r.Proxy != row[0].Proxy {
			fmt.Printf("   aloft needs %.2f of its CPU", row[0].CPURatio[r.Proxy])
		}
		fmt.Println()
	}
}

// startProxies starts all, on one port after another; what was started is returned
// with an error too.
func startProxies(ctx context.Context, s contest.Settings) ([]*contest.Proxy, error) {
	var out []*contest.Proxy
	for _, start := range []contest.Starter{contest.StartAloft, contest.StartNginx, contest.StartHAProxy} {
		p, err := start(ctx, s)
		if p != nil {
			out = append(out, p)
		}
		if err != nil {
			return out, err
		}
		s.Port++
	}
	return out, nil
}
