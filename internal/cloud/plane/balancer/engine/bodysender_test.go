//go:build linux

package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
)

func TestClientThatExpectsContinueGetsIt(t *testing.T) {
	const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		readHead(in)
		_, _ = io.WriteString(out, interim)
		body := make([]byte, 4)
		_, _ = io.ReadFull(in, body)
		_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 4\r\n\r\n%s", body)
	})
	conn := dial(t, serve(t, target, nil))
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n"+
		"Connection: close\r\n\r\n")
	in := bufio.NewReader(conn)
	if got := readHead(in) + readHead(in); got != interim {
		t.Fatalf("%q", got)
	}
	_, _ = io.WriteString(conn, "body")
	rest, _ := io.ReadAll(in)
	if string(rest) != "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody" {
		t.Errorf("%q", rest)
	}
}

func TestResponseMayComeBeforeTheBody(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, in)
	})
	conn := dial(t, serve(t, target, nil))
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbeginning")
	want := "HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	if got := readHead(bufio.NewReader(conn)); got != want {
		t.Errorf("%q", got)
	}
}
