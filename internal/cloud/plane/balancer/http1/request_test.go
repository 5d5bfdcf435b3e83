//go:build linux

package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// lines joins lines into a head.
func lines(l ...string) []byte { return []byte(strings.Join(l, "\r\n") + "\r\n\r\n") }

func TestRequestParse(t *testing.T) {
	head := lines("POST /a/b?c=d&e HTTP/1.1", "Host: example.com:8080", "X-Odd:  spaced \t",
		"content-length: 12", "Connection: close, X-Odd")
	var r Request
	if err := r.Parse(head); err != nil {
		t.Fatal(err)
	}
	if string(r.Method) != "POST" || string(r.Path) != "/a/b" || string(r.Query) != "c=d&e" ||
		string(r.Host) != "example.com:8080" {
		t.Errorf("got method %s, path %s, query %s, host %s", r.Method, r.Path, r.Query, r.Host)
	}
	if r.Framing != Sized || r.Length != 12 || r.KeepAlive || r.Minor != 1 || r.Class != Compliant {
		t.Errorf("got %+v", r)
	}
	odd, ok := r.Value("x-odd")
	if !ok || string(odd) != "spaced" || r.Fields[1].Kind != NamedByConnection {
		t.Errorf("got X-Odd %q %v of kind %v", odd, ok, r.Fields[1].Kind)
	}
}

func TestRequestTarget(t *testing.T) {
	for _, c := range []struct{ line, path, query, host string }{
		{"GET / HTTP/1.1", "/", "", "h"},
		{"GET /?a HTTP/1.1", "/", "a", "h"},
		{"GET http://other:81/p?q HTTP/1.1", "/p", "q", "other:81"},
		{"GET HTTP://other?q HTTP/1.1", "/", "q", "other"},
		{"OPTIONS * HTTP/1.1", "*", "", "h"},
	} {
		var r Request
		err := r.Parse(lines(c.line, "Host: h"))
		if err != nil || string(r.Path) != c.path || string(r.Query) != c.query || string(r.Host) != c.host {
			t.Errorf("%s: %v: got path %q query %q host %q", c.line, err, r.Path, r.Query, r.Host)
		}
	}
}

func TestAmbiguousAndMalformedRequestsAreRefused(t *testing.T) {
	const get, post, host = "GET / HTTP/1.1", "POST / HTTP/1.1", "Host: h"
	for _, c := range []struct {
		name   string
		head   []byte
		status int
		reason Reason
	}{
		{"space before the colon", lines(post, host, "Transfer-Encoding : chunked"), 400, BadHeader},
		{"tab before the colon", lines(post, host, "Transfer-Encoding\t: chunked"), 400, BadHeader},
		{"folded line", lines(post, host, "X: a", " Transfer-Encoding: chunked"), 400, BadHeader},
		{"null in a name", lines(post, host, "Transfer-Encoding\x00: chunked"), 400, BadHeader},
		{"vertical tab in a name", lines(post, host, "\vTransfer-Encoding: chunked"), 400, BadHeader},
		{"null in a value", lines(get, host, "X: a\x00b"), 400, BadHeader},
		{"carriage return in a value", lines(get, host, "X: a\rTransfer-Encoding: chunked"), 400, BadHeader},
		{"bare line feed", []byte("GET / HTTP/1.1\r\nHost: h\nContent-Length: 5\r\n\r\n"), 400, BadHeader},
		{"no colon", lines(get, host, "nonsense"), 400, BadHeader},
		{"length with plus sign", lines(post, host, "Content-Length: +5"), 400, BadContentLength},
		{"length with minus sign", lines(post, host, "Content-Length: -5"), 400, BadContentLength},
		{"length in hexadecimal", lines(post, host, "Content-Length: 0x5"), 400, BadContentLength},
		{"list of lengths", lines(post, host, "Content-Length: 5, 5"), 400, BadContentLength},
		{"empty length", lines(post, host, "Content-Length:"), 400, BadContentLength},
		{"length with 20 digits", lines(post, host, "Content-Length: 99999999999999999999"), 400, BadContentLength},
		{"two lengths", lines(post, host, "Content-Length: 5", "Content-Length: 6"), 400, MultipleContentLength},
		{
			"chunked twice", lines(post, host, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400,
			MultipleTransferEncodingChunked,
		},
		{"chunked in a list", lines(post, host, "Transfer-Encoding: chunked, identity"), 400, BadTransferEncoding},
		{"xchunked", lines(post, host, "Transfer-Encoding: xchunked"), 400, BadTransferEncoding},
		{"chunked with a vertical tab", lines(post, host, "Transfer-Encoding: \vchunked"), 400, BadTransferEncoding},
		{
			"cow after chunked", lines(post, host, "Transfer-Encoding: chunked", "Transfer-Encoding: cow"), 400,
			BadTransferEncoding,
		},
		{
			"chunked and identity", lines(post, host, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"), 400,
			BadTransferEncoding,
		},
		{"chunked of HTTP/1.0", lines("POST / HTTP/1.0", host, "Transfer-Encoding: chunked"), 400, BadTransferEncoding},
		{"gzip", lines(post, host, "Transfer-Encoding: gzip"), 501, ""},
		{"no host", lines(get), 400, ""},
		{"two hosts", lines(get, host, host), 400, ""},
		{"empty host", lines(get, "Host:"), 400, ""},
		{"host with a path", lines(get, "Host: a/b"), 400, ""},
		{"host with user", lines(get, "Host: a@b"), 400, ""},
		{"space before the method", lines(" GET / HTTP/1.1", host), 400, BadMethod},
		{"method with a parenthesis", lines("GE(T / HTTP/1.1", host), 400, BadMethod},
		{"no version", lines("GET /", host), 400, ""},
		{"bad version", lines("GET / HTTQ/1.1", host), 400, BadVersion},
		{"long version", lines("GET / HTTP/1.10", host), 400, BadVersion},
		{"HTTP/2", lines("GET / HTTP/2.0", host), 505, ""},
		{"null in the target", lines("GET /\x00 HTTP/1.1", host), 400, BadURI},
		{"tunnel", lines("CONNECT h:80 HTTP/1.1", host), 400, ""},
		{"tunnel to a path", lines("CONNECT /h:80 HTTP/1.1", host), 400, ""},
		{"relative target", lines("GET a HTTP/1.1", host), 400, ""},
		{"long request line", lines("GET /"+strings.Repeat("a", maxRequestLine)+" HTTP/1.1", host), 414, ""},
		{"long field", lines(get, host, "X: "+strings.Repeat("a", maxField)), 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Request
			err := r.Parse(c.head)
			var p *ParseError
			if !errors.As(err, &p) || p.Status != c.status || p.Reason != c.reason {
				t.Fatalf("got error %v (%+v), want status %d %q", err, r, c.status, c.reason)
			}
			if p.Reason != "" && (r.Class != Severe || r.Reason != p.Reason) {
				t.Errorf("got class %v %q, want Severe", r.Class, r.Reason)
			}
		})
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	requestHead := lines(
		"GET /some/path?x=y HTTP/1.1",
		"Host: web-1.us-east-1.elb.localhost:3000",
		"User-Agent: wrk",
		"Accept: */*",
		"Connection: keep-alive",
		"Cookie: a=b; c=d",
		"X-Forwarded-For: 10.0.0.1",
		"Accept-Encoding: gzip",
	)
	responseHead := lines(
		"HTTP/1.1 200 OK",
		"Date: Mon, 01 Jan 2026 00:00:00 GMT",
		"Content-Type: text/plain",
		"Content-Length: 100",
		"Set-Cookie: a=b",
	)
	var request Request
	var response Response
	parse := func() {
		if request.Parse(requestHead) != nil || response.Parse(responseHead, request.Method) != nil {
			t.Fatal("a head was refused")
		}
	}
	parse()
	if n := testing.AllocsPerRun(100, parse); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzRequest compares with net/http, which must understand a request that every mode but
// strictest forwards in the same way.
func FuzzRequest(f *testing.F) {
	for _, head := range [][]byte{
		lines("GET / HTTP/1.1", "Host: h"),
		lines("POST /a?b HTTP/1.1", "Host: h:1", "Content-Length: 3"),
		lines("POST /a HTTP/1.0", "Content-Length: 3"),
		lines("PUT http://h/a HTTP/1.1", "Host: g", "Transfer-Encoding: chunked"),
		lines("GET / HTTP/1.1", "Host: h", "Connection: a, b", "A: 1", "X:\t y \t"),
	} {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		end := HeadLen(head, 0)
		if end == 0 {
			return
		}
		var r Request
		if r.Parse(head[:end]) != nil || r.Class > Acceptable {
			return
		}
		standard, err := http.ReadRequest(
			bufio.NewReader(io.MultiReader(bytes.NewReader(head[:end]), strings.NewReader("0\r\n\r\n"))),
		)
		if err != nil {
			return // net/http refuses more, such as URLs that it cannot parse
		}
		if standard.Method != string(r.Method) || r.Host != nil && standard.Host != string(r.Host) {
			t.Errorf("net/http reads %s %s, not %s %s", standard.Method, standard.Host, r.Method, r.Host)
		}
		length, chunked := standard.ContentLength, len(standard.TransferEncoding) > 0
		if chunked != (r.Framing == Chunked) || r.Framing == Sized && length != r.Length ||
			r.Framing == NoBody && length != 0 {
			t.Errorf("net/http frames %d %v, not %v %d", length, standard.TransferEncoding, r.Framing, r.Length)
		}
	})
}
