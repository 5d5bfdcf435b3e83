package release

import (
	"context"
	"fmt"
	"io"
)

// LogOptions says how much of a log is wanted.
type LogOptions struct {
	Lines  int  // the last so many; 0 for those of the whole journal
	Follow bool // and those to come, until the context ends
}

// Logs gives the application's log on a machine, line by line, with times. The
// end of the context ends it without an error.
func Logs(ctx context.Context, t Target, app string, options LogOptions, line func(string)) error {
	machine, err := Dial(ctx, t)
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	command := "journalctl --no-pager -o short-iso -u " + shellQuote(Unit(app))
	if options.Lines > 0 {
		command += fmt.Sprintf(" -n %d", options.Lines)
	} else {
		command += " -n all"
	}
	if options.Follow {
		// Without a terminal nothing tells journalctl that its reader has gone
		// until it writes; the end of standard input does.
		command = "sh -c " + shellQuote(command+` -f & follower=$!; trap 'kill $follower' EXIT; cat >/dev/null`)
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
