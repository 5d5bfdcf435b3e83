package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/remote/remotetest"
	"aloft.dev/aloft/internal/resource"
)

// way is a way to a server on loopback.
type way struct {
	address  string
	err      error // of Connect
	admitted []string
}

func (w *way) Admit(_ context.Context, user string, key ssh.PublicKey) error {
	w.admitted = append(w.admitted, user+" "+key.Type())
	return nil
}

func (w *way) Connect(ctx context.Context) (net.Conn, error) {
	if w.err != nil {
		return nil, w.err
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", w.address)
}

func TestOpenSSHConnectsByTheTargetsWay(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("the OpenSSH client is needed: %v", err)
	}
	signer, key, err := resource.NewSigner()
	if err != nil {
		t.Fatal(err)
	}
	var said string
	server := remotetest.ServeAs(
		t, remotetest.Listen(t), remotetest.NewKey(t), signer, func(c remotetest.Command) int {
			said = c.Text
			return 3
		},
	)
	w := &way{address: server.Address}
	target := server.Target()
	target.Name, target.Address, target.Way, target.PrivateKey = "server-1", "10.0.1.5:22", w, key
	var stderr bytes.Buffer
	stdio := Stdio{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &stderr}
	err = runOpenSSH(t.Context(), stdio, program, target, []string{"uptime"})
	var code exit
	if !errors.As(err, &code) || int(code) != 3 || said != "uptime" {
		t.Errorf("got %v, the server ran %q\n%s", err, said, &stderr)
	}
	if len(w.admitted) != 1 || w.admitted[0] != "admin ssh-ed25519" {
		t.Errorf("admitted %q", w.admitted)
	}
	target.HostKeys = []ssh.PublicKey{remotetest.NewKey(t).PublicKey()}
	if err := runOpenSSH(t.Context(), stdio, program, target, []string{"uptime"}); err == nil {
		t.Error("another host key was accepted")
	}
	w.err = errors.New("no way")
	if err := runOpenSSH(t.Context(), stdio, program, target, nil); !errors.Is(err, w.err) {
		t.Errorf("got %v", err)
	}
}

var _ remote.Way = (*way)(nil)
