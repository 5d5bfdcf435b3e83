//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/bench/contest"
	"aloft.dev/aloft/internal/load"
)

// benchmark has the settings that all contestants share.
type benchmark struct {
	Rate          float64 `json:"requests_per_second"`
	Rounds        int     `json:"rounds"`
	Interval      int64   `json:"interval_ms"`
	Timeout       int64   `json:"timeout_ms"`
	Threshold     int     `json:"threshold"`
	ClientTimeout int64   `json:"patience_ms"`
	Bound         int64   `json:"bound_ms"`

	interval, timeout, clientTimeout time.Duration
}

// bound returns how long health checks can need to take a server out of rotation: the
// first failed check begins up to an interval late, and the last one takes a timeout.
func (b benchmark) bound() time.Duration {
	return time.Duration(b.Threshold)*b.interval + b.timeout
}

// window returns how long the load continues after the loss of a server: twice the bound
// and an interval.
func (b benchmark) window() time.Duration { return 2*b.bound() + b.interval }

const (
	leadIn = 500 * time.Millisecond  // of load before the first possible loss
	slow   = 1500 * time.Millisecond // how long a slow request takes
	victim = 1                       // index of the server that is lost
)

// contestant is a proxy in one of its configurations.
type contestant struct {
	name    string
	start   contest.Starter
	retries bool
}

var contestants = []contestant{
	{"aloft", contest.StartAloft, false},
	{"haproxy", contest.StartHAProxy, false},
	{"nginx", contest.StartNginx, false},
	{"haproxy, its retries", contest.StartHAProxy, true},
	{"nginx, its retries", contest.StartNginx, true},
}

// scenario is a way to lose a server.
type scenario struct {
	name    string
	planned bool // there are slow requests too, and one round is enough
	lose    func(context.Context, *contest.Proxy, *contest.Backend) error
}

var scenarios = []scenario{
	{name: "killed", lose: func(_ context.Context, _ *contest.Proxy, b *contest.Backend) error {
		return b.Kill()
	}},
	{name: "hangs", lose: func(_ context.Context, _ *contest.Proxy, b *contest.Backend) error {
		return b.Freeze()
	}},
	{name: "silent", lose: func(ctx context.Context, _ *contest.Proxy, b *contest.Backend) error {
		return silence(ctx, b.Port)
	}},
	{name: "removed", planned: true, lose: remove},
}

// remove drains the server, lets it finish its requests, and ends it.
func remove(ctx context.Context, p *contest.Proxy, b *contest.Backend) error {
	if err := p.Drain(ctx, victim); err != nil {
		return fmt.Errorf("drain a server of %s: %w", p.Name, err)
	}
	if err := sleep(ctx, 2*slow); err != nil {
		return err
	}
	return b.Kill()
}

// play plays all rounds of a scenario, with all contestants at the same time, and adds
// up their results.
func (b benchmark) play(ctx context.Context, s scenario) ([]result, error) {
	row := make([]result, len(contestants))
	for i, c := range contestants {
		row[i] = result{Scenario: s.name, Proxy: c.name, ByKind: map[load.Kind]int{}}
	}
	rounds := b.Rounds
	if s.planned {
		rounds = 1
	}
	for k := range rounds {
		// The losses are spread evenly over the interval between two health checks.
		before := leadIn + b.interval*time.Duration(k)/time.Duration(rounds)
		if s.planned {
			before = slow
		}
		all, ctx := errgroup.WithContext(ctx)
		for i, c := range contestants {
			all.Go(func() error {
				if err := b.playRound(ctx, s, c, 28080+i, before, &row[i]); err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				return nil
			})
		}
		if err := all.Wait(); err != nil {
			return nil, err
		}
	}
	for i := range row {
		row[i].evaluate(b)
	}
	return row, nil
}

// playRound starts a contestant, makes it lose a server after the time before, and adds
// the result to sum.
func (b benchmark) playRound(
	ctx context.Context, s scenario, c contestant, port int, before time.Duration, sum *result,
) (err error) {
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
	p, err := c.start(ctx, contest.Settings{
		Dir: dir, Port: port, Workers: 1, Backends: backends,
		Interval: b.interval, Timeout: b.timeout, Threshold: b.Threshold, Retries: c.retries,
	})
	if p != nil {
		defer p.Stop()
	}
	if err != nil {
		return err
	}
	lose := func(ctx context.Context) error { return s.lose(ctx, p, backends[victim]) }
	return b.loseUnderLoad(ctx, b.generators(p, s), before, lose, sum)
}

// generators returns the sources of the load on a proxy.
func (b benchmark) generators(p *contest.Proxy, s scenario) []*load.Generator {
	url := fmt.Sprintf("http://%s/%d", p.Address, body)
	out := []*load.Generator{load.New(load.Config{URL: url, Rate: b.Rate, Timeout: b.clientTimeout})}
	if s.planned {
		slowURL := fmt.Sprintf("%s?after=%s", url, slow)
		out = append(out, load.New(load.Config{URL: slowURL, Rate: b.Rate / 10, Timeout: slow + b.clientTimeout}))
	}
	return out
}

// loseUnderLoad runs the load, calls lose after the time before, and adds the requests to
// sum.
func (b benchmark) loseUnderLoad(
	ctx context.Context,
	generators []*load.Generator,
	before time.Duration,
	lose func(context.Context) error,
	sum *result,
) error {
	running, end := context.WithCancel(ctx)
	defer end()
	recordings := make([]load.Recording, len(generators))
	sending, _ := errgroup.WithContext(ctx)
	for i, g := range generators {
		sending.Go(func() error { recordings[i] = g.Run(running); return nil })
	}
	lost := time.Time{}
	err := sleep(ctx, before)
	if err == nil {
		lost = time.Now()
		if err = lose(ctx); err == nil {
			err = sleep(ctx, time.Until(lost.Add(b.window())))
		}
	}
	end()
	_ = sending.Wait()
	for _, r := range recordings {
		sum.add(r, lost)
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
