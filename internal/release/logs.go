package release

import (
	"context"
	"fmt"
	"io"
)

// LogOptions selects a part of a log.
type LogOptions struct {
	Lines  int  // how many of the last lines; 0: all lines of the journal
	Follow bool // continue with new lines until the context ends
}

// Logs reads the application's log on a machine and calls line for each line, which
// starts with its time. Logs returns nil when the context ends.
func Logs(ctx context.Context, t Target, app string, options LogOptions, line func(string)) error {
	machine, err := Dial(ctx, t)
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	command := "journalctl --no-pager -o short-iso -u " + quoteShell(Unit(app))
	if options.Lines > 0 {
		command += fmt.Sprintf(" -n %d", options.Lines)
	} else {
		command += " -n all"
	}
	if options.Follow {
		// Without a terminal, journalctl notices that its reader is gone only when it
		// writes. The end of standard input stops it at once.
		command = "sh -c " + quoteShell(command+` -f & follower=$!; trap 'kill $follower' EXIT; cat >/dev/null`)
	}
	hold := func(ctx context.Context, _ io.Writer) error {
		if options.Follow {
			<-ctx.Done()
		}
		return nil
	}
	err = machine.run(ctx, machine.sudo+command, "", hold, line)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
