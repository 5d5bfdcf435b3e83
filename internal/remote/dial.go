// Package remote runs scripts on machines over SSH, and reaches what machines reach.
package remote

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/diag"
)

// Target is a machine and how to log in to it.
type Target struct {
	Name    string     // such as "server-2"; "": server-1
	Address string     // host:port
	User    string     // "": try the users of all known images
	KeyPath string     // the private key's file
	Signer  ssh.Signer // instead of KeyPath
	// PrivateKey is the key of Signer, for programs that need it in a file.
	PrivateKey crypto.PrivateKey
	HostKeys   []ssh.PublicKey // the machine must present one of these
	Way        Way             // to the machine; nil: TCP to Address
}

// Way is a way to a machine that is not a port open to this computer.
type Way interface {
	// Admit makes the machine accept a key of a user for a login that follows at once.
	Admit(ctx context.Context, user string, key ssh.PublicKey) error
	// Connect opens a connection to the machine's SSH server. An error that
	// is a *FinalError is not temporary.
	Connect(ctx context.Context) (net.Conn, error)
}

// FinalError is an error that another attempt cannot fix.
type FinalError struct {
	Err  error
	Hint string // what to do about it
}

// Error implements error.
func (e *FinalError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *FinalError) Unwrap() error { return e.Err }

// Label returns the machine's name for people.
func (t Target) Label() string {
	if t.Name == "" {
		return "server-1"
	}
	return t.Name
}

// loginUsers are the default users of Debian's, Ubuntu's and Amazon Linux's images (Amazon
// EC2 User Guide, "Default user names").
var loginUsers = []string{"admin", "ubuntu", "ec2-user"}

// users returns the users to try.
func (t Target) users() []string {
	if t.User != "" {
		return []string{t.User}
	}
	return loginUsers
}

func (t Target) signer() (ssh.Signer, error) {
	if t.Signer != nil {
		return t.Signer, nil
	}
	data, err := os.ReadFile(t.KeyPath)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("read the private key %s: %w", t.KeyPath, err)
	}
	return signer, nil
}

// errWrongHostKey means that something else than the machine answers.
var errWrongHostKey = errors.New("the host key is not one that the machine printed on its console")

// errKeyRefused means that the right machine rejects the key.
var errKeyRefused = errors.New("the machine rejects the key")

// Machine is an SSH connection to a machine.
type Machine struct {
	User string // the user that is logged in

	client *ssh.Client
	sudo   string // command prefix that runs a command as root
	stop   context.CancelFunc
	ended  chan struct{} // closed when the keepalive has ended
}

// Dial connects to a machine that may still be starting. It tries until sshd accepts
// the key, for up to connectTimeout. It fails at once if the host key is wrong, and
// soon if the machine rejects the key. Its errors are diagnostics.
func Dial(ctx context.Context, t Target) (*Machine, error) {
	signer, err := t.signer()
	if err != nil {
		return nil, t.problem(err, "put the key pair's private key there; if it is lost, run aloft down and aloft up")
	}
	if len(t.HostKeys) == 0 {
		return nil, t.problem(
			errors.New("the machine has printed no host key yet"),
			"run aloft up again when its console output shows them",
		)
	}
	within, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	interval := dialInterval
	if t.Way != nil {
		interval = wayInterval
	}
	retry := time.NewTicker(interval)
	defer retry.Stop()
	var last error
	var refused time.Time // since when the machine rejects the key
	for timeout := firstDialTimeout; ; timeout = min(2*timeout, maxDialTimeout) {
		machine, err := t.tryUsers(within, signer, timeout)
		if err == nil {
			return machine, nil
		}
		if within.Err() == nil || last == nil {
			last = err
		}
		if errors.Is(err, errKeyRefused) && refused.IsZero() {
			refused = time.Now()
		}
		if hint := t.finalHint(err, refused); hint != "" {
			return nil, t.problem(err, hint)
		}
		select {
		case <-retry.C:
		case <-within.Done():
			if ctx.Err() != nil {
				return nil, fmt.Errorf("connect to %s: %w", t.Label(), context.Cause(ctx))
			}
			return nil, t.problem(
				fmt.Errorf("not within %s: %w", connectTimeout, last),
				"check with aloft status that the machine runs, then run aloft up again",
			)
		}
	}
}

// finalHint returns what to do about an error that a retry cannot fix, or "" if a retry
// may succeed. refused is when the machine first rejected the key.
func (t Target) finalHint(err error, refused time.Time) string {
	var disagreement *ssh.AlgorithmNegotiationError
	var final *FinalError
	switch {
	case errors.As(err, &final):
		return final.Hint
	case errors.Is(err, errWrongHostKey) || errors.As(err, &disagreement):
		return "something else may answer at this address: check the machine's console before you continue; " +
			"if you have changed its host keys, delete its tag aloft:host-key"
	case !errors.Is(err, errKeyRefused) || time.Since(refused) <= refusalTimeout:
		return ""
	case t.Way != nil:
		return "its SSH server does not ask for keys that are pushed: terminate the machine, then run aloft up, " +
			"which launches another"
	}
	return "the machine has another key pair: run aloft down and aloft up to create a new one"
}

func (t Target) problem(err error, hint string) error {
	return &diag.Diagnostic{
		Where:   t.Label(),
		Summary: "cannot connect to " + t.Address + " over SSH",
		Detail:  err.Error(),
		Hint:    hint,
		Cause:   err,
	}
}

// tryUsers tries to log in once as each user. It tries the next user only if the machine
// rejects the key.
func (t Target) tryUsers(ctx context.Context, signer ssh.Signer, timeout time.Duration) (machine *Machine, err error) {
	for _, user := range t.users() {
		var client *ssh.Client
		if client, err = t.dialAs(ctx, user, signer, timeout); err == nil {
			return newMachine(client, user), nil
		}
		if !errors.Is(err, errKeyRefused) {
			break
		}
	}
	return nil, err
}

// dialAs tries once to log in as a user.
func (t Target) dialAs(
	ctx context.Context,
	user string,
	signer ssh.Signer,
	timeout time.Duration,
) (*ssh.Client, error) {
	conn, err := t.connect(ctx, user, signer, timeout)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	cut := context.AfterFunc(within, func() { _ = conn.Close() })
	defer cut()
	impostor, known := false, false
	inner, channels, requests, err := ssh.NewClientConn(conn, t.Address, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyAlgorithms: t.algorithms(),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			known = slices.ContainsFunc(
				t.HostKeys,
				func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), key.Marshal()) },
			)
			if impostor = !known; impostor {
				return errWrongHostKey
			}
			return nil
		},
	})
	if err != nil {
		_ = conn.Close()
		switch {
		case impostor:
			return nil, errWrongHostKey
		case known && within.Err() == nil:
			return nil, fmt.Errorf("%w: as %s: %w", errKeyRefused, user, err)
		}
		return nil, err
	}
	if !cut() { // the timeout closed the connection
		_ = conn.Close()
		return nil, context.Cause(within)
	}
	return ssh.NewClient(inner, channels, requests), nil
}

// connect opens a connection on which to log in as a user.
func (t Target) connect(
	ctx context.Context, user string, signer ssh.Signer, timeout time.Duration,
) (net.Conn, error) {
	if t.Way == nil {
		dialer := net.Dialer{Timeout: timeout}
		return dialer.DialContext(ctx, "tcp", t.Address)
	}
	if err := t.Way.Admit(ctx, user, signer.PublicKey()); err != nil {
		return nil, err
	}
	return t.Way.Connect(ctx)
}

// algorithms returns the algorithms of the known host keys. With any other the machine
// would present a key that cannot be compared.
func (t Target) algorithms() []string {
	var all []string
	for _, key := range t.HostKeys {
		if key.Type() == ssh.KeyAlgoRSA {
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			all = append(all, key.Type())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func newMachine(client *ssh.Client, user string) *Machine {
	ctx, stop := context.WithCancel(context.Background())
	m := &Machine{User: user, client: client, stop: stop, ended: make(chan struct{})}
	if user != "root" {
		m.sudo = "sudo -n -H "
	}
	go m.keepalive(ctx)
	return m
}

// keepalive closes the connection when the machine no longer answers, so that callers
// do not wait forever.
func (m *Machine) keepalive(ctx context.Context) {
	defer close(m.ended)
	beat := time.NewTicker(keepaliveInterval)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		silent := time.AfterFunc(keepaliveInterval, func() { _ = m.client.Close() })
		_, _, err := m.client.SendRequest("keepalive@openssh.com", true, nil)
		silent.Stop()
		if err != nil {
			return
		}
	}
}

// Close closes the connection.
func (m *Machine) Close() error {
	m.stop()
	err := m.client.Close()
	<-m.ended
	return err
}
