// Command scaling triples the load of an application whose scaling group follows
// the requests for each server, on real machines of the local cloud: target
// tracking is to add servers without being told, and to take them away again when
// the load falls. It draws the trace as a picture and prints, last, one line of
// JSON. No other local cloud may run.
//
// Adding takes three minutes of alarm and removing fifteen, as on AWS (Amazon EC2
// Auto Scaling User Guide, "Target tracking scaling policies"; DescribeAlarms shows
// the figures). Without -whole the benchmark ends when it has seen the first
// minutes of the fifteen counted, and says so.
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
	least  = 3
	target = 1000 // requests a minute for each server
	base   = 32   // requests a second: 640 a minute for each of three servers
	factor = 3    // 1,920: six servers bring it to 960
)

var spec = fmt.Sprintf(`load_balancer:
  deregistration_delay: 10s
  health: {path: /}
release: {watch: 5s, bake: 5s}
scaling: {min: %d, max: 9, target: {requests_per_target: %d}}
`, least, target)

func main() {
	whole := flag.Bool("whole", false, "wait until servers are removed as well: a quarter of an hour more")
	file := flag.String("svg", "bin/scaling.svg", "the picture")
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
	defer func() { err = errors.Join(err, s.End(context.WithoutCancel(ctx))) }()
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
	fmt.Println("the trace is drawn in", file)
	line, err := json.Marshal(t.result())
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// observe puts the site under load, first a little, then three times as much, then
// a little again.
func observe(ctx context.Context, s *site.Site, whole bool) (*trace, error) {
	asking, err := s.Load(ctx, "/", base)
	if err != nil {
		return nil, err
	}
	running, end := context.WithCancel(ctx)
	defer end()
	t := &trace{site: s, whole: whole, began: time.Now()}
	var sending errgroup.Group
	sending.Go(func() error { t.requests = asking.Run(running); return nil })
	err = t.follow(ctx, asking)
	end()
	_ = sending.Wait()
	return t, err
}

// follow changes the load and waits for what the group makes of it.
func (t *trace) follow(ctx context.Context, asking *load.Generator) error {
	expected := float64(base) * 60 / least
	if err := t.until(ctx, "a minute of the first load is measured", 5*time.Minute, func(p point) bool { return p.value > 0.95*expected }); err != nil {
		return err
	}
	asking.SetRate(base * factor)
	t.tripled = t.since()
	if err := t.until(ctx, "the group is told to grow", 8*time.Minute, func(p point) bool { return p.Desired > least }); err != nil {
		return err
	}
	t.told = t.since()
	if err := t.until(ctx, "the new servers are in service", 3*time.Minute, func(p point) bool { return p.InService >= p.Desired }); err != nil {
		return err
	}
	t.grown, t.grownTo = t.since(), t.points[len(t.points)-1].InService
	if err := t.until(ctx, "a minute is at the target again", 5*time.Minute, func(p point) bool { return p.value <= target }); err != nil {
		return err
	}
	asking.SetRate(base)
	t.fallen = t.since()
	if !t.whole {
		return t.until(
			ctx,
			"the low alarm counts its minutes",
			5*time.Minute,
			func(p point) bool { return p.low.Beyond >= 2 },
		)
	}
	if err := t.until(ctx, "the group is told to shrink", 25*time.Minute, func(p point) bool { return p.Desired < t.grownTo }); err != nil {
		return err
	}
	t.shrinks = t.since()
	if err := t.until(ctx, "the servers are gone", 10*time.Minute, func(p point) bool { return p.InService == least }); err != nil {
		return err
	}
	t.shrunk = t.since()
	return nil
}
