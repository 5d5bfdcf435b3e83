package release

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
)

// Prove proves that the application serves on a machine of a release's image,
// before anybody is sent there: it answers as the load balancer's health check
// wants, and goes on for the time that the spec watches it, without being
// started anew. Errors are diagnostics, but for the end of the context.
func Prove(ctx context.Context, t Target, s *spec.Spec, sink event.Sink) error {
	machine, err := connect(ctx, t, sink)
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	step := Step{
		Number: "19", Name: fmt.Sprintf("prove that it answers, and goes on for %s", s.Release.Watch),
		Script: variables(
			s,
			Source{},
		) + read(
			"begin.sh",
		) + proof(
			s,
			s.Release.Watch,
		) + script(
			"prove",
		), Input: read("prove.js"),
	}
	return told(sink, t, step, func() error { return machine.perform(ctx, t, step, Source{}, sink) })
}

// connect tells of a connection how it comes to be.
func connect(ctx context.Context, t Target, sink event.Sink) (machine *Machine, err error) {
	err = told(sink, t, Step{Number: "10", Name: "connect over SSH"}, func() (err error) {
		machine, err = Dial(ctx, t)
		return err
	})
	return machine, err
}

// examineLines is how much of the application's log is told with its state.
const examineLines = 6

// Examine tells how the application's service is on a machine, and what it said
// last. It waits for the machine no longer than the context lets it.
func Examine(ctx context.Context, t Target, app string) ([]string, error) {
	machine, err := Dial(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() { _ = machine.Close() }()
	script := fmt.Sprintf("unit=%s\nlines=%d\n", shellQuote(Unit(app)), examineLines) + script("examine")
	var lines []string
	err = machine.Run(ctx, script, Text(""), func(line string) { lines = append(lines, line) })
	return lines, err
}
