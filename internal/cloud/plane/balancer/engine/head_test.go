//go:build linux

package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

var (
	traceID = regexp.MustCompile(`1-[0-9a-f]{8}-[0-9a-f]{24}`)
	date    = regexp.MustCompile(`Date: [^\r]+`)
)

func TestHeadsArePassedOnAsOnAWS(t *testing.T) {
	got := make(chan string, 1)
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		got <- readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 200 Fine\r\nX-Case: Kept\r\nKeep-Alive: timeout=5\r\n"+
			"Connection: keep-alive\r\ncontent-length: 2\r\n\r\nhi")
	})
	port := serve(t, target, nil)
	response := send(t, port, "GET /p?q HTTP/1.1\r\nhost: Example.com\r\nACCEPT: a\r\nTE: trailers\r\n"+
		"Proxy-Connection: x\r\nCookie: b=c\r\nConnection: close, X-Gone\r\nX-Gone: 1\r\n\r\n")
	want := fmt.Sprintf("GET /p?q HTTP/1.1\r\n"+
		"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: %[1]d\r\n"+
		"Host: Example.com:%[1]d\r\nX-Amzn-Trace-Id: Root=ID\r\nACCEPT: a\r\nCookie: b=c\r\n\r\n", port)
	if seen := traceID.ReplaceAllString(<-got, "ID"); seen != want {
		t.Errorf("the target saw\n%s\nnot\n%s", seen, want)
	}
	want = "HTTP/1.1 200 Fine\r\nX-Case: Kept\r\nDate: now\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
	if response := date.ReplaceAllString(response, "Date: now"); response != want {
		t.Errorf("the client saw %q", response)
	}
}

func TestHostIsPreservedOnlyIfConfigured(t *testing.T) {
	got := make(chan string, 1)
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		r, err := http.ReadRequest(in)
		if err == nil {
			got <- r.Host
		}
		_, _ = io.WriteString(out, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	port := serve(t, target, func(lb *balancer.LoadBalancer) { lb.PreserveHost = true })
	send(t, port, "GET /p HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	if host := <-got; host != "example.com" {
		t.Errorf("Host %q", host)
	}
}
