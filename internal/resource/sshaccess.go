package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/stack"
)

const (
	// consoleLimit is how long an instance may take to print its host keys. EC2
	// shows the console of older instance types with a delay of minutes.
	consoleLimit = 10 * time.Minute
	// silentLimit is how long an instance may neither show its host keys nor accept a
	// connection.
	silentLimit = 4 * time.Minute
	// reachLimit is how long a connection to a machine may take.
	reachLimit = 10 * time.Second
	// revokeLimit is how long revoking a temporary rule may take after an interrupt.
	revokeLimit = 30 * time.Second
)

// Machine is an instance that is reached over SSH.
type Machine struct {
	Name     string // "server-1"
	Address  netip.Addr
	User     string
	KeyFile  string          // private key in OpenSSH format
	Signer   ssh.Signer      // instead of KeyFile
	Way      remote.Way      // instead of TCP to Address; nil: none
	HostKeys []ssh.PublicKey // from the instance's tag or console; no other key is trusted
}

// Builder installs releases on instances and emits an event for each step. Its
// methods are idempotent. The instance's SSH server may still be starting.
type Builder interface {
	// Build installs the application on an instance of the base image, and proves
	// that it serves there.
	Build(context.Context, Machine, event.Sink) error
	// Prove proves that the application serves on an instance of a release's image
	// and continues to do so.
	Prove(context.Context, Machine, event.Sink) error
	// AwaitIdle waits until a server has no requests in flight and gets none. It may wait
	// for ever.
	AwaitIdle(context.Context, Machine) error
	// Refresh fetches the environment again on a server of a release that gets no
	// requests, restarts the application, and proves that it serves.
	Refresh(context.Context, Machine, event.Sink) error
	// Examine returns a few lines about the state of the application's service on an
	// instance and its last output.
	Examine(context.Context, Machine) ([]string, error)
}

// SourceAddress returns the addresses from which the cloud may see the user's computer
// when it connects to target.
type SourceAddress func(ctx context.Context, target netip.Addr) ([]netip.Prefix, error)

// everywhere contains every IPv4 address.
var everywhere = netip.MustParsePrefix("0.0.0.0/0")

// NotAdmitted returns the addresses of the user's computer that are not among those that
// rules admit already. If rules admit some and the computer's own address cannot be found,
// it returns none: the user has said where connections come from.
func (s SourceAddress) NotAdmitted(
	ctx context.Context, target netip.Addr, admitted []netip.Prefix,
) ([]netip.Prefix, error) {
	if slices.Contains(admitted, everywhere) {
		return nil, nil
	}
	sources, err := s(ctx, target)
	if err != nil && len(admitted) > 0 {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(sources), func(source netip.Prefix) bool {
		return slices.ContainsFunc(admitted, func(p netip.Prefix) bool {
			return p.Contains(source.Addr()) && p.Bits() <= source.Bits()
		})
	}), err
}

// Install installs the application on the builder at an address.
func (p *Provisioner) Install(ctx context.Context, address string) error {
	f, _ := p.Known(address)
	if f.Value(stack.AttrBuilt) == stack.Yes {
		return nil
	}
	return p.withSSH(ctx, f, func(m Machine) error { return p.Builder.Build(ctx, m, p.Events) })
}

// prove proves the application on an instance of the image, and marks the instance
// if that succeeds.
func (p *Provisioner) prove(ctx context.Context, f plan.Found) error {
	err := p.withSSH(ctx, f, func(m Machine) error { return p.Builder.Prove(ctx, m, p.Events) })
	if err != nil {
		return err
	}
	return awsapi.Wrap("mark instance "+f.ID+" as proven", p.tagInstance(ctx, f.ID, tag{tagProven, stack.Yes}))
}

// withSSH runs work on an instance that is reached over SSH: through the endpoint if it has
// no key pair.
func (p *Provisioner) withSSH(ctx context.Context, f plan.Found, work func(Machine) error) error {
	if p.Builder == nil {
		return fmt.Errorf("connect to %s: there is no builder", f.Name)
	}
	if f.Value(stack.AttrKeyPair) == stack.NoKeyPair {
		return p.throughEndpoint(ctx, f, work)
	}
	return p.withKeyPair(ctx, f, work)
}

// throughEndpoint runs work on an instance that is reached through the endpoint, with a key
// that exists for as long as the work.
func (p *Provisioner) throughEndpoint(ctx context.Context, f plan.Found, work func(Machine) error) error {
	endpoint, _ := p.Known(stack.AddressConnectEndpoint)
	way, err := p.WayTo(f.ID, f.Status.PrivateIP, endpoint)
	if err != nil {
		return err
	}
	machine := Machine{Name: f.Name, Address: way.PrivateIP, User: p.BaseImage.User, Way: way}
	if machine.Signer, _, err = NewSigner(); err != nil {
		return err
	}
	e := event.Event{Address: f.Name, Step: "10", Message: "read the host keys"}
	if err := p.Events.Track(e, error.Error, func() (err error) {
		machine.HostKeys, err = p.hostKeys(ctx, f.Name, f, nil)
		return err
	}); err != nil {
		return err
	}
	return work(machine)
}

// withKeyPair runs work on an instance that is reached at its public address. Meanwhile a
// temporary rule allows access from the user's computer only.
func (p *Provisioner) withKeyPair(ctx context.Context, f plan.Found, work func(Machine) error) error {
	address := f.Name
	keyPair, _ := p.Known(stack.AddressKeyPair)
	keyFile, err := p.Keys.FileOf(ctx, keyPair)
	if err != nil {
		return err
	}
	public, err := netip.ParseAddr(f.Status.PublicIP)
	if err != nil {
		return fmt.Errorf("connect to %s: public address: %w", address, err)
	}
	machine := Machine{Name: address, Address: public, User: p.BaseImage.User, KeyFile: keyFile}
	group := p.sshGroup(f)
	var added []stack.Rule
	e := event.Event{Address: address, Step: "10", Message: "allow SSH from this computer, read the host keys"}
	err = p.Events.Track(e, error.Error, func() (err error) {
		if added, err = p.allowSSH(ctx, address, group, public); err != nil {
			return err
		}
		check := func() error { return p.unreachable(ctx, f.ID, address, public) }
		machine.HostKeys, err = p.hostKeys(ctx, address, f, check)
		return err
	})
	if err == nil {
		err = work(machine)
	}
	if len(added) == 0 {
		return err
	}
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeLimit)
	defer cancel()
	return errors.Join(err, p.Revoke(cleanup, group, added...))
}

// sshGroup returns the security group in which access to an instance is allowed for a
// while: that of builders if the instance is in it, because no other server is.
func (p *Provisioner) sshGroup(f plan.Found) string {
	builders, ok := p.Known(stack.AddressBuilderGroup)
	if ok && slices.Contains(f.Values(stack.AttrSecurityGroups), builders.ID) {
		return builders.ID
	}
	return f.Value(stack.AttrSecurityGroups)
}

// allowSSH adds temporary rules for SSH from the user's computer, and returns those that
// the security group did not have before.
func (p *Provisioner) allowSSH(
	ctx context.Context,
	address, group string,
	public netip.Addr,
) (all []stack.Rule, err error) {
	sources, err := p.SourceAddress.NotAdmitted(ctx, public, p.SSHFrom)
	if err != nil {
		return nil, UnknownSource(address, err)
	}
	for _, source := range sources {
		rule, added := stack.TCPFrom(22, source), false
		what := fmt.Sprintf("allow %s in security group %s", rule, group)
		err := retryEventual(ctx, what, func(ctx context.Context) (err error) {
			added, err = p.AllowTemporarily(ctx, group, rule)
			return err
		})
		if added {
			all = append(all, rule)
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// UnknownSource explains that the source address of the user's computer could not be
// determined.
func UnknownSource(where string, err error) error {
	return &diag.Diagnostic{
		Where:   where,
		Summary: "the address from which this computer reaches the cloud is not known",
		Detail:  err.Error(),
		Hint:    "name it, as servers see it: --from 203.0.113.7/32; several NATs take several --from",
		Cause:   err,
	}
}

// reach returns an error unless an SSH server greets at a machine's address. That a
// connection is accepted proves nothing: a firewall between may do so.
func (p *Provisioner) reach(ctx context.Context, public netip.Addr) error {
	dial := p.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: reachLimit}).DialContext
	}
	connection, err := dial(ctx, "tcp", netip.AddrPortFrom(public, 22).String())
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(reachLimit)); err != nil {
		return err
	}
	greeting := make([]byte, len(sshGreeting))
	if _, err := io.ReadFull(connection, greeting); err != nil {
		return fmt.Errorf("read the SSH server's greeting: %w", err)
	}
	if string(greeting) != sshGreeting {
		return fmt.Errorf("what answers is not an SSH server: it says %q", greeting)
	}
	return nil
}

// unreachable returns an error if an instance that shows no host keys cannot be reached either.
func (p *Provisioner) unreachable(ctx context.Context, id, address string, public netip.Addr) error {
	err := p.reach(ctx, public)
	if err == nil {
		return nil
	}
	return &diag.Diagnostic{
		Where: address,
		Summary: fmt.Sprintf(
			"instance %s shows no SSH host keys after %s, and port 22 of %s cannot be reached", id, silentLimit, public,
		),
		Detail: err.Error(),
		Hint: "check that the network here lets connections to port 22 out, and the instance's console: " +
			"aws ec2 get-console-output --instance-id " + id + "; an AWS without machines can only be planned for",
		Cause: err,
	}
}

// sshGreeting begins what an SSH server sends first (RFC 4253, section 4.2).
const sshGreeting = "SSH-"

// hostKeys returns the SSH host keys of an instance that may still be starting. It gives
// up early on one of which check, which may be nil, returns an error, and at once on one that is terminated, such as a
// server that its Auto Scaling group has just given up.
func (p *Provisioner) hostKeys(
	ctx context.Context, address string, f plan.Found, check func() error,
) ([]ssh.PublicKey, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	waiting := func() {
		p.progress(address, "waiting for the SSH host keys on the instance's console")
		if p.isTerminated(ctx, f.ID) {
			giveUp(&diag.Diagnostic{
				Where: address, Summary: "instance " + f.ID + " was terminated",
				Hint: "run aloft up again: it launches another",
			})
		}
	}
	keys, err := p.HostKeys(ctx, f.ID, f.Status.HostKey, silentLimit, waiting)
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		if check != nil {
			if err := check(); err != nil {
				return nil, err
			}
		}
		keys, err = p.HostKeys(ctx, f.ID, f.Status.HostKey, consoleLimit-silentLimit, waiting)
	}
	if errors.As(err, &late) {
		return nil, NoHostKeys(address, f.ID, err)
	}
	return keys, err
}

// NoHostKeys explains that neither a tag nor the console shows an instance's host keys.
func NoHostKeys(where, id string, err error) error {
	return &diag.Diagnostic{
		Where: where,
		Summary: fmt.Sprintf("neither the tag %s nor the console of %s shows its SSH host keys, "+
			"so its identity cannot be verified", stack.TagHostKey, id),
		Detail: "a console shows them once, at the first start, and a stop loses it",
		Hint: "if it has just started, run the command again in a few minutes; otherwise replace it: " +
			"aws ec2 terminate-instances --instance-ids " + id + ", then aloft up, while the others serve",
		Cause: err,
	}
}
