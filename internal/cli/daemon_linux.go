package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/diag"
)

// runDaemon runs the local cloud in the foreground. SIGHUP ends the daemon alone;
// Ctrl-C and SIGTERM, which cancel ctx, stop machines and networks too.
func (g *global) runDaemon(ctx context.Context, o startOptions) error {
	config, err := g.daemonConfig(o)
	if err != nil {
		return err
	}
	if err := host.Preflight(config.Layout, config.Address).Err(); err != nil {
		return err
	}
	if err := recordManners(config.Layout, o.manners); err != nil {
		return err
	}
	config.Log = slog.New(slog.NewTextHandler(host.BoundLog(config.Layout, g.Err), nil))
	config.Output = os.Stderr
	if o.anyCredentials {
		config.Log.Warn("DANGER: any signature is accepted; every user of this host can start machines as root")
	}
	// Files of machines and images get the modes that their systems expect, whatever the umask
	// of the user who starts the local cloud. Nothing relies on it for secrecy.
	syscall.Umask(0o022)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	leave := make(chan os.Signal, 1)
	signal.Notify(leave, syscall.SIGHUP)
	defer signal.Stop(leave)
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, host.MannersSignal)
	defer signal.Stop(changed)
	config.MannersChanged = changed
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

// spawnPoll is how often spawnDaemon checks whether the daemon serves.
const spawnPoll = 20 * time.Millisecond

// spawnDaemon starts this program again as the daemon, in a session of its own,
// and waits until it serves or has ended.
func (g *global) spawnDaemon(ctx context.Context, config cloud.Config, o startOptions) (host.Daemon, error) {
	if err := os.MkdirAll(config.Layout.StateDir, 0o700); err != nil {
		return host.Daemon{}, fmt.Errorf("create the state folder: %w", err)
	}
	log, err := os.OpenFile(config.Layout.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return host.Daemon{}, fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = log.Close() }()
	logged, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return host.Daemon{}, fmt.Errorf("open the log: %w", err)
	}
	args := []string{"local", "start", "--foreground", "--state-dir", config.Layout.StateDir, "--address", o.address}
	if o.anyCredentials {
		args = append(args, "--accept-any-credentials")
	}
	if o.anyImage {
		args = append(args, "--"+anyImageFlag)
	}
	for _, mirror := range o.mirrors {
		args = append(args, "--mirror", mirror)
	}
	args = append(append(args, o.reach.arguments()...), o.bandwidth.arguments()...)
	daemon := exec.Command("/proc/self/exe", args...)
	daemon.Stdout, daemon.Stderr = log, log
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := daemon.Start(); err != nil {
		return host.Daemon{}, fmt.Errorf("start the daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	tick := time.NewTicker(spawnPoll)
	defer tick.Stop()
	for {
		if d, err := host.FindDaemon(ctx, config.Layout); err == nil && d.PID == daemon.Process.Pid {
			return d, nil
		}
		select {
		case _ = <-ended:
			return host.Daemon{}, diag.List{{
				Where:   "local cloud",
				Summary: "ended while starting",
				Detail:  readFrom(config.Layout.Log(), logged),
				Hint:    "aloft local logs prints the whole log",
			}}
		case <-ctx.Done():
			_ = daemon.Process.Signal(syscall.SIGTERM)
			_ = <-ended
			return host.Daemon{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// readFrom returns what a file holds after an offset, but at most its last 4 KiB.
func readFrom(path string, offset int64) string {
	const limit = 4096
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size()-offset > limit {
		offset = info.Size() - limit
	}
	data, err := io.ReadAll(io.NewSectionReader(f, offset, limit))
	if err != nil {
		return ""
	}
	return string(data)
}
