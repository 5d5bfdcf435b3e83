package remote_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/remote/remotetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func problem(t *testing.T, err error) *diag.Diagnostic {
	t.Helper()
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		t.Fatalf("not a diagnostic: %v", err)
	}
	return d
}

func TestWrongHostKeyIsRefusedAtOnce(t *testing.T) {
	s := remotetest.Serve(
		t,
		remotetest.Listen(t),
		func(remotetest.Command) int { t.Error("a command was run"); return 0 },
	)
	target := s.Target()
	target.HostKeys = []ssh.PublicKey{remotetest.NewKey(t).PublicKey()}
	_, err := remote.Dial(t.Context(), target)
	if d := problem(t, err); !strings.Contains(d.Detail, "console") {
		t.Errorf("%+v", d)
	}
	target.HostKeys = nil
	if _, err := remote.Dial(t.Context(), target); !strings.Contains(problem(t, err).Detail, "no host key") {
		t.Error(err)
	}
}

func TestDialWaitsForAStartingMachine(t *testing.T) {
	first := remotetest.Listen(t)
	address := first.Addr().String()
	first.Close()
	refused := make(chan struct{})
	var dialled sync.WaitGroup
	client, hostKey := remotetest.NewKey(t), remotetest.NewKey(t)
	dialled.Go(func() {
		m, err := remote.Dial(
			t.Context(),
			remote.Target{Address: address, Signer: client, HostKeys: []ssh.PublicKey{hostKey.PublicKey()}},
		)
		if err != nil {
			t.Error(err)
			return
		}
		m.Close()
	})
	go func() { // wait until the port refuses connections
		defer close(refused)
		for {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	<-refused
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	remotetest.ServeAs(t, listener, hostKey, client, func(remotetest.Command) int { return 0 })
	dialled.Wait()
}

// way is a way to a server on loopback.
type way struct {
	address  string
	err      error // of Admit
	admitted int
}

func (w *way) Admit(context.Context, string, ssh.PublicKey) error {
	w.admitted++
	return w.err
}

func (w *way) Connect(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", w.address)
}

func TestDialTakesTheTargetsWay(t *testing.T) {
	s := remotetest.Serve(t, remotetest.Listen(t), func(remotetest.Command) int { return 0 })
	w, target := &way{address: s.Address}, s.Target()
	target.Address, target.Way = "192.0.2.1:22", w
	m, err := remote.Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if w.admitted != 1 {
		t.Errorf("admitted %d times", w.admitted)
	}
	w.err = &remote.FinalError{Err: errors.New("it is forbidden"), Hint: "ask for the permission"}
	if _, err = remote.Dial(t.Context(), target); problem(t, err).Hint != "ask for the permission" || w.admitted != 2 {
		t.Errorf("after %d attempts: %v", w.admitted, err)
	}
}

func TestCancelEndsDial(t *testing.T) {
	listener := remotetest.Listen(t) // accepts connections and sends nothing
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := remote.Target{
		Address:  listener.Addr().String(),
		Signer:   remotetest.NewKey(t),
		HostKeys: []ssh.PublicKey{remotetest.NewKey(t).PublicKey()},
	}
	if _, err := remote.Dial(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// Programs on the machine use a mirror on this computer, and Aloft asks the application
// there.
func TestConnectionsPassBothWays(t *testing.T) {
	answers := remotetest.Listen(t)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := answers.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("answer"))
			conn.Close()
		}
	})
	defer served.Wait()
	defer answers.Close()
	s := remotetest.Serve(t, remotetest.Listen(t), func(remotetest.Command) int { return 0 })
	m, err := remote.Dial(t.Context(), s.Target())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	read := func(conn net.Conn) string {
		t.Helper()
		defer conn.Close()
		text, err := io.ReadAll(conn)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	conn, err := m.DialContext(t.Context(), "tcp", answers.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if got := read(conn); got != "answer" {
		t.Errorf("from the machine: %q", got)
	}
	if _, err := m.DialContext(t.Context(), "tcp", "127.0.0.1:1"); err == nil {
		t.Error("connected to a port on which nothing listens")
	}
}
