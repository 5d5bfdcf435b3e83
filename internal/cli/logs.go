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
)

func (a *app) logsCommand() *cobra.Command {
	var options release.LogOptions
	c := &cobra.Command{
		Use:     "logs [DIR] [SERVER]",
		Short:   "Print the application's log, of one server or of all",
		Example: "  aloft logs\n  aloft logs server-2 -n 20\n  aloft logs ./shop --follow",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			dir, server, err := dirAndServer(args)
			if err != nil {
				return err
			}
			if options.Lines < 0 {
				return diag.List{{Where: "--lines", Summary: "is a number of lines, 0 for all"}}
			}
			return a.logs(c.Context(), dir, server, options)
		},
	}
	c.Flags().BoolVarP(&options.Follow, "follow", "f", false, "go on with what is logged, until Ctrl-C")
	c.Flags().IntVarP(&options.Lines, "lines", "n", 100, "the last so many lines of each server; 0 for all")
	return c
}

// logLine is a line of a server's log, as --json prints it.
type logLine struct {
	Server string `json:"server"`
	Line   string `json:"line"`
}

func (a *app) logs(ctx context.Context, dir, server string, options release.LogOptions) (err error) {
	d, err := a.open(ctx, dir, false, nil)
	if err != nil {
		return err
	}
	targets, shut, err := d.reach(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = joined(err, shut()) }()
	style := a.style(a.Out)
	lines := json.NewEncoder(a.Out)
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	if !options.Follow {
		group.SetLimit(1) // one server after the other
	}
	for _, t := range targets {
		group.Go(func() error {
			return release.Logs(ctx, t, d.spec.App, options, func(line string) {
				mu.Lock()
				defer mu.Unlock()
				if a.json {
					_ = lines.Encode(
						logLine{Server: t.Name, Line: line},
					) // a reader that has gone ends the command by its signal
					return
				}
				if len(targets) > 1 {
					line = style.Name(t.Name) + " " + line
				}
				_, _ = fmt.Fprintln(a.Out, line)
			})
		})
	}
	return group.Wait()
}
