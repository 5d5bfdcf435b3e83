//go:build linux

// Command neighbour measures how much a machine slows another on the same host: the 99th
// percentile of a victim's latency behind a load balancer while nothing else happens, and while
// a neighbour takes all it can get of one kind of resource. It prints a table of the ratios and,
// last, one line of JSON with the host's load average. It needs root and bin/aloft, and the local
// cloud must not be running. The local cloud's state is deleted.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"aloft.dev/aloft/bench/site"
	"aloft.dev/aloft/internal/load"
)

// bound is the ratio that a neighbour may cause at most.
const bound = 1.3

// figure is the effect of one kind of attack.
type figure struct {
	Kind    string  `json:"kind"`
	Without float64 `json:"p99_without_ms"`
	With    float64 `json:"p99_with_ms"`
	Ratio   float64 `json:"ratio"`
	Failed  int     `json:"failed"` // requests, with
	Load    string  `json:"load_average"`
}

type benchmark struct {
	rate   float64
	window time.Duration
	rounds int
	kinds  string
}

func main() {
	var b benchmark
	flag.Float64Var(&b.rate, "rate", 100, "requests a second for the victim")
	flag.DurationVar(&b.window, "window", 10*time.Second, "how long a round measures without, and with, an attack")
	flag.IntVar(&b.rounds, "rounds", 5, "how often to measure without, and with, each attack")
	flag.StringVar(&b.kinds, "kinds", "", "attacks to measure, separated by commas (default: all)")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench/neighbour:", err)
		os.Exit(1)
	}
}

func (b benchmark) run(ctx context.Context) (err error) {
	// An earlier run may have been killed.
	if _, err := site.Aloft(ctx, "local", "reset", "--yes"); err != nil {
		return err
	}
	if _, err := site.Aloft(ctx, "local", "start"); err != nil {
		return err
	}
	defer func() {
		_, resetErr := site.Aloft(context.WithoutCancel(ctx), "local", "reset", "--yes")
		err = errors.Join(err, resetErr)
	}()
	client, err := site.Connect(ctx)
	if err != nil {
		return err
	}
	v, err := launch(ctx, client)
	if err != nil {
		return err
	}
	var figures []figure
	fmt.Printf("%-12s %10s %10s %7s   (bound %.1f)\n", "neighbour", "p99 alone", "p99 beside", "ratio", bound)
	for _, a := range attacks {
		if b.kinds != "" && !slices.Contains(strings.Split(b.kinds, ","), a.kind) {
			continue
		}
		f, err := b.measure(ctx, v, a)
		if err != nil {
			return fmt.Errorf("%s: %w", a.kind, err)
		}
		fmt.Printf("%-12s %7.2f ms %7.2f ms %7.2f   %d failed, load average %s\n",
			f.Kind, f.Without, f.With, f.Ratio, f.Failed, f.Load)
		figures = append(figures, f)
	}
	line, err := json.Marshal(map[string]any{"benchmark": "neighbour", "bound": bound, "figures": figures})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// measure measures the victim alone and beside a neighbour that attacks, in turns: whatever else
// the host does from minute to minute then affects both alike.
func (b benchmark) measure(ctx context.Context, v *victim, a attack) (figure, error) {
	var without, with []load.Sample
	for range b.rounds {
		without = append(without, b.requests(ctx, v.url)...)
		if err := v.beside(ctx, a, func() { with = append(with, b.requests(ctx, v.url)...) }); err != nil {
			return figure{}, err
		}
	}
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return figure{}, err
	}
	average, _, _ := strings.Cut(string(text), " ")
	f := figure{Kind: a.kind, Without: p99(without), With: p99(with), Load: average}
	f.Ratio = f.With / max(f.Without, 0.001)
	for _, s := range with {
		if s.Kind != load.OK {
			f.Failed++
		}
	}
	return f, ctx.Err()
}

// requests sends requests to a URL for as long as the window is.
func (b benchmark) requests(ctx context.Context, url string) []load.Sample {
	window, cancel := context.WithTimeout(ctx, b.window)
	defer cancel()
	return load.New(load.Config{URL: url, Rate: b.rate, Dial: load.Dial}).Run(window).Samples
}

// p99 returns the 99th percentile of the latency of requests in milliseconds, or 0 if there are none.
func p99(samples []load.Sample) float64 {
	if len(samples) == 0 {
		return 0
	}
	slices.SortFunc(samples, func(a, b load.Sample) int { return cmp.Compare(a.Latency, b.Latency) })
	return milliseconds(samples[len(samples)*99/100].Latency)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ask sends a request until it is answered.
func ask(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{
		Transport: &http.Transport{DialContext: load.Dial, DisableKeepAlives: true}, Timeout: 5 * time.Second,
	}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if err == nil && response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("ask %s: %w", url, cmp.Or(err, ctx.Err()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
