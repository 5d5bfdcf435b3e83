package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/cloud/plane/balancer/process"
	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// part is the first argument with which the daemon runs this program again as
// one of its parts. It is not a command for people.
const part = "part"

func partCommand(name string) []string { return []string{"/proc/self/exe", part, name} }

// runPart runs a part of the local cloud when the arguments ask for one.
func runPart(args []string) (code int, ok bool) {
	if len(args) < 2 || args[0] != part {
		return 0, false
	}
	switch args[1] {
	case "machine":
		return machine.RunLauncher(args[2:]), true
	case "balancer":
		return process.Run(context.Background(), args[2:], os.Stdout, os.Stderr), true
	}
	return ExitError, true
}

// runDaemon is the local cloud in the foreground. SIGHUP ends the daemon alone;
// Ctrl-C and SIGTERM, which end ctx, stop machines and networks too.
func (a *app) runDaemon(ctx context.Context, o startOptions) error {
	config, err := a.config(o)
	if err != nil {
		return err
	}
	if err := cloud.Preflight(config).Err(); err != nil {
		return err
	}
	config.Log = slog.New(slog.NewTextHandler(a.Err, nil))
	if o.anyCredentials {
		config.Log.Warn(
			"DANGER: requests are obeyed whatever their signature; every user of this host can start machines as root",
		)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	leave := make(chan os.Signal, 1)
	signal.Notify(leave, syscall.SIGHUP)
	defer signal.Stop(leave)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-leave:
			cancel(cloud.ErrLeave)
		case <-ctx.Done():
		}
	}()
	err = cloud.Run(ctx, config)
	cancel(nil)
	<-done
	return err
}
