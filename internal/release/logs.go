package release

import (
	"context"
	"fmt"
	"io"

	"aloft.dev/aloft/internal/remote"
)

// LogOptions selects a part of a log.
type LogOptions struct {
	Lines  int  // how many of the last lines; 0: all lines of the journal
	Follow bool // continue with new lines until the context ends
}

// Logs reads the log of an application's processes on a machine and calls line for each
// line, which starts with its time and the process. Logs returns nil when the context
// ends.
func Logs(ctx context.Context, t remote.Target, app string, options LogOptions, line func(string)) error {
	machine, err := remote.Dial(ctx, t)
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	command := fmt.Sprintf("journalctl --no-pager -o short-iso -u %s -u %s",
		remote.Quote(Unit(app)), remote.Quote(processUnit(app, "*")))
	if options.Lines > 0 {
		command += fmt.Sprintf(" -n %d", options.Lines)
	} else {
		command += " -n all"
	}
	if options.Follow {
		// Without a terminal, journalctl notices that its reader is gone only when it
		// writes. The end of standard input stops it at once.
		command = "sh -c " + remote.Quote(command+` -f & follower=$!; trap 'kill $follower' EXIT; cat >/dev/null`)
	}
	hold := func(ctx context.Context, _ io.Writer) error {
		if options.Follow {
			<-ctx.Done()
		}
		return nil
	}
	err = machine.Query(ctx, command, hold, line)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
