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
