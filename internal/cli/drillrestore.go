package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/view"
)

// restoreOnly runs aloft drill --restore.
func (o *drillOptions) restoreOnly(ctx context.Context) (err error) {
	shown := newLazyProgress(o.newProgress)
	defer func() { err = joinCloseError(err, shown.Close()) }()
	d, err := o.openFolder(ctx, o.dir, shown.Event)
	if err != nil {
		return err
	}
	restored, err := o.newDrill(d, shown.Event).Restore(ctx, o.force)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, map[string]any{"app": d.spec.App, "restored": restored})
	}
	text := "There is no change of a drill to restore."
	if restored != nil {
		text = fmt.Sprintf("Restored what the drill changed (%s, %s).", restored.Experiment, restored.At)
	}
	_, _ = fmt.Fprintf(o.Out, "%s %s\n", o.style(o.Out).Good("✓"), text)
	return nil
}

// intent describes what a command is about to do with a deployment.
type intent int

const (
	willRead   intent = iota // status, plan, verify
	willChange               // up, scale, rollback, drill
	willDelete               // down
)

// handleUnfinishedDrill looks for the change of a drill before a command does its own
// work. It undoes the change of a drill that was killed. While a drill runs, it prints
// a note for commands that only read, and returns an error for others.
func (g *global) handleUnfinishedDrill(ctx context.Context, d *deployment, to intent) (err error) {
	shown := newLazyProgress(g.newProgress)
	defer func() { err = joinCloseError(err, shown.Close()) }()
	dr := g.newDrill(d, shown.Event)
	change, live, err := dr.Pending(ctx)
	if err != nil {
		return to.drillProblem(err)
	}
	if change == nil {
		return nil
	}
	note := func(format string, args ...any) {
		shown.Event(event.Event{
			Time: time.Now(), Kind: event.Note, Address: change.At, Message: fmt.Sprintf(format, args...),
		})
	}
	switch {
	case live && to != willRead:
		return change.RunningError()
	case live:
		note("a drill is running (%s), started by %s", change.Experiment, change.Holder)
		return nil
	case to == willRead && change.Experiment.Terminates():
		note("a drill was stopped after it terminated this server; aloft up replaces it")
		return nil
	case to == willDelete && change.Experiment != drill.Zone:
		return dr.Forget(ctx) // the changed machines are deleted too
	}
	_, err = dr.Restore(ctx, false)
	if to == willChange && resource.LacksEndpoint(err) {
		note("it cannot be reached without the endpoint, which aloft up creates; the next command then restores it")
		return nil
	}
	if err != nil || to != willChange {
		return err
	}
	note("waiting until the servers are healthy again")
	return d.waitUntilHealthy(ctx)
}

// drillProblem returns the error of looking for a drill, or nil if the command can do
// without the answer.
func (to intent) drillProblem(err error) error {
	switch {
	case awsapi.IsForbidden(err) && to == willRead:
		return nil // read-only credentials may lack access to parameters
	case awsapi.IsUnsupported(err) && to == willDelete:
		return nil // an endpoint without parameters has no record of a drill
	}
	return err
}

// waitUntilHealthy waits until all servers are healthy, for as long as the health
// checks need: up would replace a server that is unhealthy.
func (d *deployment) waitUntilHealthy(ctx context.Context) error {
	s, err := d.Status(ctx)
	if err != nil {
		return err
	}
	h := d.spec.LoadBalancer.Health
	limit := time.Duration(h.Healthy+1)*h.Interval + h.Timeout
	err = awsapi.Wait(ctx, limit, "the servers to be healthy", func(ctx context.Context) (bool, error) {
		for _, m := range s.Machines {
			if m.State == "running" && m.Health != "healthy" {
				var err error
				s, err = d.Status(ctx)
				return false, err
			}
		}
		return true, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return nil // up replaces the servers that stay unhealthy
	}
	return err
}
