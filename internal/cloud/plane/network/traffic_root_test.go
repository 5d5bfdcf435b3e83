//go:build linux && root

package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// silenceTimeout is how long a test waits before it concludes that nothing answers. A
// response within these networks takes less than a millisecond.
const silenceTimeout = 400 * time.Millisecond

// machine returns the path of a machine's namespace. Servers on the ports greet with its
// name.
func (s *site) machine(name string, ports ...uint16) string {
	s.Helper()
	path := filepath.Join(s.dir, "machines", name)
	if err := pin(path); err != nil {
		s.Fatal(err)
	}
	for _, port := range ports {
		s.serveGreeting(path, netip.AddrPortFrom(netip.IPv4Unspecified(), port), name)
		if HasIPv6() {
			s.serveGreeting(path, netip.AddrPortFrom(netip.IPv6Unspecified(), port), name)
		}
	}
	return path
}

// serveGreeting sends each connection a line and then echoes its lines.
func (s *site) serveGreeting(path string, at netip.AddrPort, greeting string) {
	s.Helper()
	listener, err := ListenIn(path, at)
	if err != nil {
		s.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.Cleanup(func() { _ = conn.Close() })
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				from, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
				fmt.Fprintf(conn, "%s to %s\n", greeting, from)
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintln(conn, lines.Text())
				}
			})
		}
	})
	s.Cleanup(func() { _ = listener.Close(); running.Wait() })
}

// dial opens a connection from a namespace and reads the greeting.
func (s *site) dial(from, to string) (net.Conn, string, error) {
	ctx, cancel := context.WithTimeout(s.Context(), silenceTimeout)
	defer cancel()
	conn, err := DialIn(ctx, from, netip.MustParseAddrPort(to))
	if err != nil {
		return nil, "", err
	}
	s.Cleanup(func() { _ = conn.Close() })
	greeting, err := s.readLine(conn)
	return conn, greeting, err
}

// readLine reads a line within silenceTimeout, or within the given timeout.
func (s *site) readLine(conn net.Conn, timeout ...time.Duration) (string, error) {
	if err := conn.SetReadDeadline(time.Now().Add(append(timeout, silenceTimeout)[0])); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// assertAnswers asserts that the greeting starts with want, and returns the connection.
func (s *site) assertAnswers(from, to, want string) net.Conn {
	s.Helper()
	conn, got, err := s.dial(from, to)
	if err != nil || !strings.HasPrefix(got, want) {
		s.Fatalf("%s to %s: got %q, %v; want %q", filepath.Base(from), to, got, err, want)
	}
	return conn
}

// assertSilent asserts that a connection is neither accepted nor refused.
func (s *site) assertSilent(from, to string) {
	s.Helper()
	conn, _, err := s.dial(from, to)
	if err == nil || conn != nil ||
		!errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		s.Fatalf("%s to %s: got error %v, want no response", filepath.Base(from), to, err)
	}
}

// assertRefused asserts that the peer itself refuses a connection.
func (s *site) assertRefused(from, to string) {
	s.Helper()
	if _, _, err := s.dial(from, to); !errors.Is(err, unix.ECONNREFUSED) {
		s.Fatalf("%s to %s: got error %v, want ECONNREFUSED", filepath.Base(from), to, err)
	}
}

// assertAlive asserts that a connection still carries data.
func (s *site) assertAlive(conn net.Conn) {
	s.Helper()
	fmt.Fprintln(conn, "still there?")
	if got, err := s.readLine(conn); got != "still there?" {
		s.Fatalf("the connection carries nothing: got %q, %v", got, err)
	}
}

// assertDead asserts that a connection carries nothing and has not been closed.
func (s *site) assertDead(conn net.Conn) {
	s.Helper()
	fmt.Fprintln(conn, "still there?")
	if got, err := s.readLine(conn); !errors.Is(err, os.ErrDeadlineExceeded) {
		s.Fatalf("the connection is not dead: got %q, %v", got, err)
	}
}
