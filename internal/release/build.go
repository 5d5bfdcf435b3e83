// Package release turns a machine into a server of an application: it names the release
// by its content, installs the application over SSH, and proves that it answers (steps 10
// to 17 of the manual process).
package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/source"
	"aloft.dev/aloft/internal/spec"
)

// tailLines is how many lines of a failed step's output an error shows.
const tailLines = 20

// Builder builds the release of an application from one state of its source.
type Builder struct {
	Spec      *spec.Spec
	Source    source.Source
	Toolchain Toolchain
	Mirrors   Mirrors
	Patience  time.Duration // until the application's first answer; 0: startTimeout
}

// machine is a machine that a Builder works on.
type machine struct {
	*remote.Machine
	target       remote.Target
	sink         event.Sink
	architecture string // "amd64" or "arm64"
	arguments    string // shell command that sets the scripts' arguments
}

// Build installs the application on a machine of the base image, runs the release's
// command, starts the application and checks that it answers (steps 10 to 16). Each step
// and each line of its output is an event of the machine. Build may be repeated, also on
// a machine on which an earlier run was interrupted. When the context ends, Build stops
// what runs on the machine. Other errors are diagnostics.
func (b *Builder) Build(ctx context.Context, t remote.Target, sink event.Sink) error {
	return b.on(ctx, t, sink, func(m *machine) error {
		for _, note := range b.Source.Project.Notes {
			m.say(step{}, event.Note, note)
		}
		for _, s := range b.recipe() {
			if err := m.track(s, func() error { return m.run(ctx, s) }); err != nil {
				return err
			}
		}
		if err := b.start(ctx, m, 0); err != nil {
			return err
		}
		seal := b.seal()
		return m.track(seal, func() error { return m.run(ctx, seal) })
	})
}

// on connects to a machine and works on it.
func (b *Builder) on(ctx context.Context, t remote.Target, sink event.Sink, work func(*machine) error) (err error) {
	m := &machine{target: t, sink: sink, arguments: b.Mirrors.arguments()}
	connecting := step{number: "10", name: "connect over SSH"}
	if err := m.track(connecting, func() (err error) {
		m.Machine, err = remote.Dial(ctx, t)
		return err
	}); err != nil {
		return err
	}
	defer func() { _ = m.Close() }()
	if err := m.Query(ctx, "uname -m", remote.Text(""), func(line string) {
		m.architecture = architectures[line]
	}); err != nil {
		return m.problem("find the machine's architecture", nil, err)
	}
	stop, err := b.forwardMirrors(ctx, m.Machine)
	if err != nil {
		return m.problem("make the mirrors on this computer reachable", nil, err)
	}
	defer stop()
	return work(m)
}

// architectures are Go's names of machines' (uname(1)).
var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

// track runs work as a step of the machine and reports its start and end.
func (m *machine) track(s step, work func() error) error {
	e := event.Event{Address: m.target.Label(), Step: s.number, Message: s.name}
	return m.sink.Track(e, summary, work)
}

// summary returns an error in one line.
func summary(err error) string {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d.Summary
	}
	return err.Error()
}

// say reports a line of a step's output.
func (m *machine) say(s step, kind event.Kind, text string) {
	m.sink(event.Event{
		Time: time.Now(), Kind: kind, Address: m.target.Label(), Step: s.number, Message: text,
	})
}

// run runs one step.
func (m *machine) run(ctx context.Context, s step) error {
	if s.check != nil {
		return s.check(ctx, m)
	}
	var output []string
	starved := false
	line := func(text string) {
		starved = starved || s.builds && saysOutOfMemory(text)
		output = append(output[max(0, len(output)-tailLines+1):], text)
		m.say(s, event.Output, text)
	}
	input, variables := remote.Text(s.input), ""
	if s.ship != nil {
		var err error
		if input, variables, err = s.ship(ctx, m); err != nil {
			return err
		}
	}
	err := m.Run(ctx, m.arguments+variables+s.script, input, line)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %s: %w", m.target.Label(), s.name, context.Cause(ctx))
	}
	problem := m.problem(s.name, output, err)
	if starved {
		problem.Hint = "the build ran out of memory: name a machine with more of it in aloft.yaml, for example " +
			"machines: {builder: t3.medium}; then run aloft up again"
	}
	return problem
}

// saysOutOfMemory reports whether a line of a build says that memory was lacking: one of
// command.sh, of V8, whose heap grows with the machine's memory, or of the C library.
func saysOutOfMemory(line string) bool {
	return strings.HasPrefix(line, "out of memory: ") ||
		strings.Contains(line, "JavaScript heap out of memory") || strings.Contains(line, "Cannot allocate memory")
}

// problem describes why a step failed.
func (m *machine) problem(step string, output []string, err error) *diag.Diagnostic {
	d := &diag.Diagnostic{
		Where:   m.target.Label(),
		Summary: fmt.Sprintf("%s failed (%v)", step, err),
		Detail:  strings.Join(output, "\n"),
		Cause:   err,
		Hint: fmt.Sprintf("fix it and run aloft up again, which continues from here; "+
			"aloft ssh %s opens a shell on the machine", m.target.Label()),
	}
	if errors.Is(err, source.ErrChanged) {
		d.Summary = step + " failed: files changed in the meantime"
		d.Hint = "run aloft up again when nothing writes there"
	}
	return d
}

// sendFile returns an input that copies a file, and reports how far it is.
func (m *machine) sendFile(s step, path string) remote.Input {
	return func(_ context.Context, to io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open an archive: %w", err)
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("open an archive: %w", err)
		}
		sent := &meter{to: to, began: time.Now(), say: func(bytes int64, rate float64) {
			m.say(s, event.Progress, fmt.Sprintf("%s: sent %d of %d MB, %.1f MB/s",
				s.name, bytes/1e6, info.Size()/1e6, rate/1e6))
		}}
		_, err = io.Copy(sent, f)
		return err
	}
}

// meter is a writer that reports about every second how much it has written.
type meter struct {
	to    io.Writer
	say   func(bytes int64, bytesPerSecond float64)
	began time.Time

	bytes int64
	said  time.Duration // since began
}

// Write writes and reports.
func (w *meter) Write(data []byte) (int, error) {
	n, err := w.to.Write(data)
	w.bytes += int64(n)
	if passed := time.Since(w.began); passed-w.said >= time.Second {
		w.said = passed
		w.say(w.bytes, float64(w.bytes)/passed.Seconds())
	}
	return n, err
}
