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

// tailLines is how many lines of a failed step's output an error shows.
const tailLines = 20

// notePrefix begins a line of a proof's output that people should read although the
// proof succeeded.
const notePrefix = "aloft-note: "

// Build installs the application on a machine of the base image, starts it and checks
// that it answers (steps 10 to 16). Each step and each line of its output is an event
// of the machine. Build may be repeated, also on a machine on which an earlier run was
// interrupted. When the context ends, Build stops what runs on the machine. Other
// errors are diagnostics.
func Build(ctx context.Context, t Target, s *spec.Spec, source Source, sink event.Sink) error {
	machine, err := connect(ctx, t, sink)
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	for _, step := range Recipe(s, source) {
		if err := track(
			sink, t, step, func() error { return machine.runStep(ctx, t, step, source, sink) },
		); err != nil {
			return err
		}
	}
	return nil
}

// track runs work as a step of the machine and reports its start and end.
func track(sink event.Sink, t Target, step Step, work func() error) error {
	e := event.Event{Address: t.name(), Step: step.Number, Message: step.Name}
	return sink.Track(e, summary, work)
}

// summary returns an error in one line.
func summary(err error) string {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d.Summary
	}
	return err.Error()
}

// runStep runs one step.
func (m *Machine) runStep(ctx context.Context, t Target, step Step, source Source, sink event.Sink) error {
	var output []string
	line := func(text string) {
		output = append(output[max(0, len(output)-tailLines+1):], text)
		e := event.Event{Time: time.Now(), Kind: event.Output, Address: t.name(), Step: step.Number, Message: text}
		if note, ok := strings.CutPrefix(text, notePrefix); ok && step.Proof {
			e.Kind, e.Message = event.Note, note
		}
		sink(e)
	}
	input := Text(step.Input)
	if step.Ships {
		if source.ClonedHere {
			folder, remove, err := cloneHere(ctx, source)
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
			"fix it and run aloft up again, which continues from here; aloft ssh %s opens a shell on the machine",
			t.name(),
		),
	}
	if errors.Is(err, errChanged) {
		d.Summary = step.Name + " failed: files in " + source.Path + " changed in the meantime"
		d.Hint = "run aloft up again when nothing writes there"
	}
	return d
}
