package cli

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"regexp"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/resource"
)

// serverName matches server-1, the name of a server of a fixed number; server-a-0f3c1,
// which names a member of an Auto Scaling group by the zone's letter and the end of
// the instance ID; the machines on which a release is made; and instance IDs.
var serverName = regexp.MustCompile(`^(server-([0-9]+|[a-z]-[0-9a-f]{5})|builder|candidate|i-[0-9a-f]{8,17})$`)

// dirAndServer parses [DIR] and a server's name, in any order.
func dirAndServer(args []string) (dir, server string, err error) {
	dir = "."
	for _, arg := range args {
		switch {
		case serverName.MatchString(arg) && server == "":
			server = arg
		case dir == ".":
			dir = arg
		default:
			return "", "", diag.List{{
				Where:   arg,
				Summary: "is one argument too many",
				Hint:    "give a folder and a server, such as server-1; a remote command follows --",
			}}
		}
	}
	return dir, server, nil
}

// sshTargets returns how to connect to a server, or to all running ones if name is "".
// It may add a firewall rule for the connection, which closeAccess removes.
func (d *deployment) sshTargets(
	ctx context.Context, name string,
) (targets []remote.Target, closeAccess func() error, err error) {
	status, err := d.deployedStatus(ctx)
	if err != nil {
		return nil, nil, err
	}
	servers, err := reachableServers(status, name)
	if err != nil {
		return nil, nil, err
	}
	// While the way changes, there are servers of both kinds.
	withKey := slices.DeleteFunc(slices.Clone(servers), func(m apply.Machine) bool { return m.Keyless })
	keyless := slices.DeleteFunc(slices.Clone(servers), func(m apply.Machine) bool { return !m.Keyless })
	user, err := d.LoginUser(ctx)
	if err != nil {
		return nil, nil, err
	}
	closeAccess = func() error { return nil }
	if len(keyless) > 0 {
		if targets, err = d.endpointTargets(ctx, keyless); err != nil {
			return nil, nil, err
		}
	}
	if len(withKey) > 0 {
		keyFile, err := d.keyFile(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range withKey {
			targets = append(targets, remote.Target{
				Name: m.Name, Address: net.JoinHostPort(m.PublicIP, "22"), KeyPath: keyFile,
			})
		}
	}
	for i, m := range slices.Concat(keyless, withKey) {
		targets[i].User = user
		if targets[i].HostKeys, err = d.HostKeys(ctx, m); err != nil {
			return nil, nil, err
		}
	}
	if len(withKey) > 0 {
		closeAccess, err = d.AllowSSH(ctx, withKey[0])
	}
	return targets, closeAccess, err
}

// endpointTargets returns how to connect to servers without a key pair, with a key that exists
// in this process only.
func (d *deployment) endpointTargets(ctx context.Context, servers []apply.Machine) ([]remote.Target, error) {
	ways, err := d.WaysTo(ctx, servers)
	if err != nil {
		return nil, err
	}
	signer, key, err := resource.NewSigner()
	if err != nil {
		return nil, err
	}
	var targets []remote.Target
	for i, m := range servers {
		targets = append(targets, remote.Target{
			Name: m.Name, Address: net.JoinHostPort(m.PrivateIP, "22"), Signer: signer, PrivateKey: key, Way: ways[i],
		})
	}
	return targets, nil
}

// keyFile returns the file of the private key of servers that have a key pair.
func (d *deployment) keyFile(ctx context.Context) (string, error) {
	file, err := d.KeyFile(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return "", diag.List{{
			Where:   diag.From(err)[0].Where,
			Summary: "the private key for the servers is missing",
			Hint: "run the command on the computer, and as the user, that ran aloft up; " +
				"or set security.access: endpoint, which needs no key",
			Cause: err,
		}}
	}
	return file, err
}

// reachableServers returns the servers that run and can be reached: the one with the name, or
// all if name is "". A machine on which a release is made counts only under its name.
func reachableServers(s *apply.Status, name string) ([]apply.Machine, error) {
	named := func(m apply.Machine) bool { return name == "" || m.Name == name || m.InstanceID == name }
	var servers []apply.Machine
	var states, private []string
	all := s.Machines
	if name != "" {
		all = slices.Concat(all, s.Makers)
	}
	for _, m := range all {
		states = append(states, m.Name+" ("+m.State+")")
		if !named(m) || m.State != "running" {
			continue
		}
		switch {
		case m.PublicIP != "" || m.Keyless:
			servers = append(servers, m)
		case m.PrivateIP != "":
			private = append(private, m.Name)
		}
	}
	if len(servers) > 0 {
		return servers, nil
	}
	problem := &diag.Diagnostic{
		Where: name, Summary: "is not running", Detail: "the servers: " + strings.Join(states, ", "),
		Hint: "aloft up replaces a server that is gone",
	}
	switch {
	case len(private) > 0:
		problem = &diag.Diagnostic{
			Where: strings.Join(private, ", "), Summary: "cannot be reached over SSH: no public address",
			Detail: "network.private puts servers into subnets that nobody outside the VPC can connect to",
			Hint: "set security.access: endpoint, and run aloft up: it replaces the servers by ones that are " +
				"reached through an EC2 Instance Connect Endpoint",
		}
	case len(states) == 0:
		problem = &diag.Diagnostic{Where: s.App, Summary: "has no servers yet", Hint: "aloft up creates them"}
	case name == "":
		problem.Where, problem.Summary = s.App, "none of its servers is running"
	case !slices.ContainsFunc(all, named):
		problem.Summary, problem.Hint = "is not a server of "+s.App, "name one of these servers"
	}
	return nil, diag.List{problem}
}

// connectForScripts connects to a server to run scripts on it. It is the Connect
// of a drill.
func (d *deployment) connectForScripts(
	ctx context.Context, server string,
) (run func(context.Context, string) error, closeConnection func() error, err error) {
	targets, closeAccess, err := d.sshTargets(ctx, server)
	if err != nil {
		return nil, nil, err
	}
	machine, err := remote.Dial(ctx, targets[0])
	if err != nil {
		return nil, nil, joinCloseError(err, closeAccess())
	}
	run = func(ctx context.Context, script string) error {
		return machine.Run(ctx, script, remote.Text(""), func(string) {})
	}
	return run, func() error {
		_ = machine.Close() // run has reported how the script ended
		return closeAccess()
	}, nil
}

// joinCloseError joins a command's error with the error of closing what it opened. It
// drops an exit code, which would hide the second error.
func joinCloseError(err, closeError error) error {
	var code exit
	if closeError != nil && errors.As(err, &code) {
		return closeError
	}
	return errors.Join(err, closeError)
}
