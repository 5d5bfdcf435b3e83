package release

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
)

// Prove checks that the application serves on a machine of a release's image before the
// machine gets traffic: it passes the load balancer's health check, and keeps passing it
// without a restart for as long as the spec's release.watch. Errors are diagnostics,
// except when the context ends.
func Prove(ctx context.Context, t Target, s *spec.Spec, sink event.Sink) error {
	machine, err := connect(ctx, t, sink)
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	step := Step{
		Number: "19", Name: fmt.Sprintf("prove that it answers, and keeps answering for %s", s.Release.Watch),
		Script: variables(s, Source{}) + readScript("begin.sh") + proofVariables(s, s.Release.Watch) +
			joinScripts("prove"),
		Input: proof(), Proof: true,
	}
	return track(sink, t, step, func() error { return machine.runStep(ctx, t, step, Source{}, sink) })
}

// connect dials a machine and reports it as a step.
func connect(ctx context.Context, t Target, sink event.Sink) (machine *Machine, err error) {
	err = track(sink, t, Step{Number: "10", Name: "connect over SSH"}, func() (err error) {
		machine, err = Dial(ctx, t)
		return err
	})
	return machine, err
}

// examineLines is how many lines of the application's log Examine returns.
const examineLines = 6

// Examine returns the state of the application's service on a machine and the last lines
// of its log.
func Examine(ctx context.Context, t Target, app string) ([]string, error) {
	machine, err := Dial(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() { _ = machine.Close() }()
	script := fmt.Sprintf("unit=%s\nlines=%d\n", quoteShell(Unit(app)), examineLines) + joinScripts("examine")
	var lines []string
	err = machine.Run(ctx, script, Text(""), func(line string) { lines = append(lines, line) })
	return lines, err
}
