//go:build linux

// Command release changes a serving application in all planned ways: releases, rollbacks,
// more and fewer servers, from fixed servers to an Auto Scaling group and back. It runs on
// real machines of the local cloud, under a load whose rate does not depend on the
// responses. It prints the outcome of the requests for each step, and then one line of JSON.
// No request should fail. No other local cloud may be running.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/bench/site"
	"aloft.dev/aloft/internal/load"
)

func main() {
	var r rates
	flag.Float64Var(&r.Quick, "rate", 500, "requests a second")
	flag.Float64Var(&r.Slow, "slow", 10, "further requests a second, which take 5 s each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, r); err != nil {
		fmt.Fprintln(os.Stderr, "bench/release:", err)
		os.Exit(1)
	}
}

// rates are the rates of the load, in requests a second.
type rates struct {
	Quick float64 `json:"requests_per_second"`
	Slow  float64 `json:"slow_requests_per_second"`
}

const (
	settings = `load_balancer:
  deregistration_delay: 10s
  health: {path: /}
release: {watch: 5s, bake: 10s}
env: {COLOUR: red}
`
	// The target is empty: only the steps change the number of servers.
	scaling = settings + "scaling: {min: 3, max: 6, target: {}}\n"
)

// steadyTime is how long the load runs without a change before the first step and after each.
const steadyTime = 2 * time.Second

// step is one planned change.
type step struct {
	name string
	do   func(context.Context, *site.Site) error
}

// up returns a step that deploys a release with a spec.
func up(release int, spec string) func(context.Context, *site.Site) error {
	return func(ctx context.Context, s *site.Site) error {
		if err := s.Write(strconv.Itoa(release), spec); err != nil {
			return err
		}
		return s.Up(ctx)
	}
}

// command returns a step that runs aloft with the site's directory as its last argument.
func command(args ...string) func(context.Context, *site.Site) error {
	return func(ctx context.Context, s *site.Site) error {
		_, err := site.Aloft(ctx, append(args[:len(args):len(args)], s.Dir)...)
		return err
	}
}

var steps = []step{
	{"fixed servers: release 2", up(2, settings)},
	{"fixed servers: roll back to 1", command("rollback")},
	{"fixed servers: change a variable", func(ctx context.Context, s *site.Site) error {
		_, err := site.Aloft(ctx, "env", "set", s.Dir, "SHAPE=round")
		return err
	}},
	{"fixed servers to a scaling group", up(1, scaling)},
	{"scale out from 3 to 6", command("scale", "6")},
	{"scale in from 6 to 3", command("scale", "3")},
	{"scaling group: release 3", up(3, scaling)},
	{"scaling group: roll back to 1", command("rollback")},
	{"scaling group to fixed servers", up(1, settings)},
}

func run(ctx context.Context, r rates) (err error) {
	s, err := site.Start(ctx, "bench-release")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	if err := up(1, settings)(ctx, s); err != nil {
		return err
	}
	results, err := underLoad(ctx, s, r)
	sum := printTable(r, results)
	if err != nil {
		return err
	}
	line, err := json.Marshal(map[string]any{
		"benchmark": "release", "load": r, "steps": results, "sent": sum.Sent, "failed": sum.Failed,
	})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// underLoad runs the steps under load and counts the requests of each. If a step fails, it
// returns the results so far with the error; the last result is the failed step's.
func underLoad(ctx context.Context, s *site.Site, r rates) ([]result, error) {
	quick, err := s.Load(ctx, "/", r.Quick)
	if err != nil {
		return nil, err
	}
	slow, err := s.Load(ctx, site.SlowPath, r.Slow)
	if err != nil {
		return nil, err
	}
	loadCtx, stopLoad := context.WithCancel(ctx)
	defer stopLoad()
	var recordings [2]load.Recording
	var sending errgroup.Group
	for i, g := range []*load.Generator{quick, slow} {
		sending.Go(func() error { recordings[i] = g.Run(loadCtx); return nil })
	}
	results, err := runSteps(ctx, s)
	stopLoad()
	_ = sending.Wait()
	for i := range results {
		results[i].count(recordings[0], recordings[1])
	}
	return results, err
}

// runSteps runs the steps in order.
func runSteps(ctx context.Context, s *site.Site) ([]result, error) {
	if err := pause(ctx, steadyTime); err != nil {
		return nil, err
	}
	var results []result
	for _, step := range steps {
		fmt.Fprintln(os.Stderr, step.name, "…")
		r := result{Step: step.name, began: time.Now()}
		err := step.do(ctx, s)
		r.Seconds = time.Since(r.began).Seconds()
		if err == nil {
			err = pause(ctx, steadyTime)
		}
		r.ended = time.Now()
		results = append(results, r)
		if err != nil {
			return results, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return results, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
