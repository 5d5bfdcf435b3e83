// Command release changes an application that serves in all planned ways, on real
// machines of the local cloud and under a load whose rate does not depend on the
// answers: releases, rollbacks, more and fewer servers, from fixed servers to a
// scaling group and back. It prints what became of the requests of each step and,
// last, one line of JSON. None is to fail. No other local cloud may run.
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
	flag.Float64Var(&r.Slow, "slow", 10, "requests a second, besides, that take 5 s each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, r); err != nil {
		fmt.Fprintln(os.Stderr, "bench/release:", err)
		os.Exit(1)
	}
}

// rates are requests a second.
type rates struct {
	Quick float64 `json:"requests_per_second"`
	Slow  float64 `json:"slow_requests_per_second"`
}

const (
	settings = `load_balancer:
  deregistration_delay: 10s
  health: {path: /}
release: {watch: 5s, bake: 10s}
`
	// Nothing is followed, so that only the steps change the number of servers.
	scaling = settings + "scaling: {min: 3, max: 6, target: {}}\n"
)

// calm is the load before the first step and after the last one.
const calm = 2 * time.Second

// step is a planned change.
type step struct {
	name string
	do   func(context.Context, *site.Site) error
}

// up deploys a release with a spec.
func up(release int, spec string) func(context.Context, *site.Site) error {
	return func(ctx context.Context, s *site.Site) error {
		if err := s.Write(strconv.Itoa(release), spec); err != nil {
			return err
		}
		return s.Up(ctx)
	}
}

// command runs aloft with the site's folder as its last argument.
func command(args ...string) func(context.Context, *site.Site) error {
	return func(ctx context.Context, s *site.Site) error {
		_, err := site.Aloft(ctx, append(args[:len(args):len(args)], s.Dir)...)
		return err
	}
}

var steps = []step{
	{"fixed servers: release 2", up(2, settings)},
	{"fixed servers: roll back to 1", command("rollback")},
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
	defer func() { err = errors.Join(err, s.End(context.WithoutCancel(ctx))) }()
	if err := up(1, settings)(ctx, s); err != nil {
		return err
	}
	results, err := underLoad(ctx, s, r)
	sum := print(r, results)
	if err != nil {
		return err
	}
	line, err := json.Marshal(
		map[string]any{"benchmark": "release", "load": r, "steps": results, "sent": sum.Sent, "failed": sum.Failed},
	)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// underLoad does the steps one after the other, and counts what became of the
// requests of each. With an error there are results as well, the last one of the
// step that failed.
func underLoad(ctx context.Context, s *site.Site, r rates) ([]result, error) {
	quick, err := s.Load(ctx, "/", r.Quick)
	if err != nil {
		return nil, err
	}
	slow, err := s.Load(ctx, site.SlowPath, r.Slow)
	if err != nil {
		return nil, err
	}
	running, end := context.WithCancel(ctx)
	defer end()
	var recordings [2]load.Recording
	var sending errgroup.Group
	for i, g := range []*load.Generator{quick, slow} {
		sending.Go(func() error { recordings[i] = g.Run(running); return nil })
	}
	results, err := walk(ctx, s)
	end()
	_ = sending.Wait()
	for i := range results {
		results[i].count(recordings[0], recordings[1])
	}
	return results, err
}

func walk(ctx context.Context, s *site.Site) ([]result, error) {
	if err := pause(ctx, calm); err != nil {
		return nil, err
	}
	var results []result
	for _, step := range steps {
		fmt.Fprintln(os.Stderr, step.name, "…")
		r := result{Step: step.name, began: time.Now()}
		err := step.do(ctx, s)
		r.Seconds = time.Since(r.began).Seconds()
		if err == nil {
			err = pause(ctx, calm)
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
