//go:build linux

// Package process is the balancer process and its keeper. The keeper is the parent: it
// makes the sockets, keeps them (package keeper), and starts the process again if it ends.
// The balancer process has no privileges. It serves the engine's configuration, status and
// counters on a private control socket, which the keeper has made.
package process

import (
	"context"
	"io"
	"log/slog"
)

// Arguments of this program's roles. Without one it is a new keeper.
const (
	continueArgument = "continue" // a keeper that was another program, with a descriptor of its state
	workerArgument   = "worker"   // the balancer process
)

// Run runs the keeper, or a balancer process for it, and returns the exit code. self is the
// command line that calls Run again with other arguments. The keeper's arguments are
// balancer.Client's. The keeper writes a line to ready once the balancer process serves, and
// returns when it is told to stop (balancer.Client.Stop or SIGTERM) or ctx ends. The program
// that the daemon starts does nothing but call Run.
func Run(ctx context.Context, self, args []string, ready, log io.Writer) int {
	logger := slog.New(slog.NewTextHandler(log, nil))
	var err error
	switch {
	case len(args) == 3:
		err = runKeeper(ctx, newSupervisor(self, args, logger), "", ready)
	case len(args) == 5 && args[0] == continueArgument:
		err = runKeeper(ctx, newSupervisor(self, args[2:], logger), args[1], ready)
	case len(args) == 3+1 && args[0] == workerArgument:
		err = runWorker(ctx, args[1:], logger)
	default:
		logger.Error("wrong arguments of the balancer process", "arguments", args)
		return 2
	}
	if err != nil {
		logger.Error("the balancer process failed", "role", args[0], "error", err)
		return 1
	}
	return 0
}
