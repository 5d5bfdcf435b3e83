package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
)

// tailLines is how much of a failed step's output is shown.
const tailLines = 20

// Build installs the application on a machine of the base image, starts it and
// proves that it answers there (steps 10 to 16). Each step and each line of its
// output is an event of the machine. It can be run again at any time, on a
// machine at which an earlier run was cut off too. When the context ends, what
// runs on the machine is stopped. Other errors are diagnostics.
func Build(ctx context.Context, t Target, s *spec.Spec, source Source, sink event.Sink) error {
	machine, err := connect(ctx, t, sink)
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	for _, step := range Recipe(s, source) {
		if err := told(sink, t, step, func() error { return machine.perform(ctx, t, step, source, sink) }); err != nil {
			return err
		}
	}
	return nil
}

// told does a step and tells when it begins and how it ends.
func told(sink event.Sink, t Target, step Step, do func() error) error {
	began := time.Now()
	e := event.Event{Time: began, Kind: event.Start, Address: t.name(), Step: step.Number, Message: step.Name}
	sink(e)
	err := do()
	e.Time, e.Kind, e.Elapsed = time.Now(), event.Done, time.Since(began)
	if err != nil {
		e.Kind, e.Message = event.Fail, err.Error()
		var d *diag.Diagnostic
		if errors.As(err, &d) {
			e.Message = d.Summary
		}
	}
	sink(e)
	return err
}

// perform runs one step.
func (m *Machine) perform(ctx context.Context, t Target, step Step, source Source, sink event.Sink) error {
	var output []string
	line := func(text string) {
		output = append(output[max(0, len(output)-tailLines+1):], text)
		sink(event.Event{Time: time.Now(), Kind: event.Output, Address: t.name(), Step: step.Number, Message: text})
	}
	input := Text(step.Input)
	if step.Ships {
		if source.Carried {
			folder, remove, err := carry(ctx, source)
			if err != nil {
				return err
			}
			defer remove()
			source = folder
		}
		input = func(ctx context.Context, to io.Writer) error { return ship(ctx, source, to) }
	}
	err := m.Run(ctx, step.Script, input, line)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %s: %w", t.name(), step.Name, context.Cause(ctx))
	}
	d := &diag.Diagnostic{
		Where:   t.name(),
		Summary: fmt.Sprintf("%s failed (%v)", step.Name, err),
		Detail:  strings.Join(output, "\n"),
		Cause:   err,
		Hint: fmt.Sprintf(
			"mend it and run aloft up again, which goes on from here; aloft ssh %s looks at the machine",
			t.name(),
		),
	}
	if errors.Is(err, errChanged) {
		d.Summary, d.Hint = step.Name+" failed: files in "+source.Path+" changed meanwhile", "run aloft up again when nothing writes there"
	}
	return d
}
