//go:build linux

package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	var requests atomic.Int64
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(r.Body)
			requests.Add(1)
			text := r.URL.Path + string(body)
			_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		}
	})
	response := send(t, serve(t, target, nil), "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy\r\n"+
		"POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"+
		"GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	var bodies []string
	for in := bufio.NewReader(strings.NewReader(response)); ; {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			break
		}
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
	}
	if fmt.Sprint(bodies) != "[/axy /bz /c]" || requests.Load() != 3 {
		t.Errorf("%d requests, responses %v", requests.Load(), bodies)
	}
}

func TestBadRequestsGetAWSsCodes(t *testing.T) {
	target := respondingTarget(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	ports := map[string]uint16{}
	for _, mode := range []string{"monitor", "defensive", "strictest"} {
		ports[mode] = serve(t, target, func(lb *balancer.LoadBalancer) { lb.Desync = mode })
	}
	const (
		host = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
		get  = "GET /x" + host
		post = "POST /x" + host
	)
	forwarders := "X-Forwarded-For: 10.0.0.1" + strings.Repeat(", 10.0.0.1", 30) + "\r\n"
	longField := "A: " + strings.Repeat("a", 15<<10) + "\r\n"
	for _, c := range []struct {
		name, text                    string
		monitor, defensive, strictest int
	}{
		{"compliant", get + "\r\n", 200, 200, 200},
		{"acceptable", get + "Content-Length: 0\r\n\r\n", 200, 200, 400},
		{"ambiguous", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 200, 400},
		{"severe but readable", post + "Content-Length: 0\r\nTransfer_Encoding: chunked\r\n\r\n", 200, 400, 400},
		{"severe", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, 400, 400},
		{"nonsense", "nonsense\r\n\r\n", 400, 400, 400},
		{"lines that end in a line feed", "GET /x HTTP/1.1\nHost: h\n\n", 400, 400, 400},
		{"TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\n", 400, 400, 400},
		{"TRACE", "TRACE /x" + host + "\r\n", 405, 405, 405},
		{"long line", "GET /" + strings.Repeat("a", 17<<10) + host + "\r\n", 414, 414, 414},
		{"long field", get + "A: " + strings.Repeat("a", 17<<10) + "\r\n\r\n", 400, 400, 400},
		{"long head", get + strings.Repeat(longField, 5) + "\r\n", 400, 400, 400},
		{"31 forwarders", get + forwarders + "\r\n", 463, 463, 463},
		{"gzip", post + "Transfer-Encoding: gzip\r\n\r\n", 501, 501, 501},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 505, 505},
	} {
		codes := map[string]int{"monitor": c.monitor, "defensive": c.defensive, "strictest": c.strictest}
		for mode, want := range codes {
			response := send(t, ports[mode], c.text)
			if !strings.HasPrefix(response, fmt.Sprintf("HTTP/1.1 %d ", want)) {
				t.Errorf("%s, %s: %.40q, want %d", c.name, mode, response, want)
			}
			if want >= 400 && !strings.Contains(response, "\r\nServer: awselb/2.0\r\nDate: ") {
				t.Errorf("%s, %s: not the load balancer's own response: %q", c.name, mode, response)
			}
		}
	}
}

func TestAmbiguousRequestIsTheLastOnItsConnection(t *testing.T) {
	target := respondingTarget(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	port := serve(t, target, func(lb *balancer.LoadBalancer) { lb.Desync = "defensive" })
	response := send(t, port, "GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na"+
		"GET /y HTTP/1.1\r\nHost: h\r\n\r\n")
	if strings.Count(response, "HTTP/1.1 200") != 1 || !strings.Contains(response, "Connection: close") {
		t.Errorf("%q", response)
	}
}

func TestRequestDoesNotAllocate(t *testing.T) {
	// The client and the target do not allocate either: allocations are counted for
	// the whole process.
	answer := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 5\r\n\r\nhello")
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		buf := make([]byte, 4096)
		for {
			if n, err := in.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
				return
			}
			if _, err := out.Write(answer); err != nil {
				return
			}
		}
	})
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, target)
	conf.LoadBalancers[0].Nodes[0].Public = netip.Addr{}
	conf.TargetGroups[0].Check.Interval = time.Hour // one check, which is over before the count begins
	e.Set(conf)
	waitHealthy(t, e)
	conn, buf := dial(t, port), make([]byte, 4096)
	ask := []byte("GET /x HTTP/1.1\r\nHost: h\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n")
	once := func() {
		_, _ = conn.Write(ask)
		if n, err := conn.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("hello")) {
			t.Fatalf("%q %v", buf[:n], err)
		}
	}
	for range 100 {
		once()
	}
	// Other parts of the process, such as the sweeper, allocate now and then. What a
	// request allocates shows in every measurement.
	least := math.Inf(1)
	for range 10 {
		least = min(least, testing.AllocsPerRun(200, once))
	}
	if least >= 1 && !raceDetector {
		t.Errorf("%v allocations a request", least)
	}
}
