//go:build linux

package engine

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

const plainGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

func TestClientThatLeavesFreesItsTarget(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	target := rawTarget(t, func(in *bufio.Reader, _ net.Conn) {
		readHead(in)
		close(asked)
		_, _ = in.ReadByte()
		close(ended)
	})
	conn := dial(t, serve(t, target, func(lb *balancer.LoadBalancer) { lb.IdleTimeout = time.Minute }))
	_, _ = io.WriteString(conn, plainGet)
	<-asked
	_ = conn.Close()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the target's connection is still open")
	}
}

func TestConnectionsEndAfterTheirTimeouts(t *testing.T) {
	target := respondingTarget(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	port := serve(t, target, func(lb *balancer.LoadBalancer) { lb.IdleTimeout = 300 * time.Millisecond })
	if got := send(t, port, plainGet); !strings.HasSuffix(got, "Connection: keep-alive\r\n\r\n") {
		t.Errorf("an idle connection: %q", got) // it closes without another response
	}
	if got := send(t, port, "GET /x HTTP/1.1\r\nHo"); !strings.HasPrefix(got, "HTTP/1.1 408 Request Time-out\r\n") {
		t.Errorf("half a head: %q", got)
	}
	port = serve(t, target, func(lb *balancer.LoadBalancer) { lb.KeepAlive = time.Nanosecond })
	if got := send(t, port, plainGet); !strings.HasSuffix(got, "Connection: close\r\n\r\n") {
		t.Errorf("a connection past its keep-alive duration: %q", got)
	}
}

func TestSlowBodyIsNotIdle(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
		for range 8 {
			time.Sleep(200 * time.Millisecond) // far below the idle timeout, but above it in total
			_, _ = io.WriteString(out, ".")
		}
	})
	port := serve(t, target, func(lb *balancer.LoadBalancer) { lb.IdleTimeout = 1500 * time.Millisecond })
	got := send(t, port, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if !strings.HasSuffix(got, "\r\n\r\n........") {
		t.Errorf("%q", got)
	}
}
