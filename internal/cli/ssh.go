package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/remote"
)

type sshOptions struct {
	*global
	dir     string
	server  string
	command []string // command; empty for a shell

	// lookPath finds the SSH client's program, and runClient runs it.
	lookPath  func(file string) (string, error)
	runClient func(ctx context.Context, stdio Stdio, program string, t remote.Target, command []string) error
}

func newSSHCommand(g *global, run func(context.Context, *sshOptions) error) *cobra.Command {
	o := &sshOptions{global: g, lookPath: exec.LookPath, runClient: runOpenSSH}
	c := &cobra.Command{
		Use:   "ssh [DIR] SERVER [-- COMMAND...]",
		Short: "Open a shell on a server, or run a command there",
		Long: `Uses the system's ssh with the deployment's key pair, or with a new key through its EC2
Instance Connect Endpoint, and the host keys that the server printed on its console. It
reads no ssh_config, so your agent is not forwarded and no host key of yours counts. If
the firewall does not admit this computer, Aloft adds a rule for as long as the connection
lasts. SERVER is a name that aloft status lists, or an instance ID. builder and candidate
are the machines on which a release is made and proven, while they exist. The exit code is
ssh's.`,
		Example: "  aloft ssh server-1\n  aloft ssh ./shop server-2\n  aloft ssh server-1 -- systemctl status",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if dash := c.ArgsLenAtDash(); dash >= 0 {
				args, o.command = args[:dash], args[dash:]
			}
			if o.dir, o.server, err = dirAndServer(args); err != nil {
				return err
			}
			if o.server == "" {
				return diag.List{{
					Where:   "aloft ssh",
					Summary: "no server is named",
					Hint:    "for example: aloft ssh server-1; aloft status lists the servers",
				}}
			}
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	return c
}

func runSSH(ctx context.Context, o *sshOptions) (err error) {
	program, err := o.lookPath("ssh")
	if err != nil {
		return diag.List{{
			Where: "ssh", Summary: "is not installed on this computer", Hint: "install the OpenSSH client", Cause: err,
		}}
	}
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	targets, closeAccess, err := d.sshTargets(ctx, o.server)
	if err != nil {
		return err
	}
	defer func() { err = joinCloseError(err, closeAccess()) }()
	t := targets[0]
	if t.User == "" { // an image with an unknown login user
		machine, err := remote.Dial(ctx, t)
		if err != nil {
			return err
		}
		t.User = machine.User
		if err := machine.Close(); err != nil {
			return fmt.Errorf("find the login user of %s: %w", o.server, err)
		}
	}
	return o.runClient(ctx, o.Stdio, program, t, o.command)
}

// runOpenSSH runs the OpenSSH client. It accepts the target's host keys and no
// others.
func runOpenSSH(ctx context.Context, stdio Stdio, program string, t remote.Target, command []string) error {
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil {
		return fmt.Errorf("parse the address of %s: %w", t.Name, err)
	}
	knownHosts, remove, err := writeKnownHosts(host, t.HostKeys)
	if err != nil {
		return fmt.Errorf("write the host keys of %s: %w", t.Name, err)
	}
	defer remove()
	arguments := sshArguments(t, host, knownHosts, command)
	if t.Way != nil {
		var closeWay func()
		if arguments, closeWay, err = throughWay(ctx, t, host, knownHosts, command); err != nil {
			return err
		}
		defer closeWay()
	}
	client := exec.CommandContext(ctx, program, arguments...)
	client.Cancel = func() error {
		err := client.Process.Signal(syscall.SIGTERM)
		if err == nil || errors.Is(err, os.ErrProcessDone) {
			return err
		}
		return client.Process.Kill() // Windows has no signals
	}
	client.WaitDelay = 5 * time.Second
	client.Stdin, client.Stdout, client.Stderr = stdio.In, stdio.Out, stdio.Err
	err = client.Run()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &failed) && failed.ExitCode() > 0:
		return exit(failed.ExitCode())
	case err != nil:
		return fmt.Errorf("run %s: %w", program, err)
	}
	return nil
}

// sshArguments returns the arguments of OpenSSH that connect to a target and run a command,
// or a shell. No configuration file counts: those of the user and the system could hand a
// server the user's agent, display, ports and variables, take a connection that is open
// to an earlier machine of the same address, or accept other host keys (ssh_config(5):
// ForwardAgent, SendEnv, ControlPath, KnownHostsCommand). Aloft's own connections read none
// either.
func sshArguments(t remote.Target, host, knownHosts string, command []string) []string {
	arguments := append([]string{"-F", "none"}, pathArguments(t.KeyPath, knownHosts)...)
	arguments = append(arguments,
		"-l", t.User, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no",
		"-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=20", "-o", "ForwardAgent=no", host)
	if len(command) > 0 {
		arguments = append(append(arguments, "--"), command...)
	}
	return arguments
}

// pathArguments returns the arguments of OpenSSH that name files. A path may have spaces,
// and a % begins a token (ssh_config(5), "TOKENS"). On Windows, where a backslash would
// escape the next character, OpenSSH reads slashes too.
func pathArguments(key, knownHosts string) []string {
	quoted := func(path string) string {
		return `"` + strings.ReplaceAll(filepath.ToSlash(path), "%", "%%") + `"`
	}
	return []string{"-o", "IdentityFile=" + quoted(key), "-o", "UserKnownHostsFile=" + quoted(knownHosts)}
}

// writeKnownHosts writes a known_hosts file into a folder of its own.
func writeKnownHosts(host string, keys []ssh.PublicKey) (file string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "aloft-ssh-")
	if err != nil {
		return "", nil, err
	}
	var lines strings.Builder
	for _, key := range keys {
		lines.WriteString(host + " " + string(ssh.MarshalAuthorizedKey(key)))
	}
	remove = func() { _ = os.RemoveAll(dir) }
	file = filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		remove()
		return "", nil, err
	}
	return file, remove, nil
}
