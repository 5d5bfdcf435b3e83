//go:build linux

package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

func newFront(t *testing.T) *Front {
	t.Helper()
	f := New(balancertest.Log(t), &keeper.Keeper{}, func(netip.Addr) bool { return false })
	f.check = fastCheck
	t.Cleanup(f.Close)
	return f
}

// serveNode serves HTTP at a node's address until the end of the test.
func serveNode(t *testing.T, at string, port uint16, body string) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", at, port))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, body)
	}))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
}

func TestFrontChecksTheNodesThatItHas(t *testing.T) {
	f, port := newFront(t), balancertest.FreePort(t)
	for _, at := range []string{"127.0.1.1", "127.0.1.2"} {
		serveNode(t, at, port, "a")
	}
	lb := balancertest.OneGroup(port, 2).LoadBalancers[0]
	f.Set([]balancer.LoadBalancer{lb}, nil)
	before := (*f.routes.Load())[port][balancertest.DNSName]
	f.Set([]balancer.LoadBalancer{lb}, nil)
	if after := (*f.routes.Load())[port][balancertest.DNSName]; after != before {
		t.Error("setting the same load balancer again restarted the turns")
	}
	dead := balancer.Node{ID: "eni-dead", Address: lb.Nodes[0].Address, Public: netip.MustParseAddr("127.0.1.3")}
	lb.Nodes = append(lb.Nodes, dead)
	f.Set([]balancer.LoadBalancer{lb}, nil)
	nodes := (*f.routes.Load())[port][balancertest.DNSName].nodes
	if len(nodes) != 3 || nodes[0] != before.nodes[0] {
		t.Fatalf("nodes %v, were %v", nodes, before.nodes)
	}
	waitFailing(t, nodes[2], true)
	for range 6 {
		if resp, body := balancertest.Get(t, "127.0.0.1", port); resp.StatusCode != http.StatusOK || body != "a" {
			t.Errorf("%s %q", resp.Status, body)
		}
	}
}

func TestStatusNamesWhoListensAtAPort(t *testing.T) {
	taken, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	f := newFront(t)
	f.Set(balancertest.OneGroup(uint16(taken.Addr().(*net.TCPAddr).Port), 1).LoadBalancers, nil)
	want := fmt.Sprintf("(pid %d, user %d) listens there", os.Getpid(), os.Geteuid())
	if got := f.Status(); len(got) != 1 || !strings.Contains(got[0].Error, want) {
		t.Errorf("status %+v, want %q", got, want)
	}
	_ = taken.Close()
	f.OpenPorts()
	if got := f.Status(); len(got) != 1 || got[0].Error != "" {
		t.Errorf("status %+v after the port was free", got)
	}
}

func TestFrontListensAtBothLoopbacksOrAtNone(t *testing.T) {
	f, port := newFront(t), balancertest.FreePort(t)
	at := func(host string) string { return net.JoinHostPort(host, fmt.Sprint(port)) }
	taken, err := net.Listen("tcp", at("::1"))
	if err != nil {
		t.Skip("not tested: the loopback of IPv6, which the host does not have: ", err)
	}
	defer func() { _ = taken.Close() }()
	f.Set(balancertest.OneGroup(port, 1).LoadBalancers, nil)
	want := fmt.Sprintf("(pid %d, user %d) listens there", os.Getpid(), os.Geteuid())
	if got := f.Status(); len(got) != 1 || !strings.Contains(got[0].Error, want) {
		t.Errorf("status %+v, want %q", got, want)
	}
	if conn, err := net.Dial("tcp", at("127.0.0.1")); err == nil {
		_ = conn.Close()
		t.Error("the front serves one of the loopbacks while a stranger has the other")
	}
	_ = taken.Close()
	f.OpenPorts()
	serveNode(t, "127.0.1.1", port, "a")
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		if resp, body := balancertest.Get(t, host, port); resp.StatusCode != http.StatusOK || body != "a" {
			t.Errorf("%s: %s %q", host, resp.Status, body)
		}
	}
	f.Set(nil, nil)
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", at(host))
		if err != nil {
			t.Errorf("the port is not free afterwards: %v", err)
			continue
		}
		_ = l.Close()
	}
}

func TestUnknownNameGetsTheKnownOnes(t *testing.T) {
	f, port := newFront(t), balancertest.FreePort(t)
	f.Set(balancertest.OneGroup(port, 1).LoadBalancers, nil)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: other.localhost:%d\r\n\r\n", port)
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 4096)
	n, _ := conn.Read(buf)
	got := string(buf[:n])
	if !strings.HasPrefix(got, "HTTP/1.1 404 ") || !strings.Contains(got, "http://"+balancertest.DNSName) {
		t.Errorf("%q", got)
	}
}

func TestANeighbourSharesThePortOfLoadBalancers(t *testing.T) {
	f, port := newFront(t), balancertest.FreePort(t)
	neighbour := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "a neighbour")
	}))
	defer neighbour.Close()
	to, err := netip.ParseAddrPort(neighbour.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	neighbours := []balancer.Neighbour{{DNSName: "Example.com", Port: port, To: to}} // as in the server's certificate
	lbs := balancertest.OneGroup(port, 1).LoadBalancers
	serveNode(t, "127.0.1.1", port, "a")
	client := neighbour.Client()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}
	client.Transport.(*http.Transport).DialContext = dial
	get := func() (string, error) {
		resp, err := client.Get(fmt.Sprintf("https://example.com:%d/", port))
		if err != nil {
			return "", err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	for _, with := range [][]balancer.LoadBalancer{nil, lbs} {
		f.Set(with, neighbours)
		client.CloseIdleConnections()
		if body, err := get(); err != nil || body != "a neighbour" {
			t.Fatalf("with %d load balancers: %q, %v", len(with), body, err)
		}
	}
	if _, body := balancertest.Get(t, "127.0.0.1", port); body != "a" {
		t.Errorf("the load balancer at the port serves %q", body)
	}
	f.Set(lbs, nil)
	client.CloseIdleConnections()
	if body, err := get(); err == nil {
		t.Errorf("a neighbour that is gone serves %q", body)
	}
}

func TestAFewBytesAreNoClientHello(t *testing.T) {
	for _, text := range []string{
		"\x16", "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "\x16\x03\x01\xff\xff" + strings.Repeat("x", 100),
	} {
		if name, err := helloName(strings.NewReader(text)); err == nil {
			t.Errorf("%q has the name %q", text, name)
		}
	}
}

// FuzzPeek checks that the beginning of any connection yields a name or an error, and that
// the node gets what was read.
func FuzzPeek(f *testing.F) {
	var hello bytes.Buffer
	_ = tls.Client(recording{strings.NewReader(""), &hello}, &tls.Config{ServerName: "A.example.com."}).Handshake()
	f.Add(hello.Bytes())
	f.Add(hello.Bytes()[:40])
	f.Add([]byte("GET / HTTP/1.1\r\nHost: A.example.com:80\r\n\r\nGET"))
	f.Add([]byte("GET http://[::1]:80/ HTTP/1.1\r\nHost: a\r\n\r\n"))
	f.Add([]byte("\x16\x03\x01\x40\x00\x01\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		name, _, read, err := peekName(recording{bytes.NewReader(text), io.Discard})
		if err == nil && (strings.ToLower(name) != name || !bytes.HasPrefix(text, read)) {
			t.Errorf("the name is %q; %d of %d bytes are read", name, len(read), len(text))
		}
	})
}

// recording is a connection that reads and writes what a test says.
type recording struct {
	io.Reader
	io.Writer
}

func (recording) Close() error                     { return nil }
func (recording) LocalAddr() net.Addr              { return nil }
func (recording) RemoteAddr() net.Addr             { return nil }
func (recording) SetDeadline(time.Time) error      { return nil }
func (recording) SetReadDeadline(time.Time) error  { return nil }
func (recording) SetWriteDeadline(time.Time) error { return nil }
