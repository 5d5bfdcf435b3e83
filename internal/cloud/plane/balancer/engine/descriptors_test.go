//go:build linux

package engine

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// TestPortsOutliveTheWantOfDescriptors takes the process's descriptors away: the node and the
// loopback front accept again once there are some, and have not filled the log.
func TestPortsOutliveTheWantOfDescriptors(t *testing.T) {
	log, k := &lines{}, &keeper.Keeper{}
	e, err := New(slog.New(slog.NewTextHandler(log, nil)), Loops{Number: 2}, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(); _ = k.Close() })
	port := balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1)
	conf.LoadBalancers[0].Listeners[0].Action = balancertest.Fixed(200, "")
	e.Set(conf)
	for i, address := range [][4]byte{{127, 0, 1, 1}, {127, 0, 0, 1}} {
		fd, err := socket.NewSocket(socket.IPv4)
		if err != nil {
			t.Fatal(err)
		}
		withoutDescriptors(t, func() {
			err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(port), Addr: address})
			if err != nil && err != unix.EINPROGRESS {
				t.Error(err)
			}
			waitFor(t, "it cannot accept", func() bool { return log.count("too many open files") > i })
			retries := e.now()
			waitFor(t, "it has tried again", func() bool { return e.now()-retries > 3*portRetry })
		})
		file := os.NewFile(uintptr(fd), "client")
		client, err := net.FileConn(file)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(client, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", balancertest.DNSName)
		if got, err := io.ReadAll(client); !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") {
			t.Errorf("%v: %q, %v", address, got, err)
		}
		_, _ = client.Close(), file.Close()
	}
	if n := log.count("too many open files"); n > 3 { // one of each loop, and one of the front
		t.Errorf("%d complaints in the log", n)
	}
}

// withoutDescriptors calls do while this process can open no files.
func withoutDescriptors(t *testing.T, do func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}()
	do()
}
