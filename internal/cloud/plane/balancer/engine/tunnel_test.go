//go:build linux

package engine

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

func TestUpgradedConnectionCarriesBytesBothWays(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		if head := readHead(in); !strings.Contains(head, "Connection: Upgrade\r\nUpgrade: websocket\r\n") {
			_, _ = io.WriteString(out, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			return
		}
		_, _ = io.WriteString(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: x\r\n\r\nhello ")
		_, _ = io.Copy(out, in)
	})
	conn := dial(t, serve(t, target, nil))
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nearly ")
	in := bufio.NewReader(conn)
	want := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n\r\n"
	if got := readHead(in); got != want {
		t.Fatalf("%q", got)
	}
	_, _ = io.WriteString(conn, "late")
	_ = conn.(*net.TCPConn).CloseWrite()
	if rest, _ := io.ReadAll(in); string(rest) != "hello early late" {
		t.Errorf("%q", rest)
	}
}

func TestOnlyWebSocketsAreUpgraded(t *testing.T) {
	for _, c := range []struct {
		name, fields string
		upgrade      bool
	}{
		{"a WebSocket", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n", true},
		{
			"HTTP/2", "Connection: Upgrade, HTTP2-Settings\r\n" +
				"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", false,
		},
		{"a choice", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", false},
		{"two choices", "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n", false},
		{"another order", "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", true},
		{"another protocol", "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			heads := make(chan string, 1)
			target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
				heads <- readHead(in)
				_, _ = io.WriteString(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			})
			conn := dial(t, serve(t, target, nil))
			_, _ = io.WriteString(conn, "GET /a HTTP/1.1\r\nHost: h\r\n"+c.fields+"\r\n")
			want := "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			head := <-heads
			if strings.Contains(head, want) != c.upgrade || !c.upgrade && strings.Contains(head, "Upgrade") ||
				strings.Contains(head, "h2c") {
				t.Errorf("the target got %q", head)
			}
		})
	}
}
