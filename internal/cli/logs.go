package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/release"
	"aloft.dev/aloft/internal/remote"
)

type logsOptions struct {
	*global
	dir    string
	server string // "" for all
	log    release.LogOptions

	// read calls line for each line of an application's log on a machine.
	read func(ctx context.Context, t remote.Target, app string, o release.LogOptions, line func(string)) error
}

func newLogsCommand(g *global, run func(context.Context, *logsOptions) error) *cobra.Command {
	o := &logsOptions{global: g, read: release.Logs}
	c := &cobra.Command{
		Use:   "logs [DIR] [SERVER]",
		Short: "Print the application's log, of one server or of all",
		Long: `Reads the journal of the application's service on each server over SSH. Without
--follow it prints one server after the other.`,
		Example: "  aloft logs\n  aloft logs server-2 -n 20\n  aloft logs ./shop --follow",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.dir, o.server, err = dirAndServer(args); err != nil {
				return err
			}
			if o.log.Lines < 0 {
				return diag.List{{
					Where: "--lines", Summary: "is not a number of lines", Hint: "give 0 or more; 0 prints all lines",
				}}
			}
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	c.Flags().BoolVarP(&o.log.Follow, "follow", "f", false, "keep printing new lines until Ctrl-C")
	c.Flags().IntVarP(&o.log.Lines, "lines", "n", 100, "the number of lines to print per server; 0 for all")
	return c
}

// logLine is a line of a server's log in the output of --json.
type logLine struct {
	Server string `json:"server"`
	Line   string `json:"line"`
}

func runLogs(ctx context.Context, o *logsOptions) (err error) {
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
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
			return o.read(ctx, t, d.spec.Program(), o.log, func(line string) { printLine(t.Name, line) })
		})
	}
	return group.Wait()
}

// linePrinter returns a function that prints a line of a server's log. It may be
// called concurrently.
func (o *logsOptions) linePrinter(named bool) func(server, line string) {
	style := o.style(o.Out)
	encoder := json.NewEncoder(o.Out)
	var mu sync.Mutex
	return func(server, line string) {
		mu.Lock()
		defer mu.Unlock()
		if o.json {
			_ = encoder.Encode(logLine{Server: server, Line: line}) // a closed pipe ends the program by its signal
			return
		}
		if named {
			line = style.Name(server) + " " + line
		}
		_, _ = fmt.Fprintln(o.Out, line)
	}
}
