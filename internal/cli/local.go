package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

func (a *app) localCommand() *cobra.Command {
	local := &cobra.Command{
		Use:   "local",
		Short: "The AWS that Aloft runs on this machine",
		Long: `The local cloud serves the AWS APIs on this machine and runs real machines, networks,
firewalls and load balancers for them. Whatever speaks AWS can drive it.`,
		Example: `  sudo aloft local start
  eval "$(sudo aloft local env)"; aws ec2 describe-vpcs
  sudo aloft local stop`,
	}
	var address string
	var foreground, anyCredentials bool
	start := &cobra.Command{
		Use:     "start",
		Short:   "Start the local cloud; what ran when it was stopped runs again",
		Example: "  sudo aloft local start\n  sudo aloft local start --state-dir /tmp/other --address 127.0.0.1:4600",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o := startOptions{address: address, anyCredentials: anyCredentials}
			if foreground {
				return a.runDaemon(c.Context(), o)
			}
			return a.startLocal(c.Context(), o)
		},
	}
	start.Flags().StringVar(&address, "address", cloud.DefaultAddress, "loopback address and port to serve on")
	start.Flags().BoolVar(&foreground, "foreground", false, "stay in the foreground and log to standard error")
	start.Flags().
		BoolVar(&anyCredentials, "accept-any-credentials", false, "DANGEROUS: obey requests whatever their signature; for test suites alone")
	var timeout time.Duration
	stop := &cobra.Command{
		Use:     "stop",
		Short:   "Stop the local cloud with its machines; everything is kept for the next start",
		Example: "  sudo aloft local stop\n  sudo aloft local stop --timeout 30s",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.stopLocal(c.Context(), timeout) },
	}
	stop.Flags().DurationVar(&timeout, "timeout", 2*time.Minute, "how long to wait for the machines to shut down")
	var images bool
	reset := &cobra.Command{
		Use:     "reset",
		Short:   "Stop the local cloud and delete everything in it; the base images are kept",
		Example: "  sudo aloft local reset\n  sudo aloft local reset --images --yes",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.resetLocal(c.Context(), images) },
	}
	reset.Flags().BoolVar(&images, "images", false, "delete the base images too")
	var follow bool
	logs := &cobra.Command{
		Use:     "logs",
		Short:   "Print the local cloud's log",
		Example: "  sudo aloft local logs\n  sudo aloft local logs --follow",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.localLogs(c.Context(), follow) },
	}
	logs.Flags().BoolVarP(&follow, "follow", "f", false, "go on printing what is added")
	local.AddCommand(
		start,
		stop,
		reset,
		logs,
		&cobra.Command{
			Use:     "restart",
			Short:   "Start the daemon anew, with machines and traffic untouched: for a new version of aloft",
			Args:    cobra.NoArgs,
			Example: "  sudo aloft local restart",
			RunE:    func(c *cobra.Command, _ []string) error { return a.restartLocal(c.Context()) },
		},
		&cobra.Command{
			Use:     "status",
			Short:   "Tell whether the local cloud runs and what is in it",
			Args:    cobra.NoArgs,
			Example: "  sudo aloft local status",
			RunE:    func(c *cobra.Command, _ []string) error { return a.localStatus(c.Context()) },
		},
		&cobra.Command{
			Use:     "env",
			Short:   "Print shell exports with which any AWS client uses the local cloud",
			Args:    cobra.NoArgs,
			Example: `  eval "$(sudo aloft local env)"`,
			RunE:    func(*cobra.Command, []string) error { return a.localEnv() },
		},
	)
	return local
}

type startOptions struct {
	address        string
	anyCredentials bool
	restart        bool // machines run on from the daemon before
}

func (a *app) place() (cloud.Place, error) { return cloud.PlaceAt(a.stateDir) }

// config is the local cloud as this command line and environment want it.
func (a *app) config(o startOptions) (cloud.Config, error) {
	place, err := a.place()
	if err != nil {
		return cloud.Config{}, err
	}
	if at, err := netip.ParseAddrPort(o.address); err != nil || !at.Addr().IsLoopback() {
		return cloud.Config{}, diag.List{
			{
				Where:   "--address " + o.address,
				Summary: "is not a loopback address with a port",
				Hint:    "the local cloud starts machines as root, so only this machine may reach it: for example --address 127.0.0.1:4600",
			},
		}
	}
	return cloud.Config{
		Place: place, Address: o.address, Version: a.version, AcceptAnyCredentials: o.anyCredentials,
		HostEnv: hostEnv(os.LookupEnv), Part: partCommand,
	}, nil
}

// hostEnvNames are the settings of the host that machines inherit, so that apt,
// npm, git and curl work in them as they do here.
var hostEnvNames = []string{
	"http_proxy",
	"https_proxy",
	"no_proxy",
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"NO_PROXY",
	"SSL_CERT_FILE",
}

func hostEnv(lookup func(string) (string, bool)) map[string]string {
	env := map[string]string{}
	for _, name := range hostEnvNames {
		if value, ok := lookup(name); ok {
			env[name] = value
		}
	}
	return env
}

// startLocal starts a daemon in the background unless one runs, and returns when
// it answers.
func (a *app) startLocal(ctx context.Context, o startOptions) error {
	config, err := a.config(o)
	if err != nil {
		return err
	}
	style := a.style(a.Err)
	running, err := find(config.Place)
	if err == nil {
		if err := a.sameVersion(running); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(a.Err, "%s The local cloud runs already, at http://%s.\n", style.Good("✓"), running.Address)
		return a.startResult(running)
	}
	if !errors.Is(err, cloud.ErrNotRunning) {
		return err
	}
	if err := a.clearAbandoned(ctx, config.Place); err != nil {
		return err
	}
	if err := cloud.Preflight(config).Err(); err != nil {
		return err
	}
	if !o.restart {
		_, _ = fmt.Fprintf(a.Err, "Starting the local cloud (state in %s)…\n", config.Place.State)
	}
	running, err = a.spawn(ctx, config, o)
	if err != nil {
		return err
	}
	if o.restart {
		_, _ = fmt.Fprintf(
			a.Err,
			"%s The local cloud runs version %s now, at http://%s (pid %d); machines and traffic ran on.\n",
			style.Good("✓"),
			running.Version,
			running.Address,
			running.PID,
		)
		return a.startResult(running)
	}
	_, _ = fmt.Fprintf(
		a.Err,
		"%s The local cloud runs at http://%s (pid %d).\n",
		style.Good("✓"),
		running.Address,
		running.PID,
	)
	_, _ = fmt.Fprintf(
		a.Err,
		"  Next: %s, or %s for any other AWS client.\n",
		style.Name(a.sudo()+"aloft up"+a.again()),
		style.Name(`eval "$(`+a.sudo()+"aloft local env"+a.again()+`)"`),
	)
	return a.startResult(running)
}

// clearAbandoned makes way where another local cloud was killed with all of its
// processes: what it left in the kernel would keep every other from starting.
func (a *app) clearAbandoned(ctx context.Context, place cloud.Place) error {
	if os.Geteuid() != 0 {
		return nil // that it needs root is told next
	}
	cleared, err := cloud.ClearAbandoned(ctx, place)
	for _, p := range cleared {
		_, _ = fmt.Fprintf(
			a.Err,
			"Cleared the networks that a local cloud left when it was killed; its state in %s is kept.\n",
			p.State,
		)
	}
	return err
}

func (a *app) startResult(d cloud.Daemon) error {
	if !a.json {
		return nil
	}
	return view.JSON(a.Out, d)
}

func (a *app) sameVersion(d cloud.Daemon) error {
	if d.Version == a.version {
		return nil
	}
	return diag.List{
		{
			Where:   "local cloud (pid " + fmt.Sprint(d.PID) + ")",
			Summary: fmt.Sprintf("runs version %s, this aloft is %s", d.Version, a.version),
			Hint:    "sudo aloft local restart: machines and their traffic run on meanwhile",
		},
	}
}

// spawn starts this program again as the daemon, in a session of its own, and
// waits until it has written itself down or ended.
func (a *app) spawn(ctx context.Context, config cloud.Config, o startOptions) (cloud.Daemon, error) {
	if err := os.MkdirAll(config.Place.State, 0o700); err != nil {
		return cloud.Daemon{}, fmt.Errorf("create the state folder: %w", err)
	}
	log, err := os.OpenFile(config.Place.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return cloud.Daemon{}, fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = log.Close() }()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return cloud.Daemon{}, fmt.Errorf("open the log: %w", err)
	}
	args := []string{"local", "start", "--foreground", "--state-dir", config.Place.State, "--address", o.address}
	if o.anyCredentials {
		args = append(args, "--accept-any-credentials")
	}
	daemon := exec.Command("/proc/self/exe", args...)
	daemon.Stdout, daemon.Stderr = log, log
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := daemon.Start(); err != nil {
		return cloud.Daemon{}, fmt.Errorf("start the daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if d, err := cloud.FindDaemon(config.Place); err == nil && d.PID == daemon.Process.Pid {
			return d, nil
		}
		select {
		case _ = <-ended:
			return cloud.Daemon{}, diag.List{
				{
					Where:   "local cloud",
					Summary: "ended while starting",
					Detail:  tailFrom(config.Place.Log(), from),
					Hint:    "the whole log: aloft local logs",
				},
			}
		case <-ctx.Done():
			_ = daemon.Process.Signal(syscall.SIGTERM)
			_ = <-ended
			return cloud.Daemon{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// tailFrom gives what was added to a file after an offset, its last 4 KiB.
func tailFrom(path string, offset int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size()-offset > 4096 {
		offset = info.Size() - 4096
	}
	data, err := io.ReadAll(io.NewSectionReader(f, offset, 4096))
	if err != nil {
		return ""
	}
	return string(data)
}
