package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/verify"
	"aloft.dev/aloft/internal/view"
)

func (a *app) upCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "up [DIR]",
		Short: "Bring the application up, or a new release of it: servers in three zones behind a load balancer",
		Long: `Makes the cloud as the application's spec says and proves that it serves. Run again
after it was stopped, it goes on; a server that is broken or gone is replaced; with
nothing to do it changes nothing. The local cloud is started when it does not run.

When the source has changed, that is a release: it is made and proven on machines that
get no requests, then replaces one server after the other, each when its successor is
healthy and it has answered its last request. One that fails, at whatever point, is
taken back by itself, and the exit code is 3.`,
		Example: "  aloft up\n  aloft up ./shop\n  aloft up --ref v1.4.0\n  aloft up --on aws --region eu-west-1 --profile work",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.up(c.Context(), folder(args)) },
	}
	a.refFlag(c)
	return c
}

// refFlag is that of commands that look at the source.
func (a *app) refFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.ref, "ref", "", "branch, tag or commit of a git source, instead of the spec's")
}

func (a *app) up(ctx context.Context, dir string) error {
	began := time.Now()
	// A mistake in the spec is told before anything starts.
	if _, err := a.load(dir); err != nil {
		return err
	}
	d, tell, err := a.openToChange(ctx, dir, true)
	if err != nil {
		return err
	}
	status, err := d.Up(ctx)
	worked := tell.used.Load()
	report := verify.Report{}
	if err == nil && worked {
		report = d.verifyAs(ctx, status, tell.Event)
	}
	if err := tell.end(ctx, err); err != nil {
		return err
	}
	if a.json {
		err = view.JSON(a.Out, status)
	} else {
		a.upResult(dir, status, worked, report.OK(), time.Since(began))
	}
	if err == nil && !report.OK() {
		a.checks(a.Err, verify.Report{URL: report.URL, Checks: report.Failed()})
		return exit(ExitNotVerified)
	}
	return err
}

// verifyAs checks the deployment, as one more step of the run.
func (d *deployment) verifyAs(ctx context.Context, s *apply.Status, events event.Sink) verify.Report {
	e := event.Event{
		Time:    time.Now(),
		Kind:    event.Start,
		Address: "verify",
		Step:    "22",
		Message: "check that every server in every zone serves, and only where it should",
	}
	events(e)
	report := d.verify(ctx, s)
	e.Elapsed, e.Time = time.Since(e.Time), time.Now()
	e.Kind, e.Message = event.Done, fmt.Sprintf("all %d checks hold", len(report.Checks))
	if failed := report.Failed(); len(failed) > 0 {
		names := make([]string, len(failed))
		for i, c := range failed {
			names[i] = c.Name
		}
		e.Kind, e.Message = event.Fail, "do not hold: "+strings.Join(names, ", ")
	}
	events(e)
	return report
}

func (a *app) upResult(dir string, s *apply.Status, worked, verified bool, took time.Duration) {
	style := a.style(a.Out)
	switch {
	case !worked:
		_, _ = fmt.Fprintf(
			a.Out,
			"%s Nothing to do: %s is as its spec says (%s).\n",
			style.Good("✓"),
			s.App,
			view.Duration(took),
		)
	case verified:
		_, _ = fmt.Fprintf(a.Out, "%s %s is up, and verified, in %s.\n", style.Good("✓"), s.App, view.Duration(took))
	default:
		_, _ = fmt.Fprintf(
			a.Out,
			"%s %s stands after %s, but not every check holds.\n",
			style.Bad("✗"),
			s.App,
			view.Duration(took),
		)
	}
	_, _ = fmt.Fprintf(a.Out, "\n  %s\n\n", style.Strong(s.URL))
	a.machines(s)
	flags, sudo := a.again(), a.sudo()
	_, _ = fmt.Fprintf(a.Out, "\nNext:\n")
	rows := [][2]string{{sudo + command("aloft status", dir) + flags, "the servers and their health"}}
	if len(s.Machines) > 0 {
		name := s.Machines[0].Name
		rows = append(rows, [2]string{sudo + command("aloft ssh", dir) + " " + name + flags, "a shell on a server"})
	}
	rows = append(
		rows,
		[2]string{
			sudo + command("aloft up", dir) + flags,
			"again, after you terminate a server: it is replaced, the others serve on",
		},
		[2]string{
			sudo + command("aloft rollback", dir) + flags,
			"back to the release before, after you released another",
		},
		[2]string{sudo + command("aloft down", dir) + flags, "remove everything"},
	)
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	for _, row := range rows {
		_, _ = fmt.Fprintf(a.Out, "  %s%s   %s\n", style.Name(row[0]), strings.Repeat(" ", width-len(row[0])), row[1])
	}
}

// again is the global flags that the next command needs to find the same cloud.
func (a *app) again() string {
	var flags string
	if a.on != "local" {
		flags += " --on " + a.on
	}
	if a.region != "" {
		flags += " --region " + a.region
	}
	if a.profile != "" {
		flags += " --profile " + a.profile
	}
	if a.on == "local" && a.stateDir != cloud.DefaultStateDir {
		flags += " --state-dir " + a.stateDir
	}
	return flags
}

// sudo is what the next command has to begin with: who used sudo for the local
// cloud needs it again.
func (a *app) sudo() string {
	if a.on == "local" && os.Getenv("SUDO_USER") != "" {
		return "sudo "
	}
	return ""
}

// once makes a teller when the first event comes: until then others, such as the
// start of the local cloud, write on the same stream.
type once struct {
	to    func() teller
	begun atomic.Bool // there is a story
	used  atomic.Bool // work was done in it
}

func newOnce(teller func() teller) *once { return &once{to: sync.OnceValue(teller)} }

// Event takes one event. It is an event.Sink.
func (o *once) Event(e event.Event) {
	o.begun.Store(true)
	if e.Kind == event.Start {
		o.used.Store(true)
	}
	o.to().Event(e)
}

// end ends the story of a run, and gives how the run ended: by its own error, by
// that of telling it, or interrupted.
func (o *once) end(ctx context.Context, err error) error {
	return cmp.Or(err, o.Close(), context.Cause(ctx))
}

// Close ends the story.
func (o *once) Close() error {
	if !o.begun.Load() {
		return nil
	}
	return o.to().Close()
}
