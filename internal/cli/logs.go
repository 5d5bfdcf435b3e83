package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/journal"
	"aloft.dev/aloft/internal/release"
	"aloft.dev/aloft/internal/remote"
)

type logsOptions struct {
	*global
	dir    string
	server string // "" for all
	log    release.LogOptions

	// These need logs in the spec.
	since, until, grep, process string

	linesGiven bool

	// read calls line for each line of an application's log on a machine.
	read func(ctx context.Context, t remote.Target, app string, o release.LogOptions, line func(string)) error
}

func newLogsCommand(g *global, run func(context.Context, *logsOptions) error) *cobra.Command {
	o := &logsOptions{global: g, read: release.Logs}
	c := &cobra.Command{
		Use:   "logs [DIR] [SERVER]",
		Short: "Print the application's log, of one server or of all",
		Long: `With logs in aloft.yaml, reads the lines of all servers from CloudWatch Logs, in the
order of their times. Servers that are gone are included; their instance IDs name
them. Otherwise reads the journal of the application's service on each server over
SSH, and without --follow prints one server after the other.`,
		Example: "  aloft logs\n  aloft logs server-2 -n 20\n  aloft logs ./shop --follow\n" +
			"  aloft logs --since 2h --grep timeout --process worker",
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			dir, server, err := dirAndServer(args)
			if err != nil {
				return err
			}
			if o.dir = dir; server != "" {
				o.server = server
			}
			if o.log.Lines < 0 {
				return diag.List{{
					Where: "--lines", Summary: "is not a number of lines", Hint: "give 0 or more; 0 prints all lines",
				}}
			}
			o.linesGiven = c.Flags().Changed("lines")
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	f := c.Flags()
	f.BoolVarP(&o.log.Follow, "follow", "f", false, "keep printing new lines until Ctrl-C")
	f.IntVarP(&o.log.Lines, "lines", "n", 100,
		"how many of the last lines to print, over SSH per server; 0 for all")
	f.StringVar(&o.server, "server", "", "only lines of this server, as SERVER")
	f.StringVar(&o.process, "process", "", "only lines of this process, such as web or worker")
	f.StringVar(&o.since, "since", "", "only lines from this time on: 2h ago, or 2026-11-29T12:00:00Z")
	f.StringVar(&o.until, "until", "", "only lines until this time, as --since")
	f.StringVar(&o.grep, "grep", "", "only lines that contain this text")
	return c
}

// logLine is a line of a server's log in the output of --json.
type logLine struct {
	Server   string     `json:"server"`
	Instance string     `json:"instance,omitempty"`
	Process  string     `json:"process,omitempty"`
	Time     *time.Time `json:"time,omitempty"`
	Line     string     `json:"line"`
}

func runLogs(ctx context.Context, o *logsOptions) (err error) {
	q, err := o.query(time.Now())
	if err != nil {
		return err
	}
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	if d.spec.Logs != nil {
		return o.readJournal(ctx, d, q)
	}
	for flag, value := range map[string]string{
		"--since": o.since, "--until": o.until, "--grep": o.grep, "--process": o.process,
	} {
		if value != "" {
			return diag.List{{
				Where: flag, Summary: "needs logs in aloft.yaml, with which lines are in CloudWatch Logs",
				Hint: "add logs: {retention: 30d} and run aloft up, or leave the flag out",
			}}
		}
	}
	targets, closeAccess, err := d.sshTargets(ctx, o.server)
	if err != nil {
		return err
	}
	defer func() { err = joinCloseError(err, closeAccess()) }()
	group, ctx := errgroup.WithContext(ctx)
	if !o.log.Follow {
		group.SetLimit(1) // one server after the other
	}
	printLine := o.linePrinter(len(targets) > 1)
	for _, t := range targets {
		group.Go(func() error {
			return o.read(ctx, t, d.spec.Program(), o.log, func(text string) {
				printLine(logLine{Server: t.Name, Line: text})
			})
		})
	}
	return group.Wait()
}

// linePrinter returns a function that prints a line of a server's log. It may be
// called concurrently.
func (o *logsOptions) linePrinter(named bool) func(logLine) {
	style := o.style(o.Out)
	encoder := json.NewEncoder(o.Out)
	var mu sync.Mutex
	return func(l logLine) {
		mu.Lock()
		defer mu.Unlock()
		if o.json {
			_ = encoder.Encode(l) // a closed pipe ends the program by its signal
			return
		}
		text := l.Line
		if l.Time != nil {
			text = fmt.Sprintf("%s %s: %s", l.Time.Format("2006-01-02T15:04:05.000Z"), l.Process, text)
		}
		if named {
			text = style.Name(l.Server) + " " + text
		}
		_, _ = fmt.Fprintln(o.Out, text)
	}
}

// query returns what the flags select in CloudWatch Logs, except for the server.
func (o *logsOptions) query(now time.Time) (q journal.Query, err error) {
	q = journal.Query{Process: o.process, Contains: o.grep, Lines: o.log.Lines, Follow: o.log.Follow}
	if q.Since, err = timeOf("--since", o.since, now); err != nil {
		return q, err
	}
	if q.Until, err = timeOf("--until", o.until, now); err != nil {
		return q, err
	}
	switch {
	case !q.Until.IsZero() && q.Follow:
		return q, diag.List{{Where: "--until", Summary: "has no meaning with --follow", Hint: "leave one of them out"}}
	case !q.Until.IsZero() && q.Until.Before(q.Since):
		return q, diag.List{{Where: "--until", Summary: "is before --since", Hint: "exchange them"}}
	case o.since != "" && !o.linesGiven:
		q.Lines = 0
	}
	return q, nil
}

// timeOf reads a time, or how long ago it is. It is zero for "".
func timeOf(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, diag.List{{
		Where: flag, Summary: fmt.Sprintf("%q is not a time", text),
		Hint: "give how long ago, such as 90m or 24h, or a time, such as 2026-11-29T12:00:00Z",
	}}
}
