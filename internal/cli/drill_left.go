package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/release"
)

// intent is what a command is about to do with a deployment.
type intent int

const (
	looks   intent = iota // status, plan, verify
	mends                 // up, drill: may make servers
	removes               // down
)

// How often a drill, or a release that comes into service, is looked at: the
// local cloud does not mind, and AWS throttles.
const (
	pollLocal = 250 * time.Millisecond
	pollAWS   = 2 * time.Second
)

// drill is the drilling of a deployment.
func (a *app) drill(d *deployment, events event.Sink) *drill.Drill {
	return drill.New(drill.Config{
		App: d.spec.App, Client: d.client, Poll: a.poll(), Events: events, Connect: d.enter,
		Refill: func(ctx context.Context) error {
			_, err := d.Up(ctx)
			return err
		},
	})
}

func (a *app) poll() time.Duration {
	if a.on == "aws" {
		return pollAWS
	}
	return pollLocal
}

// enter opens a way to run scripts on a server.
func (d *deployment) enter(
	ctx context.Context,
	server string,
) (run func(context.Context, string) error, shut func() error, err error) {
	targets, shutDoor, err := d.reach(ctx, server)
	if err != nil {
		return nil, nil, err
	}
	machine, err := release.Dial(ctx, targets[0])
	if err != nil {
		return nil, nil, joined(err, shutDoor())
	}
	run = func(ctx context.Context, script string) error {
		return machine.Run(ctx, script, release.Text(""), func(string) {})
	}
	return run, func() error {
		_ = machine.Close() // the script's own end was told
		return shutDoor()
	}, nil
}

// afterDrill puts back what a drill changed that was killed, before a command
// does its own work. While a drill runs, what only looks says so, and what would
// change something waits for another time.
func (a *app) afterDrill(ctx context.Context, d *deployment, to intent) (err error) {
	tell := newOnce(a.teller)
	defer func() { err = joined(err, tell.Close()) }()
	dr := a.drill(d, tell.Event)
	c, live, err := dr.Pending(ctx)
	if awsapi.IsForbidden(err) && to == looks {
		return nil // who may only look need not read parameters
	}
	if err != nil || c == nil {
		return err
	}
	note := func(text string, args ...any) {
		tell.Event(event.Event{Time: time.Now(), Kind: event.Note, Address: c.At, Message: fmt.Sprintf(text, args...)})
	}
	switch {
	case live && to != looks:
		return c.UnderWay()
	case live:
		note("a drill is under way (%s), by %s", c.Experiment, c.Holder)
		return nil
	case to == looks && c.Experiment == drill.Instance:
		note("a drill was stopped after it terminated this server; aloft up fills its place")
		return nil
	case to == removes && c.Experiment != drill.Zone:
		return dr.Forget(ctx) // the machines go, too
	}
	if _, err := dr.Restore(ctx, false); err != nil {
		return err
	}
	if to != mends {
		return nil
	}
	status, err := d.Status(ctx)
	if err != nil {
		return err
	}
	note("waiting until the servers are healthy again")
	return d.healthyAgain(ctx, status)
}

// healthyAgain waits, for as long as the health checks need, until all servers
// are healthy: up would replace one that is not.
func (d *deployment) healthyAgain(ctx context.Context, s *apply.Status) error {
	h := d.spec.LoadBalancer.Health
	err := awsapi.Wait(
		ctx,
		time.Duration(h.Healthy+1)*h.Interval+h.Timeout,
		"the servers to be healthy",
		func(ctx context.Context) (bool, error) {
			for _, m := range s.Machines {
				if m.State == "running" && m.Health != "healthy" {
					var err error
					s, err = d.Status(ctx)
					return false, err
				}
			}
			return true, nil
		},
	)
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return nil // then up has something to do
	}
	return err
}
