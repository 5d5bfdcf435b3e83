//go:build linux

package engine

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// opaque makes the load balancer's listener one of a Network Load Balancer that ends TLS. change
// may be nil.
func opaque(
	t *testing.T, conf balancer.Config, change func(*balancer.LoadBalancer, *balancer.TargetGroup),
) balancer.Config {
	conf = withTLS(conf, modern, issue(t, curveKey(t), tomorrow, "default.example"),
		issue(t, curveKey(t), tomorrow, "second.example"))
	conf.LoadBalancers[0].Listeners[0].Opaque = true
	if change != nil {
		change(&conf.LoadBalancers[0], &conf.TargetGroups[0])
	}
	return conf
}

// dialOpaque connects to the first node with TLS, for the name and with the protocols.
func dialOpaque(t *testing.T, port uint16, name string, protocols ...string) *tls.Conn {
	t.Helper()
	conn := dialTLS(t, port, &tls.Config{ServerName: name, NextProtos: protocols})
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// speaker starts a target that answers the first line, echoes what follows, and says how much that
// was.
func speaker(t *testing.T, name string) balancer.Target {
	return failingSpeaker(t, name, &atomic.Bool{})
}

// failingSpeaker is speaker, but fails health checks while failing is set.
func failingSpeaker(t *testing.T, name string, failing *atomic.Bool) balancer.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	speak := func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		in := bufio.NewReader(conn)
		first, err := in.ReadString('\n')
		switch {
		case err != nil:
		case strings.HasPrefix(first, "GET / "):
			readHead(in)
			status := map[bool]string{false: "200 OK", true: "500 Internal Server Error"}[failing.Load()]
			_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		default:
			_, _ = fmt.Fprintf(conn, "%s heard %s", name, first)
			n, _ := io.Copy(conn, in)
			_, _ = fmt.Fprintf(conn, "\n%d bytes", n)
		}
	}
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { speak(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); running.Wait() }) // the engine, which is closed first, ends connections
	return balancertest.Target(name, l.Addr())
}

// greet sends a line and returns the target's answer.
func greet(t *testing.T, conn net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(conn, "hello, this is\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTLSListenerPassesOnWhatItDecrypts(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(opaque(t, balancertest.OneGroup(port, 1, speaker(t, "a")), nil))
	waitHealthy(t, e)
	for name, certificate := range map[string]string{
		"second.example": "second.example", "other.example": "default.example", "": "default.example",
	} {
		conn := dialOpaque(t, port, name)
		if got := conn.ConnectionState().PeerCertificates[0].DNSNames[0]; got != certificate {
			t.Errorf("for %q the node shows the certificate of %s", name, got)
		}
		if got := greet(t, conn); got != "a heard hello, this is\n" {
			t.Errorf("the target answers %q", got)
		}
		large := make([]byte, 3<<20)
		go func() {
			_, _ = conn.Write(large)
			_ = conn.CloseWrite() // the other direction goes on
		}()
		rest, err := io.ReadAll(conn)
		if want := "\n3145728 bytes"; err != nil || len(rest) != len(large)+len(want) ||
			string(rest[len(large):]) != want {
			t.Errorf("%d bytes came back: %v", len(rest), err)
		}
	}
	waitFor(t, "all connections have ended", func() bool { return e.Counters().Nodes[0].Flows == 0 })
	sums := e.Counters().Nodes[0].Sums
	if sums["NewFlowCount_TLS"] != 3 || sums["ProcessedBytes_TLS"] < 6*3<<20 {
		t.Errorf("counts are %v", sums)
	}
}

func TestTLSListenerNegotiatesItsProtocols(t *testing.T) {
	both := []string{"h2", "http/1.1", "http/1.0"}
	for _, c := range []struct {
		policy, client []string
		want           string
	}{
		{nil, []string{"h2"}, ""},
		{both, []string{"http/1.1", "h2"}, "h2"},
		{[]string{"http/1.1", "http/1.0", "h2"}, []string{"h2", "http/1.1"}, "http/1.1"},
		{[]string{"h2"}, []string{"http/1.1"}, ""},
		{[]string{"h2"}, []string{"imap"}, ""},
		{both, nil, ""},
	} {
		e, port := newEngine(t), balancertest.FreePort(t)
		e.Set(opaque(t, balancertest.OneGroup(port, 1, speaker(t, "a")),
			func(lb *balancer.LoadBalancer, _ *balancer.TargetGroup) { lb.Listeners[0].TLS.Protocols = c.policy }))
		waitHealthy(t, e)
		conn := dialOpaque(t, port, "", c.client...)
		if got := conn.ConnectionState().NegotiatedProtocol; got != c.want {
			t.Errorf("with %v, %v negotiates %q, want %q", c.policy, c.client, got, c.want)
		}
		greet(t, conn)
	}
}

// What a client and a target that uses TLS speak is the same protocol.
func TestTLSTargetIsOfferedTheClientsProtocol(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := opaque(t, balancertest.OneGroup(port, 1, balancertest.Target("tls", server.Listener.Addr())),
		func(lb *balancer.LoadBalancer, g *balancer.TargetGroup) {
			lb.Listeners[0].TLS.Protocols = []string{"h2", "http/1.1", "http/1.0"}
			g.TLS, g.Check.TLS = true, true
		})
	e.Set(conf)
	waitHealthy(t, e)
	for http2, want := range map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"} {
		if _, body := get(t, newClient(t, "127.0.1.1", http2, nil), url(port, "/")); body != want {
			t.Errorf("the target sees %s, want %s", body, want)
		}
	}
	conf.TargetGroups[0].Targets = []balancer.Target{speaker(t, "plain")}
	conf.TargetGroups[0].Check.TLS = false
	e.Set(conf)
	waitHealthy(t, e)
	assertReset(t, dialOpaque(t, port, ""))
	if sums := e.Counters().Nodes[0].Sums; sums["TargetTLSNegotiationErrorCount"] != 1 {
		t.Errorf("counts are %v", sums)
	}
}

// assertReset asserts that a connection is reset: what has arrived may not be everything.
func assertReset(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the connection ended with %v", err)
	}
}

// Connections go to healthy targets. Those to a target that fails end or not, as the target group
// demands.
func TestFlowsFailOver(t *testing.T) {
	for _, ends := range []bool{false, true} {
		t.Run(fmt.Sprintf("flows to unhealthy targets end: %t", ends), func(t *testing.T) {
			var failing atomic.Bool
			a, b := failingSpeaker(t, "a", &failing), speaker(t, "b")
			e, port := newEngine(t), balancertest.FreePort(t)
			e.Set(opaque(t, balancertest.OneGroup(port, 1, a, b),
				func(_ *balancer.LoadBalancer, g *balancer.TargetGroup) { g.Flows.EndUnhealthy = ends }))
			waitHealthy(t, e)
			before := flowTo(t, port, "a")
			failing.Store(true)
			waitStatus(t, e, "a is unhealthy", func(s balancer.Status) bool {
				return s.Targets[0].State == "unhealthy"
			})
			for range 20 {
				conn := dialOpaque(t, port, "")
				if got := greet(t, conn); got[0] != 'b' {
					t.Fatalf("the answer is %q", got)
				}
				_ = conn.Close()
			}
			assertEnds(t, before, ends)
		})
	}
}

// Connections to a target whose deregistration is over end or not, as the target group demands.
func TestFlowsEndWithTheRegistration(t *testing.T) {
	for _, ends := range []bool{false, true} {
		t.Run(fmt.Sprintf("flows to deregistered targets end: %t", ends), func(t *testing.T) {
			a, b := speaker(t, "a"), speaker(t, "b")
			e, port := newEngine(t), balancertest.FreePort(t)
			with := func(targets ...balancer.Target) balancer.Config {
				return opaque(t, balancertest.OneGroup(port, 1, targets...),
					func(_ *balancer.LoadBalancer, g *balancer.TargetGroup) { g.Flows.EndDeregistered = ends })
			}
			e.Set(with(a, b))
			waitHealthy(t, e)
			before := flowTo(t, port, "a")
			draining := a
			draining.Draining = true
			e.Set(with(draining, b))
			flowTo(t, port, "b")
			assertEnds(t, before, false)
			e.Set(with(b))
			assertEnds(t, before, ends)
		})
	}
}

func TestIdleFlowsAreReset(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(opaque(t, balancertest.OneGroup(port, 1, speaker(t, "a")),
		func(lb *balancer.LoadBalancer, _ *balancer.TargetGroup) { lb.IdleTimeout = sweepInterval }))
	waitHealthy(t, e)
	conn := dialOpaque(t, port, "")
	greet(t, conn)
	assertReset(t, conn)
}

func TestFlowWithoutATargetIsReset(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(opaque(t, balancertest.OneGroup(port, 1), nil))
	assertReset(t, dialOpaque(t, port, ""))
	plain := dial(t, port)
	if _, err := io.WriteString(plain, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(plain); strings.Contains(string(answer), "HTTP") {
		t.Errorf("a request without TLS is answered with %q", answer)
	}
}

// assertEnds asserts that a connection is reset, or that it still carries bytes.
func assertEnds(t *testing.T, conn net.Conn, ends bool) {
	t.Helper()
	if ends {
		assertReset(t, conn)
		return
	}
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Error(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("the connection carries nothing: %v", err)
	}
}

// flowTo returns a connection that a target serves.
func flowTo(t *testing.T, port uint16, name string) net.Conn {
	t.Helper()
	for range 100 {
		conn := dialOpaque(t, port, "")
		if greet(t, conn)[:len(name)] == name {
			return conn
		}
		_ = conn.Close()
	}
	t.Fatalf("no connection of 100 is served by %s", name)
	return nil
}
