package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

func runLocalStart(ctx context.Context, o *localStartOptions) error {
	if o.foreground {
		return o.runDaemon(ctx, o.start)
	}
	return o.alone(ctx, func() error { return o.startLocal(ctx, o.start) })
}

// startLocal starts a daemon in the background unless one runs, and returns when
// it serves. Call it within alone.
func (g *global) startLocal(ctx context.Context, o startOptions) error {
	config, err := g.daemonConfig(o)
	if err != nil {
		return err
	}
	good := g.style(g.Err).Good("✓")
	running, err := findDaemon(ctx, config.Layout)
	if err == nil {
		if err := g.requireSameVersion(running); err != nil {
			return err
		}
		if err := g.changeManners(ctx, running, config.Layout, o.manners); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(g.Err, "%s The local cloud runs already, at http://%s.\n", good, running.Address)
		g.noteManners(config.Layout)
		return g.printDaemon(running)
	}
	if !errors.Is(err, host.ErrNotRunning) {
		return err
	}
	if err := g.clearAbandoned(ctx, config.Layout); err != nil {
		return err
	}
	if err := host.Preflight(config.Layout, config.Address).Err(); err != nil {
		return err
	}
	if err := recordManners(config.Layout, o.manners); err != nil {
		return err
	}
	if !o.restart {
		_, _ = fmt.Fprintf(g.Err, "Starting the local cloud (state in %s)…\n", config.Layout.StateDir)
	}
	running, err = g.spawnDaemon(ctx, config, o)
	if err != nil {
		return err
	}
	if o.restart {
		_, _ = fmt.Fprintf(g.Err,
			"%s The local cloud now runs version %s, at http://%s (pid %d); machines and traffic ran on.\n",
			good, running.Version, running.Address, running.PID)
		g.noteManners(config.Layout)
		return g.printDaemon(running)
	}
	_, _ = fmt.Fprintf(g.Err, "%s The local cloud runs at http://%s (pid %d).\n", good, running.Address, running.PID)
	g.noteManners(config.Layout)
	if config.Layout.Simulated {
		g.printAfterSimulatedStart()
		return g.printDaemon(running)
	}
	g.noteProxy(config)
	g.printAfterStart()
	return g.printDaemon(running)
}

func (g *global) printAfterStart() {
	style := g.style(g.Err)
	env := fmt.Sprintf(`eval "$(%s)"`, g.nextCommand("aloft local env", "."))
	_, _ = fmt.Fprintf(g.Err, "  Next: %s, or %s for any other AWS client.\n",
		style.Name(g.nextCommand("aloft up", ".")), style.Name(env))
}

// simulatedNote says what a simulated cloud is not.
const simulatedNote = "It is simulated: no machine runs, no traffic is carried, and nothing is kept when it stops."

func (g *global) printAfterSimulatedStart() {
	env := fmt.Sprintf(`eval "$(%s)"`, g.nextCommand("aloft local env", "."))
	_, _ = fmt.Fprintf(g.Err, "  %s\n  Next: %s, for any AWS client.\n", simulatedNote, g.style(g.Err).Name(env))
}

// printDaemon prints a daemon for --json.
func (g *global) printDaemon(d host.Daemon) error {
	if !g.json {
		return nil
	}
	return view.JSON(g.Out, d)
}

// clearAbandoned removes what other local clouds left in the kernel when all of
// their processes were killed. It would keep this one from starting.
func (g *global) clearAbandoned(ctx context.Context, layout host.Layout) error {
	if layout.Simulated || os.Geteuid() != 0 {
		return nil // Preflight reports that the local cloud needs root
	}
	cleared, err := host.RemoveAbandoned(ctx, layout)
	for _, p := range cleared {
		_, _ = fmt.Fprintf(g.Err,
			"Removed the networks that a killed local cloud had left; its state in %s is kept.\n", p.StateDir)
	}
	return err
}

// requireSameVersion returns an error if the daemon's version is not this
// program's.
func (g *global) requireSameVersion(d host.Daemon) error {
	if d.Version == g.version {
		return nil
	}
	return diag.List{{
		Where:   "local cloud (pid " + fmt.Sprint(d.PID) + ")",
		Summary: fmt.Sprintf("runs version %s, this aloft is %s", d.Version, g.version),
		Hint:    "sudo aloft local restart: machines and their traffic are not interrupted",
	}}
}

// daemonConfig returns the configuration of a daemon for these flags and this
// environment.
func (g *global) daemonConfig(o startOptions) (cloud.Config, error) {
	layout, err := g.startLayout(o)
	if err != nil {
		return cloud.Config{}, err
	}
	if at, err := netip.ParseAddrPort(o.address); err != nil || !at.Addr().IsLoopback() {
		return cloud.Config{}, diag.List{{
			Where:   "--address " + o.address,
			Summary: "is not a loopback address with a port",
			Hint: "the local cloud starts machines as root, so only this computer may reach it: " +
				"for example --address 127.0.0.1:4600",
		}}
	}
	mirrors, err := image.ParseMirrors(o.mirrors)
	if err != nil {
		return cloud.Config{}, diag.List{{
			Where:   "--mirror",
			Summary: err.Error(),
			Hint:    "for example --mirror debian=http://mirror.example/debian",
			Cause:   err,
		}}
	}
	reach, err := o.reach.change()
	if err != nil {
		return cloud.Config{}, err
	}
	limits, err := o.bandwidth.change()
	if err != nil {
		return cloud.Config{}, err
	}
	return cloud.Config{
		Mirrors: mirrors, Reach: reach, Bandwidth: limits, Registries: registries(mirrorsOfHost()),
		Layout: layout, Address: o.address, Version: g.version, AcceptAnyCredentials: o.anyCredentials,
		AnyImage: o.anyImage,
		HostEnv:  machineEnv(os.LookupEnv), Subprocess: subprocessCommand,
	}, nil
}

// startLayout returns the layout of the local cloud to start.
func (g *global) startLayout(o startOptions) (layout host.Layout, err error) {
	if o.simulated {
		layout, err = host.MarkSimulated(g.stateDir)
	} else {
		layout, err = g.layout()
	}
	if err == nil && o.anyImage && !layout.Simulated {
		return layout, diag.List{{
			Where:   "--" + anyImageFlag,
			Summary: "is for simulated local clouds: machines start from images that exist",
			Hint:    "add --simulated",
		}}
	}
	return layout, err
}

// machineEnvNames are the variables of the host that machines inherit, so that
// apt, npm, git and curl work there as they do here.
var machineEnvNames = []string{
	"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE",
}

func machineEnv(lookup func(string) (string, bool)) map[string]string {
	env := map[string]string{}
	for _, name := range machineEnvNames {
		if value, ok := lookup(name); ok {
			env[name] = value
		}
	}
	return env
}
