//go:build linux

// Command flowlogs measures what VPC flow logs cost machines: round trips, bytes and new
// connections between two machines while their flows are recorded, beside the same while nobody
// records them. It runs the benchmarks of internal/cloud/plane/network and needs root. It prints a
// table of ratios and, last, one line of JSON with the host's load average.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/perf/benchfmt"
)

const planes = "./internal/cloud/plane/network"

// benchmarks are the benchmarks to run. Each has a part with records of flows and one without.
var benchmarks = []string{"RealRoundTrip", "RealThroughput", "RealConnections"}

// figure is the effect of records on one benchmark.
type figure struct {
	Benchmark string `json:"benchmark"`
	// The medians of all rounds, in microseconds an operation.
	Without float64 `json:"without_us"`
	With    float64 `json:"with_us"`
	// Quartiles of the ratios that the rounds have.
	Low    float64 `json:"ratio_first_quartile"`
	Median float64 `json:"ratio_median"`
	High   float64 `json:"ratio_third_quartile"`
}

func main() {
	rounds := flag.Int("rounds", 9, "how often to run each benchmark, without and with records in turns")
	each := flag.Duration("time", time.Second, "how long one benchmark runs in a round")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, max(1, *rounds), *each); err != nil {
		fmt.Fprintln(os.Stderr, "bench/flowlogs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, each time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "aloft-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := filepath.Join(dir, "network.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-tags", "root", "-o", program, planes)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the benchmarks: %w\n%s", err, out)
	}
	times := map[string][]float64{} // seconds an operation, by name
	for range rounds {
		if err := measure(ctx, program, each, times); err != nil {
			return err
		}
	}
	return report(times)
}

// measure runs each benchmark once and adds its times.
func measure(ctx context.Context, program string, each time.Duration, times map[string][]float64) error {
	cmd := exec.CommandContext(ctx, program, "-test.run=^$", "-test.benchtime="+each.String(),
		"-test.bench=^Benchmark("+strings.Join(benchmarks, "|")+")$")
	cmd.Dir = planes
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run the benchmarks: %w\n%s", err, out)
	}
	results := benchfmt.NewReader(bytes.NewReader(out), program)
	for results.Scan() {
		if r, ok := results.Result().(*benchfmt.Result); ok {
			seconds, _ := r.Value("sec/op")
			name, _ := r.Name.Parts()
			part := strings.TrimPrefix(r.Name.String(), string(name)+"/")
			part, _, _ = strings.Cut(part, "-") // the number of processors
			times[string(name)+"/"+part] = append(times[string(name)+"/"+part], seconds)
		}
	}
	return results.Err()
}

func report(times map[string][]float64) error {
	figures := make([]figure, 0, len(benchmarks))
	fmt.Printf("%-16s %12s %12s %8s   (first and third quartile)\n", "", "without", "with records", "ratio")
	for _, name := range benchmarks {
		without, with := times[name+"/recorded=false"], times[name+"/recorded=true"]
		if len(without) == 0 || len(with) != len(without) {
			return fmt.Errorf("%s has %d results without and %d with records", name, len(without), len(with))
		}
		var ratios []float64
		for i := range without {
			ratios = append(ratios, with[i]/without[i])
		}
		f := figure{
			Benchmark: name, Without: quartile(without, 2) * 1e6, With: quartile(with, 2) * 1e6,
			Low: quartile(ratios, 1), Median: quartile(ratios, 2), High: quartile(ratios, 3),
		}
		fmt.Printf("%-16s %9.1f µs %9.1f µs %8.2f   (%.2f, %.2f)\n", name, f.Without, f.With, f.Median, f.Low, f.High)
		figures = append(figures, f)
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	average, _, _ := strings.Cut(string(load), " ")
	line, err := json.Marshal(map[string]any{"benchmark": "flow-logs", "figures": figures, "load_average": average})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// quartile returns the n-th quartile of values.
func quartile(values []float64, n int) float64 {
	return slices.Sorted(slices.Values(values))[(len(values)-1)*n/4]
}
