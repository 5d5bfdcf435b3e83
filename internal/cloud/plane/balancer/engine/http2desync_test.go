//go:build linux

package engine

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

// Requests that HTTP/1.1 cannot carry as they are do not reach the target (RFC 9113, section
// 8.1.1).
func TestMalformedHTTP2RequestsAreRefused(t *testing.T) {
	r := newRecorder()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	s := overHTTP2(t, func(lb *balancer.LoadBalancer) { lb.IdleTimeout = 500 * time.Millisecond },
		balancertest.Target("b", server.Listener.Addr()))
	const get, post = ":method GET|:scheme https|:path /a|", ":method POST|:scheme https|:path /a|:authority h|"
	for i, c := range []struct {
		fields, data string
		arrives      bool
	}{
		{get + ":authority h", "", true},
		{get + "host h", "", true},
		{get + ":authority h|host h", "", true},
		{get + ":authority h|te trailers", "", true},
		{post + "content-length 5", "hello", true},
		{post, "hello", true},
		{get + ":authority h|host g", "", false},
		{get + "host h|host g", "", false},
		{get + ":authority h g", "", false},
		{get + ":authority h\r\nX: y", "", false},
		{get + ":authority u@h", "", false},
		{get, "", false},
		{":method GET /hidden|:scheme https|:path /a|:authority h", "", false},
		{":method GET /hidden HTTP/1.1\r\nX:|:scheme https|:path /a|:authority h", "", false},
		{":method CONNECT|:authority h:80", "", false},
		{":method GET|:scheme https|:path a|:authority h", "", false},
		{":method GET|:scheme https|:path |:authority h", "", false},
		{":method GET|:scheme https|:path *|:authority h", "", false},
		{":method GET|:scheme https|:path http://g/a|:authority h", "", false},
		{":method GET|:scheme https|:path /a HTTP/1.1\r\nX: y|:authority h", "", false},
		{":method GET|:scheme https|:path /a\x00|:authority h", "", false},
		{":method GET|:scheme https|:path /a|:path /b|:authority h", "", false},
		{get + ":authority h|transfer-encoding chunked", "", false},
		{get + ":authority h|connection close", "", false},
		{get + ":authority h|upgrade h2c", "", false},
		{get + ":authority h|te gzip", "", false},
		{get + ":authority h|X-Upper a", "", false},
		{get + ":authority h|x a b", "", true}, // the name x
		{get + ":authority h|x:y a", "", false},
		{get + ":authority h|x a\nb: c", "", false},
		{get + ":authority h|content-length 5", "", false},
		{post + "content-length 3", "hello", false},
		{post + "content-length 10", "hello", false},
		{post + "content-length 5|content-length 5", "hello", false},
		{post + "content-length 5, 5", "hello", false},
		{post + "content-length +5", "hello", false},
		{post + "content-length a", "hello", false},
		{post + "transfer-encoding chunked", "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n", false},
	} {
		sendHTTP2(t, s.port, strings.Split(c.fields, "|"), c.data)
		sendHTTP2(t, s.port, []string{":method GET", ":scheme https", ":path " + victim(i), ":authority v"}, "")
		seen := r.takeUntil(t, victim(i))
		var want []seenRequest
		if c.arrives {
			method, _, _ := strings.Cut(c.fields[len(":method "):], "|")
			want = []seenRequest{{method, "/a", fmt.Sprint("h:", s.port), int64(len(c.data))}}
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%q: the target saw %v, not %v", c.fields, seen, want)
		}
	}
}

// sendHTTP2 sends a request with the fields, which are names and values, over a connection
// of its own, and waits for the end of the response or of the stream.
func sendHTTP2(t *testing.T, port uint16, fields []string, data string) {
	t.Helper()
	conn := dialTLS(t, port, &tls.Config{ServerName: balancertest.DNSName, NextProtos: []string{"h2"}})
	defer func() { _ = conn.Close() }()
	var block, out bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		if name, value, ok := strings.Cut(field, " "); ok {
			_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
		}
	}
	out.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&out, conn)
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: data == "",
	})
	if data != "" {
		_ = framer.WriteData(1, true, []byte(data))
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	for {
		switch frame, err := framer.ReadFrame(); f := frame.(type) {
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return
		default:
			if err != nil || f.Header().StreamID == 1 && f.Header().Flags.Has(http2.FlagDataEndStream) {
				return
			}
		}
	}
}

// sink is a connection that keeps what is written.
type sink struct {
	net.Conn
	written bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) { return s.written.Write(p) }

// FuzzStream checks that the HTTP/1.1 that a stream becomes is the request of the stream, or
// is refused.
func FuzzStream(f *testing.F) {
	f.Add("GET", "/a", "h", "x", "y", "")
	f.Add("POST", "/a?b c", "h:1", "Content-Length", "5", "hello")
	f.Add("HEAD", "/", "h ", "X", " y\t", "")
	f.Add("GET /x", "http://h/", "h g", "Host", "g", "")
	f.Add("PUT", "*", "", "Expect", "100-continue", "body")
	f.Fuzz(func(t *testing.T, method, target, host, name, value, body string) {
		for _, text := range []string{method, target, host, value} {
			if !httpguts.ValidHeaderFieldValue(text) {
				return // net/http refuses it
			}
		}
		if !httpguts.ValidHeaderFieldName(name) || strings.ContainsAny(http.CanonicalHeaderKey(name), "_") {
			return
		}
		header := http.Header{http.CanonicalHeaderKey(name): {value}}
		for _, hop := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"} {
			if header.Get(hop) != "" {
				return
			}
		}
		out := &sink{}
		length := int64(-1)
		if body == "" {
			length = 0
		}
		s := &stream{Conn: out, r: &http.Request{
			Method: method, RequestURI: target, Host: host, Header: header, ContentLength: length,
			Body: io.NopCloser(strings.NewReader(body)),
		}}
		s.sendRequest()
		written := out.written.Bytes()
		var r http1.Request
		end := http1.HeadLen(written, 0)
		if r.Parse(written[:end]) != nil {
			return
		}
		host = strings.Trim(host, " \t")
		if string(r.Method) != method || string(r.Target) != target || r.Host != nil && string(r.Host) != host {
			t.Errorf("%q becomes %q", []string{method, target, host}, written)
		}
		value = strings.Trim(value, " \t")
		if got, ok := r.Value(name); ok && string(got) != value && !strings.EqualFold(name, "host") {
			t.Errorf("%s: %q becomes %q", name, value, got)
		}
		var content string
		if r.Framing == http1.Chunked {
			var chunks http1.ChunkScanner
			for rest, done := written[end:], false; !done; {
				n, part, last, err := chunks.Next(rest)
				if err != nil || n == 0 && !last {
					t.Fatalf("the body becomes %q", written[end:])
				}
				content, rest, done = content+string(part), rest[n:], last
			}
		}
		if content != body {
			t.Errorf("the body %q becomes %q", body, content)
		}
	})
}

// FuzzHTTP2 checks that whatever follows the connection preface ends with the connection.
func FuzzHTTP2(f *testing.F) {
	k := &keeper.Keeper{}
	e, err := New(slog.New(slog.DiscardHandler), Loops{Number: 1}, k)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { e.Close(); _ = k.Close() })
	port := balancertest.FreePort(f)
	conf := withTLS(balancertest.OneGroup(port, 1), modern, issue(f, curveKey(f), tomorrow, balancertest.DNSName))
	conf.LoadBalancers[0].Listeners[0].Action = balancertest.Fixed(http.StatusOK, "fixed")
	conf.LoadBalancers[0].IdleTimeout = 500 * time.Millisecond
	e.Set(conf)

	var frames, block bytes.Buffer
	encoder, framer := hpack.NewEncoder(&block), http2.NewFramer(&frames, nil)
	for _, field := range []string{":method POST", ":scheme https", ":path /a", ":authority h"} {
		name, value, _ := strings.Cut(field, " ")
		_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	_ = framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	f.Add(frames.Bytes())
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
	_ = framer.WriteData(1, false, []byte("body"))
	f.Add(frames.Bytes())
	_ = framer.WriteRSTStream(1, http2.ErrCodeCancel)
	_ = framer.WritePing(false, [8]byte{})
	_ = framer.WriteContinuation(1, true, block.Bytes())
	f.Add(frames.Bytes())
	_ = framer.WriteGoAway(1, http2.ErrCodeNo, nil)
	_ = framer.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: block.Bytes()})
	f.Add(frames.Bytes())
	f.Fuzz(func(t *testing.T, after []byte) {
		conn := dialTLS(t, port, &tls.Config{ServerName: balancertest.DNSName, NextProtos: []string{"h2"}})
		_, _ = conn.Write(append([]byte(http2.ClientPreface), after...))
		_ = conn.CloseWrite()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection goes on without its client")
		}
		_ = conn.Close()
		waitNoConnection(t, e)
	})
}
