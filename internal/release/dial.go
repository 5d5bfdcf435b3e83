package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/diag"
)

const (
	connectPatience   = 3 * time.Minute        // from launch until sshd lets us in
	firstDial         = 250 * time.Millisecond // a machine that is not there yet answers nothing
	longestDial       = 4 * time.Second
	handshakePatience = 15 * time.Second
	betweenDials      = 100 * time.Millisecond
	refusalPatience   = 20 * time.Second // a machine takes in its key early in its first start
	keepaliveInterval = 15 * time.Second
)

// Target is a machine and how to get into it.
type Target struct {
	Name     string          // "server-1", which is also the default
	Address  string          // host:port
	User     string          // LoginUser; "" tries those of all known images in turn
	KeyPath  string          // file of the private key
	Signer   ssh.Signer      // instead of KeyPath
	HostKeys []ssh.PublicKey // the machine has one of these, or it is not the machine
}

func (t Target) name() string {
	if t.Name == "" {
		return "server-1"
	}
	return t.Name
}

var logins = map[string]string{"debian-12": "admin", "ubuntu-24.04": "ubuntu", "amazon-linux-2023": "ec2-user"}

// LoginUser is the user that a public image lets in with the key pair, "" for an
// image that is not known (Amazon EC2 User Guide, "Default user names").
func LoginUser(image string) string { return logins[image] }

// users are those to try.
func (t Target) users() []string {
	if t.User != "" {
		return []string{t.User}
	}
	return []string{logins["debian-12"], logins["ubuntu-24.04"], logins["amazon-linux-2023"]}
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

// errHostKey says that a machine is not the one that it should be.
var errHostKey = errors.New("the host key is none of those that the machine printed on its console")

// errRefused says that the right machine did not take the key.
var errRefused = errors.New("the machine does not take the key")

// Machine is a connection to a machine.
type Machine struct {
	User string // who has logged in

	client *ssh.Client
	sudo   string // what makes root of the user
	stop   context.CancelFunc
	ended  chan struct{} // closed when the keepalive has ended
}

// Dial connects to a machine that may still be starting: it tries until sshd
// answers and lets us in, for three minutes or until the context ends. A machine
// with another host key is refused at once, and one that does not take the key
// soon. Its errors are diagnostics.
func Dial(ctx context.Context, t Target) (*Machine, error) {
	signer, err := t.signer()
	if err != nil {
		return nil, t.problem(
			err,
			"the key pair's private key belongs there; without it, aloft down and aloft up start anew",
		)
	}
	if len(t.HostKeys) == 0 {
		return nil, t.problem(
			errors.New("no host key of the machine is known"),
			"run aloft up again when its console output tells them",
		)
	}
	within, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	retry := time.NewTicker(betweenDials)
	defer retry.Stop()
	var last error
	var refused time.Time // the first time
	for patience := firstDial; ; patience = min(2*patience, longestDial) {
		machine, err := t.try(within, signer, patience)
		if err == nil {
			return machine, nil
		}
		if within.Err() == nil || last == nil {
			last = err
		}
		if errors.Is(err, errRefused) && refused.IsZero() {
			refused = time.Now()
		}
		if hint := hopeless(err, refused); hint != "" {
			return nil, t.problem(err, hint)
		}
		select {
		case <-retry.C:
		case <-within.Done():
			if ctx.Err() != nil {
				return nil, fmt.Errorf("connect to %s: %w", t.name(), context.Cause(ctx))
			}
			return nil, t.problem(
				fmt.Errorf("not within %s: %w", connectPatience, last),
				"see whether the machine runs (aloft status), then run aloft up again",
			)
		}
	}
}

// hopeless is what to do about an error that trying again will not mend; empty:
// it may. refused is when the machine first did not take the key.
func hopeless(err error, refused time.Time) string {
	var disagreement *ssh.AlgorithmNegotiationError
	switch {
	case errors.Is(err, errHostKey) || errors.As(err, &disagreement):
		return "something else may answer at this address; look at the machine's console output before going on"
	case errors.Is(err, errRefused) && time.Since(refused) > refusalPatience:
		return "the machine was made with another key pair: aloft down and aloft up make a new one"
	}
	return ""
}

func (t Target) problem(err error, hint string) error {
	return &diag.Diagnostic{
		Where:   t.name(),
		Summary: "cannot connect to " + t.Address + " over SSH",
		Detail:  err.Error(),
		Hint:    hint,
		Cause:   err,
	}
}

// try tries once as each user, and goes on to the next one only when the machine
// does not take the key.
func (t Target) try(ctx context.Context, signer ssh.Signer, patience time.Duration) (machine *Machine, err error) {
	for _, user := range t.users() {
		var client *ssh.Client
		if client, err = t.connect(ctx, user, signer, patience); err == nil {
			return newMachine(client, user), nil
		}
		if !errors.Is(err, errRefused) {
			break
		}
	}
	return nil, err
}

// connect tries once.
func (t Target) connect(
	ctx context.Context,
	user string,
	signer ssh.Signer,
	patience time.Duration,
) (*ssh.Client, error) {
	dialer := net.Dialer{Timeout: patience}
	conn, err := dialer.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, handshakePatience)
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
				return errHostKey
			}
			return nil
		},
	})
	if err != nil {
		_ = conn.Close()
		switch {
		case impostor:
			return nil, errHostKey
		case known && within.Err() == nil:
			return nil, fmt.Errorf("%w: as %s: %w", errRefused, user, err)
		}
		return nil, err
	}
	if !cut() { // the connection was closed under our hands
		_ = conn.Close()
		return nil, context.Cause(within)
	}
	return ssh.NewClient(inner, channels, requests), nil
}

// algorithms are those for which a host key is known: with others the machine
// would show a key that cannot be compared.
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

// keepalive closes the connection when the machine no longer answers, so that
// what waits for it ends.
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

// Close ends the connection.
func (m *Machine) Close() error {
	m.stop()
	err := m.client.Close()
	<-m.ended
	return err
}
