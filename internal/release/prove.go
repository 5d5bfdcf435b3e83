package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/proof"
	"aloft.dev/aloft/internal/remote"
)

const (
	startTimeout = 60 * time.Second // until the application answers after its start
	examineLines = 6                // of the application's log that Examine returns
	proofLines   = 15               // of the log that a failed proof shows
)

// Prove checks that the application serves on a machine of a release's image before the
// machine gets traffic: the release's command succeeds, the application passes the load
// balancer's health check, and keeps passing it without a restart for as long as the
// spec's release.watch. Errors are diagnostics, except when the context ends.
func (b *Builder) Prove(ctx context.Context, t remote.Target, sink event.Sink) error {
	return b.on(ctx, t, sink, func(m *machine) error { return b.start(ctx, m, b.Spec.Release.Watch) })
}

// start runs the release's command, starts the application's processes and checks that
// they work.
func (b *Builder) start(ctx context.Context, m *machine, watch time.Duration) error {
	steps := b.releaseCommand()
	steps = append(steps, step{
		number: "16", name: "start " + b.Source.Project.Start, script: b.variables() + join("units", "start"),
	})
	for _, s := range steps {
		if err := m.track(s, func() error { return m.run(ctx, s) }); err != nil {
			return err
		}
	}
	proving := step{number: "16", name: "prove that it answers"}
	if watch > 0 {
		proving = step{number: "19", name: fmt.Sprintf("prove that it answers, and keeps answering for %s", watch)}
	}
	return m.track(proving, func() error { return b.prove(ctx, m, proving, watch) })
}

// releaseCommand returns the step that runs the release's command, if there is one. On
// one machine it succeeds once for each release.
func (b *Builder) releaseCommand() []step {
	command := b.Source.Project.Release
	if command == "" {
		return nil
	}
	words := []string{"set", "--"}
	env := b.Source.Project.Env
	for _, name := range slices.Sorted(maps.Keys(env)) {
		words = append(words, "--setenv", remote.Quote(name+"="+env[name]))
	}
	words = append(words, "--setenv", fmt.Sprintf("PORT=%d", b.Spec.Port))
	script := fmt.Sprintf("%s%s\ncommand=%s\nfolder=%s\npath=%s\nsource=%s\n%s",
		b.variables(), strings.Join(words, " "), remote.Quote(command), remote.Quote(b.folder()),
		remote.Quote(b.path()), remote.Quote(b.releaseOfStage()), join("release"))
	return []step{{number: "16", name: "release: " + command, script: script}}
}

// releaseOfStage identifies the source in a stage: the command runs in each stage that the
// image serves.
func (b *Builder) releaseOfStage() string {
	if b.Spec.Stage == "" {
		return b.Source.Digest
	}
	return b.Source.Digest + " " + b.Spec.App
}

// prove checks the web process, and then that the other processes run.
func (b *Builder) prove(ctx context.Context, m *machine, s step, watch time.Duration) error {
	health := b.Spec.LoadBalancer.Health
	check := proof.Check{
		Unit: Unit(b.Spec.Program()), Port: b.Spec.Port, Path: health.Path, Matcher: health.Matcher,
		Patience: cmp.Or(b.Patience, startTimeout), Watch: watch,
	}
	if b.Source.Project != nil { // it is not read for a restart
		check.Candidates = b.Source.Project.HealthPaths
	}
	err := check.Run(ctx, m, proof.Report{
		Say:  func(text string) { m.say(s, event.Output, text) },
		Note: func(text string) { m.say(s, event.Note, text) },
	})
	failed := Unit(b.Spec.Program())
	if err == nil {
		script := b.variables() + join("units", "running")
		err = m.Query(ctx, "sh -euc "+remote.Quote(script), remote.Text(""), func(unit string) { failed = unit })
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	return b.proofProblem(ctx, m, s, failed, err)
}

// proofProblem adds the log of the unit to the reason why a proof failed.
func (b *Builder) proofProblem(ctx context.Context, m *machine, s step, unit string, err error) error {
	var lines []string
	command := fmt.Sprintf("journalctl -u %s -n %d -o cat --no-pager", remote.Quote(unit), proofLines)
	if err := m.Query(ctx, command, remote.Text(""), func(line string) { lines = append(lines, line) }); err != nil {
		lines = append(lines, "(the log cannot be read: "+err.Error()+")")
	}
	problem := m.problem(s.name, lines, err)
	var reason *diag.Diagnostic
	var exit *remote.ExitError
	switch {
	case errors.As(err, &reason):
		problem.Summary = fmt.Sprintf("%s failed: %s", s.name, reason.Summary)
		if reason.Hint != "" {
			problem.Hint = fmt.Sprintf("%s; aloft ssh %s opens a shell on the machine", reason.Hint, m.target.Label())
		}
	case errors.As(err, &exit):
		problem.Summary = fmt.Sprintf("%s failed: %s does not run", s.name, strings.TrimSuffix(unit, ".service"))
	}
	return problem
}

// Examine returns the state of the application's services on a machine and the last lines
// of their logs.
func Examine(ctx context.Context, t remote.Target, app string) ([]string, error) {
	m, err := remote.Dial(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.Close() }()
	script := fmt.Sprintf("unit=%s\nlines=%d\n", remote.Quote(Unit(app)), examineLines) + join("examine")
	var lines []string
	err = m.Run(ctx, script, remote.Text(""), func(line string) { lines = append(lines, line) })
	return lines, err
}
