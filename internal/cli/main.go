// Package cli implements the aloft command line. It is the only package that
// reads flags and the environment, and the only one that uses both the deployer
// and the local cloud.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/view"
)

// Stdio holds the streams of a command: results go to Out, progress and problems
// go to Err.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// errInterrupted is the cause of a context that Ctrl-C canceled.
var errInterrupted = errors.New("interrupted")

// Main runs aloft with the arguments that follow the program's name and returns
// the exit code. version is printed by aloft --version.
func Main(args []string, version string, stdio Stdio) int {
	if code, ok := runSubprocess(args); ok {
		return code
	}
	ctx, cancel := interruptible(context.Background(), stdio.Err)
	defer cancel()

	g := newGlobal(version, stdio)
	root := newRootCommand(g)
	root.SetArgs(args)
	return g.finish(ctx, root.ExecuteContext(ctx))
}

// finish prints the error of a command, if any, and returns the exit code.
func (g *global) finish(ctx context.Context, err error) int {
	var code exit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(context.Cause(ctx), errInterrupted):
		stopped := g.style(g.Err).Warn("Stopped.")
		_, _ = fmt.Fprintf(g.Err, "%s Nothing is lost: the same command continues from here.\n", stopped)
		return ExitInterrupted
	}
	problems, result := awsapi.Explain("", err), ExitError
	var failure *apply.Failure
	if errors.As(err, &failure) {
		result = ExitNotVerified
	}
	problems = g.completeHints(problems)
	if g.json {
		_ = view.ProblemsJSON(g.Out, problems)
		return result
	}
	g.style(g.Err).Problems(g.Err, problems)
	return result
}

// interruptible returns a context that the first Ctrl-C or SIGTERM cancels. The
// second one kills the process, as it does without Aloft.
func interruptible(parent context.Context, stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-signals:
			signal.Stop(signals)
			_, _ = fmt.Fprintln(stderr, "\nStopping after the calls in flight (Ctrl-C again to stop at once)…")
			cancel(errInterrupted)
		case <-ctx.Done():
			signal.Stop(signals)
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}
