//go:build linux

package vpchttp

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

// serve serves an empty response and returns the listener, the client's connection after
// its first response, and what Serve returns.
func serve(t *testing.T, ctx context.Context) (net.Listener, net.Conn, chan error) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ReadHeaderTimeout: time.Minute,
	}
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, server, listener) }()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1<<10)); err != nil {
		t.Fatal(err)
	}
	return listener, conn, done
}

func TestNoConnectionOutlivesTheListenerOrTheContext(t *testing.T) {
	for name, end := range map[string]func(net.Listener, context.CancelFunc){
		"listener": func(l net.Listener, _ context.CancelFunc) { _ = l.Close() },
		"context":  func(_ net.Listener, cancel context.CancelFunc) { cancel() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		listener, conn, done := serve(t, ctx)
		end(listener, cancel)
		if err := <-done; err != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: read %d bytes from a connection that must be closed", name, n)
		}
		cancel()
	}
}
