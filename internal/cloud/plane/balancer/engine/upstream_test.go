//go:build linux

package engine

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

func TestTargetsConnectionIsReusedWhileItIsOpen(t *testing.T) {
	var opened atomic.Int64
	closed := make(chan struct{})
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		opened.Add(1)
		for range 2 {
			readHead(in)
			_, _ = io.WriteString(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
		}
		_ = out.Close() // as a server does after its keep-alive timeout
		closed <- struct{}{}
	})
	conn := dial(t, serve(t, target, nil))
	for i := range 6 {
		_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %v %v", i, resp, err)
		}
		if i%2 == 1 {
			<-closed
		}
	}
	if opened.Load() != 3 {
		t.Errorf("%d connections for 6 requests", opened.Load())
	}
}

func TestTargetsMayUseTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "secret")
	}))
	t.Cleanup(s.Close)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, balancertest.Target("tls", s.Listener.Addr()))
	conf.TargetGroups[0].TLS, conf.TargetGroups[0].Check.TLS = true, true
	conf.TargetGroups[0].Check.Timeout = time.Second
	e.Set(conf)
	waitHealthy(t, e)
	for range 2 { // the second over the same connection
		if resp, body := balancertest.Get(t, "127.0.1.1", port); resp.StatusCode != http.StatusOK || body != "secret" {
			t.Errorf("%d %q", resp.StatusCode, body)
		}
	}
}
