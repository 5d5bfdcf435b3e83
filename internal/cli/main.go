// Package cli is the command line: the only reader of flags and environment, and
// the only place that sees both the deployer and the local cloud.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

// Exit codes: scripts rely on them.
const (
	ExitOK          = 0   // done, or nothing to do
	ExitError       = 1   // a diagnostic says what is wrong
	ExitChanges     = 2   // plan: there is something to do
	ExitNotVerified = 3   // what was promised does not hold: a check of verify, or a release that failed and was taken back
	ExitOutside     = 4   // drill: requests failed outside the bound
	ExitInterrupted = 130 // stopped by Ctrl-C; running again goes on
)

// Stdio is what a command reads and writes: results go to Out, the story to Err.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// errInterrupted is the cause of a context that ended by Ctrl-C.
var errInterrupted = errors.New("interrupted")

// exit ends a command with a code other than 0 and 1, its story told.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Main runs aloft with the arguments after its name and returns its exit code.
// version is what `aloft --version` prints.
func Main(args []string, version string, stdio Stdio) int {
	if code, ok := runPart(args); ok {
		return code
	}
	ctx, cancel := interruptible(context.Background(), stdio.Err)
	defer cancel()

	a := &app{Stdio: stdio, version: version}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return a.finish(ctx, err)
}

// finish tells what went wrong, if anything, and picks the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	var code exit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(context.Cause(ctx), errInterrupted):
		_, _ = fmt.Fprintln(
			a.Err,
			a.style(a.Err).Warn("Stopped.")+" Nothing is lost: run the same command again and it goes on from here.",
		)
		return ExitInterrupted
	}
	problems, ended := diag.From(err), ExitError
	var failure *apply.Failure
	if errors.As(err, &failure) {
		ended = ExitNotVerified
	}
	if a.json {
		_ = view.ProblemsJSON(a.Out, problems)
		return ended
	}
	a.style(a.Err).Problems(a.Err, problems)
	return ended
}

// interruptible gives a context that the first Ctrl-C ends gently; the second
// ends the process as it would without Aloft's doing.
func interruptible(parent context.Context, told io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-signals:
			signal.Stop(signals)
			_, _ = fmt.Fprintln(told, "\nStopping after the calls under way (Ctrl-C again to stop at once)…")
			cancel(errInterrupted)
		case <-ctx.Done():
			signal.Stop(signals)
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// isTerminal tells whether w is a terminal, and may be drawn on.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
