//go:build linux

package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

func newEngine(t *testing.T) *Engine {
	t.Helper()
	return newEngineWithLoops(t, 2)
}

func newEngineWithLoops(t *testing.T, loops int) *Engine {
	t.Helper()
	sockets := &keeper.Keeper{}
	t.Cleanup(func() { _ = sockets.Close() })
	e, err := New(balancertest.Log(t), Loops{Number: loops}, sockets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// waitStatus waits for a status for which ok returns true.
func waitStatus(t *testing.T, e *Engine, what string, ok func(balancer.Status) bool) balancer.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		changed := e.Changed()
		s := e.Status()
		if ok(s) {
			return s
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s: did not happen; the last status is %+v", what, s)
		}
	}
}

// waitHealthy waits until all targets are healthy.
func waitHealthy(t *testing.T, e *Engine) {
	t.Helper()
	waitStatus(t, e, "all targets are healthy", balancertest.TargetsAre("healthy"))
}

// waitFor waits until ok returns true.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: did not happen", what)
		}
	}
}

// rawTarget starts a target that handles bytes: it calls handle for each connection
// that is not a health check.
func rawTarget(t *testing.T, handle func(in *bufio.Reader, out net.Conn)) balancer.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				in := bufio.NewReader(conn)
				if first, err := in.Peek(6); err != nil || string(first) == "GET / " { // a health check
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					return
				}
				handle(in, conn)
			}()
		}
	}()
	return balancertest.Target("raw", l.Addr())
}

// readHead reads a head and returns it as it came.
func readHead(in *bufio.Reader) string {
	var out strings.Builder
	for {
		line, err := in.ReadString('\n')
		out.WriteString(line)
		if err != nil || line == "\r\n" {
			return out.String()
		}
	}
}

// respondingTarget starts a target that responds to every head with the same text.
func respondingTarget(t *testing.T, text string) balancer.Target {
	return rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		for readHead(in) != "" {
			if _, err := io.WriteString(out, text); err != nil {
				return
			}
		}
	})
}

// serve starts an engine with one node for the target and returns its port; change
// may be nil.
func serve(t *testing.T, target balancer.Target, change func(*balancer.LoadBalancer)) uint16 {
	t.Helper()
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, target)
	if change != nil {
		change(&conf.LoadBalancers[0])
	}
	e.Set(conf)
	waitHealthy(t, e)
	return port
}

// dial connects to the first node.
func dial(t *testing.T, port uint16) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// send sends the text and returns everything that comes until the connection closes.
func send(t *testing.T, port uint16, text string) string {
	t.Helper()
	conn := dial(t, port)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	response, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, net.ErrClosed) && len(response) == 0 {
		t.Fatalf("no response to %.60q: %v", text, err)
	}
	return string(response)
}
