//go:build linux

package engine

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// Types and flags of HTTP/2 frames (RFC 9113, section 6).
const (
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagEndHeaders = 0x4
)

// frame appends a frame.
func frame(b []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	b = append(b, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags)
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// getRoot is GET https://a/ (RFC 7541, appendix A).
var getRoot = []byte{0x82, 0x84, 0x87, 0x41, 1, 'a'}

// dialHTTP2 begins an HTTP/2 connection.
func dialHTTP2(t *testing.T, port uint16) *tls.Conn {
	t.Helper()
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	preface := frame([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameSettings, 0, 0, nil)
	if _, err := conn.Write(preface); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestFloodOfFramesEndsTheConnection sends what has brought down servers of HTTP/2
// (CVE-2023-44487, CVE-2023-45288, CVE-2019-9512, CVE-2019-9515). The client does not read
// meanwhile.
func TestFloodOfFramesEndsTheConnection(t *testing.T) {
	var inFlight, most atomic.Int64
	target := balancertest.Backend(t, "a", func(_ http.ResponseWriter, r *http.Request) {
		if r.UserAgent() == "ELB-HealthChecker/2.0" {
			return
		}
		for n := inFlight.Add(1); n > most.Load(); {
			most.Store(n)
		}
		<-r.Context().Done()
		inFlight.Add(-1)
	})
	s := overHTTP2(t, nil, target)
	for _, c := range []struct {
		name  string
		begin []byte
		each  func(b []byte, i uint32) []byte
	}{
		{"requests that are reset", nil, func(b []byte, i uint32) []byte {
			b = frame(b, frameHeaders, flagEndHeaders|flagEndStream, 2*i+1, getRoot)
			return frame(b, frameReset, 0, 2*i+1, []byte{0, 0, 0, 8})
		}},
		{
			"a header that does not end", frame(nil, frameHeaders, flagEndStream, 1, getRoot),
			func(b []byte, _ uint32) []byte {
				field := append([]byte{0, 1, 'x', 0x7f, 0x81, 0x07}, bytes.Repeat([]byte("x"), 1024)...)
				return frame(b, frameContinuation, 0, 1, field)
			},
		},
		{"pings", nil, func(b []byte, _ uint32) []byte { return frame(b, framePing, 0, 0, make([]byte, 8)) }},
		{"settings", nil, func(b []byte, _ uint32) []byte { return frame(b, frameSettings, 0, 0, nil) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dialHTTP2(t, s.port)
			_ = conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
			_, err := conn.Write(c.begin)
			for i := uint32(0); err == nil; { // until the load balancer has had enough
				var b []byte
				for range 64 {
					b = c.each(b, i)
					i++
				}
				_, err = conn.Write(b)
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection has not ended: %v", err)
			}
			waitFor(t, "the connection ends", func() bool {
				whole, streams := connections(s.engine)
				return whole+streams == 0
			})
		})
	}
	if n := most.Load(); n > 5*maxStreams {
		t.Errorf("a target had %d requests in flight", n)
	}
}

func TestHeadThatTricklesIsCutOff(t *testing.T) {
	port := serve(t, balancertest.Backend(t, "a", nil), nil)
	conn := dial(t, port)
	go func() {
		for _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nX: "); err == nil; _, err = io.WriteString(conn, "x") {
			time.Sleep(50 * time.Millisecond)
		}
	}()
	if got, _ := io.ReadAll(conn); !strings.HasPrefix(string(got), "HTTP/1.1 408 ") {
		t.Errorf("%q", got)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.limits = limits{total: 8, node: 6, source: 3, connect: 2}
	e.open.Total = int64(e.limits.total)
	conf := balancertest.OneGroup(port, 1)
	conf.LoadBalancers[0].Listeners[0].Action = balancertest.Fixed(200, "")
	secure := conf.LoadBalancers[0].Listeners[0]
	secure.Port, secure.ARN = balancertest.FreePort(t), "arn:tls"
	conf.LoadBalancers[0].Listeners = append(conf.LoadBalancers[0].Listeners, secure)
	conf = withTLS(conf, modern, issue(t, curveKey(t), tomorrow, balancertest.DNSName))
	plainPort, securePort := secure.Port, port
	e.Set(conf)
	served := func(conn net.Conn) bool {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		n, _ := conn.Read(make([]byte, 4096))
		return err == nil && n > 0
	}
	var open []net.Conn
	for range 2 { // they do not begin their handshakes
		open = append(open, dial(t, securePort))
	}
	waitFor(t, "two connections", func() bool { whole, _ := connections(e); return whole == 2 })
	at, config := fmt.Sprintf("127.0.1.1:%d", securePort), &tls.Config{InsecureSkipVerify: true}
	if _, err := tls.Dial("tcp", at, config); err == nil {
		t.Error("a third handshake was not refused")
	}
	third := dial(t, plainPort)
	if !served(third) {
		t.Error("the third connection was refused")
	}
	if served(dial(t, plainPort)) {
		t.Error("the fourth connection was not refused")
	}
	if n := e.Counters().Nodes[0].Sums["RejectedConnectionCount"]; n != 2 {
		t.Errorf("%d connections count as rejected, want 2", n)
	}
	for _, conn := range append(open, third) {
		_ = conn.Close()
	}
	waitFor(t, "no connection", func() bool { whole, _ := connections(e); return whole == 0 })
	for range 3 {
		if !served(dial(t, plainPort)) {
			t.Error("a connection was refused although the others have ended")
		}
	}
}
