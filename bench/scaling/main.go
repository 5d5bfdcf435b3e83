//go:build linux

// Command scaling measures target tracking on real machines of the local cloud. It triples
// the load of an application whose Auto Scaling group tracks the requests for each server:
// the group should add servers on its own, and remove them again when the load falls. It
// draws the run as a picture, and prints a summary and then one line of JSON. No other local
// cloud may be running.
//
// Scaling out takes three minutes of alarm and scaling in fifteen, as on AWS (Amazon EC2
// Auto Scaling User Guide, "Target tracking scaling policies"; DescribeAlarms returns the
// numbers). Without -whole the benchmark ends after the first minutes of the fifteen, and
// its output mentions that.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/bench/site"
	"aloft.dev/aloft/internal/load"
)

const (
	minServers = 3
	target     = 1000 // requests a minute for each server
	base       = 32   // requests a second: 640 a minute for each of three servers
	factor     = 3    // 1,920 a minute for each; six servers bring it to 960
)

var spec = fmt.Sprintf(`load_balancer:
  deregistration_delay: 10s
  health: {path: /}
release: {watch: 5s, bake: 5s}
scaling: {min: %d, max: 9, target: {requests_per_target: %d}}
`, minServers, target)

func main() {
	whole := flag.Bool("whole", false, "also wait until servers are removed, which takes another quarter of an hour")
	file := flag.String("svg", "bin/scaling.svg", "file of the picture")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *whole, *file); err != nil {
		fmt.Fprintln(os.Stderr, "bench/scaling:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, whole bool, file string) (err error) {
	s, err := site.Start(ctx, "bench-scaling")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	if err := errors.Join(s.Write("1", spec), s.Up(ctx)); err != nil {
		return err
	}
	t, err := observe(ctx, s, whole)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, t.svg(), 0o644); err != nil { //nolint:gosec // a picture is no secret
		return err
	}
	t.print()
	fmt.Println("the picture is in", file)
	line, err := json.Marshal(t.result())
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// observe runs the site under a base load, then three times as much, then the base load.
func observe(ctx context.Context, s *site.Site, whole bool) (*trace, error) {
	generator, err := s.Load(ctx, "/", base)
	if err != nil {
		return nil, err
	}
	loadCtx, stopLoad := context.WithCancel(ctx)
	defer stopLoad()
	t := &trace{site: s, whole: whole, began: time.Now()}
	var sending errgroup.Group
	sending.Go(func() error { t.requests = generator.Run(loadCtx); return nil })
	err = t.run(ctx, generator)
	stopLoad()
	_ = sending.Wait()
	return t, err
}

// run changes the load and waits for the group to react.
func (t *trace) run(ctx context.Context, generator *load.Generator) error {
	if err := t.scaleOut(ctx, generator); err != nil {
		return err
	}
	generator.SetRate(base)
	t.fallen = t.elapsed()
	if !t.whole {
		counts := func(p point) bool { return p.low.Beyond >= 2 }
		return t.waitUntil(ctx, "the low alarm counts its minutes", 5*time.Minute, counts)
	}
	return t.scaleIn(ctx)
}

// scaleOut triples the load and waits until the group's new servers have brought the metric
// to the target.
func (t *trace) scaleOut(ctx context.Context, generator *load.Generator) error {
	baseValue := float64(base) * 60 / minServers
	measured := func(p point) bool { return p.value > 0.95*baseValue }
	if err := t.waitUntil(ctx, "the metric shows the base load", 5*time.Minute, measured); err != nil {
		return err
	}
	generator.SetRate(base * factor)
	t.tripled = t.elapsed()
	grows := func(p point) bool { return p.Desired > minServers }
	if err := t.waitUntil(ctx, "the desired capacity grows", 8*time.Minute, grows); err != nil {
		return err
	}
	t.grows = t.elapsed()
	inService := func(p point) bool { return p.InService >= p.Desired }
	if err := t.waitUntil(ctx, "the new servers are in service", 3*time.Minute, inService); err != nil {
		return err
	}
	t.grown, t.grownTo = t.elapsed(), t.points[len(t.points)-1].InService
	onTarget := func(p point) bool { return p.value <= target }
	return t.waitUntil(ctx, "the metric is at the target again", 5*time.Minute, onTarget)
}

// scaleIn waits until the group has removed its additional servers.
func (t *trace) scaleIn(ctx context.Context) error {
	shrinks := func(p point) bool { return p.Desired < t.grownTo }
	if err := t.waitUntil(ctx, "the desired capacity shrinks", 25*time.Minute, shrinks); err != nil {
		return err
	}
	t.shrinks = t.elapsed()
	removed := func(p point) bool { return p.InService == minServers }
	if err := t.waitUntil(ctx, "the additional servers are removed", 10*time.Minute, removed); err != nil {
		return err
	}
	t.shrunk = t.elapsed()
	return nil
}
