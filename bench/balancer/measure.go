//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/bench/contest"
)

// idleConnections is how many connections the memory of one is averaged over.
const idleConnections = 2000

// benchmark has the options.
type benchmark struct {
	rounds, seconds int
	only            string
}

// load is a kind of request, and how many connections send it.
type load struct {
	name        string
	path        string
	connections int
	close       bool // a new connection for every request
}

var loads = []load{
	{"100 B, 64 connections", "/100", 64, false},
	{"100 B, 2000 connections", "/100", 2000, false},
	{"10 KB, 64 connections", "/10240", 64, false},
	{"1 MB, 64 connections", "/1048576", 64, false},
	{"100 B, connection a request", "/100", 64, true},
}

// result holds what one proxy needed for one load.
type result struct {
	Load     string             `json:"load"`
	Proxy    string             `json:"proxy"`
	Micros   float64            `json:"cpu_us_per_request"`
	Behind   float64            `json:"backends_cpu_us_per_request"`
	Rate     float64            `json:"requests_per_second"`
	P99      float64            `json:"p99_ms"`
	CPURatio map[string]float64 `json:"cpu_ratio_of_aloft,omitempty"` // Aloft's CPU divided by that proxy's
	Errors   int                `json:"errors"`
}

// run starts backends and proxies, and measures them.
func (b benchmark) run(ctx context.Context) (err error) {
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
	proxies, err := startProxies(ctx, contest.Settings{
		Dir: dir, Port: 28080, Workers: 2, Backends: backends,
		Interval: 5 * time.Second, Timeout: 2 * time.Second, Threshold: 2,
	})
	defer func() { contest.StopProxies(proxies) }()
	if err != nil {
		return err
	}
	memory := map[string]float64{}
	if b.only == "" { // before a load makes them allocate memory that they keep
		if memory, err = measureMemory(ctx, proxies); err != nil {
			return err
		}
	}
	var results []result
	for _, l := range loads {
		if !strings.Contains(l.name, b.only) {
			continue
		}
		row, err := b.measureLoad(ctx, proxies, backends, l)
		if err != nil {
			return err
		}
		printRow(l, row)
		results = append(results, row...)
	}
	report := map[string]any{"benchmark": "balancer", "results": results, "idle_connection_kib": memory}
	line, err := json.Marshal(report)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// measureMemory measures and prints the memory of an idle connection in KiB, by proxy.
func measureMemory(ctx context.Context, proxies []*contest.Proxy) (map[string]float64, error) {
	memory := map[string]float64{}
	for _, p := range proxies {
		kib, err := idleConnection(ctx, p, idleConnections)
		if err != nil {
			return nil, fmt.Errorf("%s, idle connections: %w", p.Name, err)
		}
		memory[p.Name] = kib
		fmt.Printf("%-30s %-8s %7.1f KiB\n", "an idle connection", p.Name, kib)
	}
	return memory, nil
}

// measureLoad measures all proxies under a load, in turns. Aloft's result is the first.
func (b benchmark) measureLoad(
	ctx context.Context, proxies []*contest.Proxy, backends []*contest.Backend, l load,
) ([]result, error) {
	runs := map[string][]result{}
	for range b.rounds {
		for _, p := range proxies {
			r, err := measureProxy(ctx, p, backends, l, b.seconds)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", p.Name, l.name, err)
			}
			runs[p.Name] = append(runs[p.Name], r)
		}
	}
	var row []result
	for _, p := range proxies {
		row = append(row, median(runs[p.Name]))
	}
	row[0].CPURatio = map[string]float64{}
	for _, r := range row[1:] {
		row[0].CPURatio[r.Proxy] = row[0].Micros / r.Micros
	}
	return row, nil
}

// median returns the run whose CPU time is the median.
func median(runs []result) result {
	slices.SortFunc(runs, func(a, b result) int { return cmp.Compare(a.Micros, b.Micros) })
	return runs[len(runs)/2]
}

func printRow(l load, row []result) {
	fmt.Println(l.name)
	for _, r := range row {
		fmt.Printf("  %-8s %7.1f µs CPU a request %7.1f at the backends %9.0f requests/s  p99 %7.2f ms  errors %d",
			r.Proxy, r.Micros, r.Behind, r.Rate, r.P99, r.Errors)
		if ratio, ok := row[0].CPURatio[r.Proxy]; ok {
			fmt.Printf("   aloft needs %.2f of its CPU", ratio)
		}
		fmt.Println()
	}
}

// startProxies starts the proxies on consecutive ports. With an error, it returns those
// that it started.
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
