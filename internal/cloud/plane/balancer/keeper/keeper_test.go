//go:build linux

package keeper

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

var anyPort = netip.MustParseAddrPort("127.0.0.1:0")

// remoteOf returns a remote of the keeper, and what is closed when it is ready.
func remoteOf(t *testing.T, k *Keeper) (*Remote, <-chan struct{}) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends []*net.UnixConn
	for _, fd := range pair {
		file := os.NewFile(uintptr(fd), "pair")
		conn, err := net.FileConn(file)
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		ends = append(ends, conn.(*net.UnixConn))
	}
	ready, served := make(chan struct{}), make(chan error)
	go func() { served <- k.Serve(ends[0], func() { close(ready) }) }()
	t.Cleanup(func() {
		_ = ends[1].Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		_, _ = ends[0].Close(), k.Close()
	})
	return NewRemote(ends[1]), ready
}

// port returns the address at which the socket listens.
func port(t *testing.T, fd int) netip.AddrPort {
	t.Helper()
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	inet := at.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(inet.Addr), uint16(inet.Port))
}

func TestListeningSocketsAreKeptUntilTheyAreForgotten(t *testing.T) {
	k := &Keeper{}
	r, ready := remoteOf(t, k)
	first, err := r.Listen(Namespace{}, anyPort)
	if err != nil {
		t.Fatal(err)
	}
	at := port(t, first)
	_ = unix.Close(first) // as if its process had ended
	conn, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatalf("a client between two processes: %v", err)
	}
	defer func() { _ = conn.Close() }()
	second, err := r.Listen(Namespace{}, anyPort)
	if err != nil || port(t, second) != at {
		t.Errorf("got another socket, %v", err)
	}
	if peer, _, err := unix.Accept(second); err != nil {
		t.Errorf("the client did not wait: %v", err)
	} else {
		_ = unix.Close(peer)
	}
	if _, err := r.Listen(Namespace{}, at); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a used port: %v", err)
	}
	_ = unix.Close(second)
	if err := r.Forget(Namespace{}, anyPort); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", at.String()); err == nil {
		t.Error("the port is not free")
	}
	if err := r.Ready(); err != nil {
		t.Error(err)
	}
	<-ready
}

func TestKeeperRemembers(t *testing.T) {
	r, _ := remoteOf(t, &Keeper{})
	if text, err := r.Recall("config"); text != nil || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	for _, want := range []string{"a long text", "short"} {
		if err := r.Remember("config", []byte(want)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if text, err := r.Recall("config"); string(text) != want || err != nil {
				t.Errorf("%q, %v; want %q", text, err, want)
			}
		}
	}
	for i := range maxMemories {
		if err := r.Remember(strings.Repeat("x", i+1), nil); (err != nil) != (i == maxMemories-1) {
			t.Errorf("memory %d: %v", i, err)
		}
	}
}

func TestKeeperEntersOnlyTheNamespacesOfNodes(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"nodes/eni-1", "edge"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nodes := filepath.Join(dir, "nodes")
	k := &Keeper{Dir: nodes}
	for path, allowed := range map[string]bool{
		"": true, nodes + "/eni-1": true, nodes + "/../edge": false, nodes + "/..": false, nodes: false,
		dir + "/edge": false, "/proc/1/ns/net": false, nodes + "/eni-2": false,
	} {
		if _, err := k.Find(path); (err == nil) != allowed {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, in := range []Namespace{{Path: "/proc/self/ns/net"}, {Path: nodes + "/eni-1", ID: "an earlier one"}} {
		if fds, err := k.Connecting(in, socket.IPv4, 1); err == nil {
			t.Errorf("%+v: got sockets %v", in, fds)
		}
	}
	if fds, err := k.Connecting(Namespace{}, unix.AF_UNIX, 1); err == nil {
		t.Errorf("got sockets %v of another family", fds)
	}
}
