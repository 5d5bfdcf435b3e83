package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/release"
)

// serverName is how servers are called: those of a fixed number by it, those of a
// scaling group by their zone's letter and the end of their instance's id; and
// all of them by that id.
var serverName = regexp.MustCompile(`^(server-([0-9]+|[a-z]-[0-9a-f]{5})|i-[0-9a-f]{8,17})$`)

// dirAndServer reads [DIR] and a server's name, in any order.
func dirAndServer(args []string) (dir, server string, err error) {
	dir = "."
	for _, arg := range args {
		switch {
		case serverName.MatchString(arg) && server == "":
			server = arg
		case dir == ".":
			dir = arg
		default:
			return "", "", diag.List{
				{
					Where:   arg,
					Summary: "is one argument too many",
					Hint:    "give a folder and a server, such as server-1; a command goes behind --",
				},
			}
		}
	}
	return dir, server, nil
}

func (a *app) sshCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ssh [DIR] SERVER [-- COMMAND...]",
		Short: "Open a shell on a server, or run a command there",
		Long: `Uses the system's ssh, with the key pair of the deployment and the host keys that the
server printed on its console. Where the rules do not let this machine in, one that
does is added for as long as the connection stands. ssh's exit code is passed on.`,
		Example: "  aloft ssh server-1\n  aloft ssh ./shop server-2\n  aloft ssh server-1 -- systemctl status",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			var remote []string
			if dash := c.ArgsLenAtDash(); dash >= 0 {
				args, remote = args[:dash], args[dash:]
			}
			dir, server, err := dirAndServer(args)
			if err != nil {
				return err
			}
			if server == "" {
				return diag.List{
					{
						Where:   "aloft ssh",
						Summary: "no server is named",
						Hint:    "aloft ssh server-1; aloft status lists the servers",
					},
				}
			}
			return a.ssh(c.Context(), dir, server, remote)
		},
	}
}

func (a *app) ssh(ctx context.Context, dir, server string, remote []string) (err error) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		return diag.List{
			{Where: "ssh", Summary: "is not installed on this machine", Hint: "install the OpenSSH client", Cause: err},
		}
	}
	d, err := a.open(ctx, dir, false, nil)
	if err != nil {
		return err
	}
	targets, shut, err := d.reach(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = joined(err, shut()) }()
	t := targets[0]
	if t.User == "" { // an image that tells no user
		machine, err := release.Dial(ctx, t)
		if err != nil {
			return err
		}
		t.User = machine.User
		if err := machine.Close(); err != nil {
			return fmt.Errorf("find who logs in on %s: %w", server, err)
		}
	}
	return a.openSSH(ctx, program, t, remote)
}

// openSSH runs the OpenSSH client, which knows the host keys and no other.
func (a *app) openSSH(ctx context.Context, program string, t release.Target, remote []string) error {
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil {
		return fmt.Errorf("address of %s: %w", t.Name, err)
	}
	known, err := os.MkdirTemp("", "aloft-ssh-")
	if err != nil {
		return fmt.Errorf("keep the host keys of %s: %w", t.Name, err)
	}
	defer func() { _ = os.RemoveAll(known) }()
	var lines strings.Builder
	for _, key := range t.HostKeys {
		lines.WriteString(host + " " + string(ssh.MarshalAuthorizedKey(key)))
	}
	file := filepath.Join(known, "known_hosts")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		return fmt.Errorf("keep the host keys of %s: %w", t.Name, err)
	}
	arguments := []string{
		"-i", t.KeyPath, "-l", t.User, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no",
		"-o", "UserKnownHostsFile=" + file, "-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=20", host,
	}
	if len(remote) > 0 {
		arguments = append(append(arguments, "--"), remote...)
	}
	client := exec.CommandContext(ctx, program, arguments...)
	client.Cancel = func() error { return client.Process.Signal(syscall.SIGTERM) }
	client.WaitDelay = 5 * time.Second
	client.Stdin, client.Stdout, client.Stderr = a.In, a.Out, a.Err
	err = client.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &ended) && ended.ExitCode() > 0:
		return exit(ended.ExitCode())
	case err != nil:
		return fmt.Errorf("run %s: %w", program, err)
	}
	return nil
}

// joined adds what went wrong at the end. It is told even where only an exit code
// was to be passed on.
func joined(err, shut error) error {
	var code exit
	if shut != nil && errors.As(err, &code) {
		return shut
	}
	return errors.Join(err, shut)
}

// reach gives the way to a server, or to all that run when name is "". shut ends
// it: it takes back a rule that was added to the firewall.
func (d *deployment) reach(ctx context.Context, name string) (targets []release.Target, shut func() error, err error) {
	status, err := d.deployed(ctx)
	if err != nil {
		return nil, nil, err
	}
	machines, err := chosen(status, name)
	if err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(d.KeyFile()); err != nil {
		return nil, nil, diag.List{
			{
				Where:   d.KeyFile(),
				Summary: "the private key that opens the servers is not there",
				Detail:  err.Error(),
				Hint:    "run the command as the user, and on the machine, that ran aloft up",
				Cause:   err,
			},
		}
	}
	user, err := d.LoginUser(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range machines {
		keys, err := d.HostKeys(ctx, m)
		if err != nil {
			return nil, nil, err
		}
		targets = append(
			targets,
			release.Target{
				Name:     m.Name,
				Address:  net.JoinHostPort(m.PublicIP, "22"),
				User:     user,
				KeyPath:  d.KeyFile(),
				HostKeys: keys,
			},
		)
	}
	shut, err = d.LetIn(ctx, machines[0])
	return targets, shut, err
}

// chosen are the machines of a name, or all, that run and can be reached.
func chosen(s *apply.Status, name string) ([]apply.Machine, error) {
	var machines []apply.Machine
	var names []string
	for _, m := range s.Machines {
		names = append(names, m.Name+" ("+m.State+")")
		if (name == "" || m.Name == name || m.InstanceID == name) && m.State == "running" && m.PublicIP != "" {
			machines = append(machines, m)
		}
	}
	if len(machines) > 0 {
		return machines, nil
	}
	there := "there are: " + strings.Join(names, ", ")
	switch {
	case len(names) == 0:
		return nil, diag.List{{Where: s.App, Summary: "has no servers yet", Hint: "aloft up makes them"}}
	case name == "":
		return nil, diag.List{
			{
				Where:   s.App,
				Summary: "none of its servers runs",
				Detail:  there,
				Hint:    "aloft up replaces a server that is gone",
			},
		}
	case !slices.ContainsFunc(s.Machines, func(m apply.Machine) bool { return m.Name == name || m.InstanceID == name }):
		return nil, diag.List{
			{Where: name, Summary: "is not a server of " + s.App, Detail: there, Hint: "name one of these"},
		}
	}
	return nil, diag.List{
		{Where: name, Summary: "does not run", Detail: there, Hint: "aloft up replaces a server that is gone"},
	}
}
