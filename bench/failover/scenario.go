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

// benchmark is what all contestants have in common.
type benchmark struct {
	Rate      float64 `json:"requests_per_second"`
	Rounds    int     `json:"rounds"`
	Interval  int64   `json:"interval_ms"`
	Timeout   int64   `json:"timeout_ms"`
	Threshold int     `json:"threshold"`
	Patience  int64   `json:"patience_ms"`
	Bound     int64   `json:"bound_ms"`

	interval, timeout, patience time.Duration
}

// bound is how long health checks can need to take a server out: its first failed
// check comes up to an interval late, the last one a time-out.
func (b benchmark) bound() time.Duration {
	return time.Duration(b.Threshold)*b.interval + b.timeout
}

// window is how long the load goes on after the loss of a server: twice the bound
// and an interval.
func (b benchmark) window() time.Duration { return 2*b.bound() + b.interval }

const (
	quiet  = 500 * time.Millisecond  // of load before anything happens
	slow   = 1500 * time.Millisecond // takes the answer to a slow request
	victim = 1                       // of the three servers
)

// contestant is a proxy with a way to set it up.
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
	planned bool // slow requests are under way as well; it is done once
	lose    func(context.Context, *contest.Proxy, *contest.Backend) error
}

var scenarios = []scenario{
	{"killed", false, func(_ context.Context, _ *contest.Proxy, b *contest.Backend) error { return b.Kill() }},
	{"hangs", false, func(_ context.Context, _ *contest.Proxy, b *contest.Backend) error { return b.Freeze() }},
	{
		"silent",
		false,
		func(ctx context.Context, _ *contest.Proxy, b *contest.Backend) error { return silence(ctx, b.Port) },
	},
	{"removed", true, remove},
}

// remove takes the server out, lets it end what it has, and ends it.
func remove(ctx context.Context, p *contest.Proxy, b *contest.Backend) error {
	if err := p.Drain(ctx, victim); err != nil {
		return fmt.Errorf("take a server out of %s: %w", p.Name, err)
	}
	if err := pause(ctx, 2*slow); err != nil {
		return err
	}
	return b.Kill()
}

// play lets all contestants lose a server at the same time, as many rounds as
// there are, and adds up.
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
		// Servers are lost at evenly spread points between two health checks.
		before := quiet + b.interval*time.Duration(k)/time.Duration(rounds)
		if s.planned {
			before = slow
		}
		together, ctx := errgroup.WithContext(ctx)
		for i, c := range contestants {
			together.Go(func() error {
				if err := b.round(ctx, s, c, 28080+i, before, &row[i]); err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				return nil
			})
		}
		if err := together.Wait(); err != nil {
			return nil, err
		}
	}
	for i := range row {
		row[i].judge(b)
	}
	return row, nil
}

// round lets one contestant lose one server, from a fresh start.
func (b benchmark) round(
	ctx context.Context,
	s scenario,
	c contestant,
	port int,
	before time.Duration,
	sum *result,
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
		Dir: dir, Port: port, Workers: 1, Backends: backends, Interval: b.interval, Timeout: b.timeout, Threshold: b.Threshold, Retries: c.retries,
	})
	if p != nil {
		defer p.Stop()
	}
	if err != nil {
		return err
	}
	return b.under(ctx, p, s, before, func(ctx context.Context) error { return s.lose(ctx, p, backends[victim]) }, sum)
}

// under puts the proxy under load, after a while lets a server be lost, and adds
// what became of the requests to the sum.
func (b benchmark) under(
	ctx context.Context,
	p *contest.Proxy,
	s scenario,
	before time.Duration,
	lose func(context.Context) error,
	sum *result,
) error {
	sources := []*load.Generator{
		load.New(load.Config{URL: fmt.Sprintf("http://%s/%d", p.Address, body), Rate: b.Rate, Timeout: b.patience}),
	}
	if s.planned {
		sources = append(
			sources,
			load.New(
				load.Config{
					URL:     fmt.Sprintf("http://%s/%d?after=%s", p.Address, body, slow),
					Rate:    b.Rate / 10,
					Timeout: slow + b.patience,
				},
			),
		)
	}
	running, end := context.WithCancel(ctx)
	defer end()
	recordings := make([]load.Recording, len(sources))
	sending, _ := errgroup.WithContext(ctx)
	for i, g := range sources {
		sending.Go(func() error { recordings[i] = g.Run(running); return nil })
	}
	lost := time.Time{}
	err := pause(ctx, before)
	if err == nil {
		lost = time.Now()
		if err = lose(ctx); err == nil {
			err = pause(ctx, time.Until(lost.Add(b.window())))
		}
	}
	end()
	_ = sending.Wait()
	for _, r := range recordings {
		sum.add(r, lost)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
