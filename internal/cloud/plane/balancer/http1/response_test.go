//go:build linux

package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
)

func TestResponseFraming(t *testing.T) {
	for _, c := range []struct {
		name    string
		method  string
		head    []byte
		framing Framing
		length  int64
		keep    bool
	}{
		{"sized", "GET", lines("HTTP/1.1 200 OK", "Content-Length: 3"), Sized, 3, true},
		{"empty", "GET", lines("HTTP/1.1 200 OK", "Content-Length: 0"), NoBody, 0, true},
		{"response to HEAD", "HEAD", lines("HTTP/1.1 200 OK", "Content-Length: 3"), NoBody, 0, true},
		{"no content", "GET", lines("HTTP/1.1 204 No Content"), NoBody, 0, true},
		{"not modified", "GET", lines("HTTP/1.1 304", "Content-Length: 3"), NoBody, 0, true},
		{
			"chunked", "GET", lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Connection: close"), Chunked, 0,
			false,
		},
		{"until closed", "GET", lines("HTTP/1.1 200 OK"), UntilClose, 0, false},
		{"HTTP/1.0", "GET", lines("HTTP/1.0 200 OK", "Content-Length: 3"), Sized, 3, false},
		{
			"HTTP/1.0 with keep-alive", "GET", lines("HTTP/1.0 200 OK", "Content-Length: 3", "Connection: keep-alive"),
			Sized, 3, true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Response
			if err := r.Parse(c.head, []byte(c.method)); err != nil || r.Framing != c.framing || r.Length != c.length ||
				r.KeepAlive != c.keep {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func TestMalformedResponsesAreRefused(t *testing.T) {
	for _, bad := range [][]byte{
		lines("HTTP/2 200"), lines("HTTP/1.1 20"), lines("HTTP/1.1 2000 x"), lines("ICY 200 OK"),
		lines(
			"HTTP/1.1 200 OK", "Content-Length: 3", "Transfer-Encoding: chunked",
		), lines("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4"),
		lines("HTTP/1.1 200 OK", "Transfer-Encoding: gzip"), lines("HTTP/1.1 200 OK", "X : y"),
	} {
		var r Response
		var p *ParseError
		if err := r.Parse(bad, []byte("GET")); !errors.As(err, &p) {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// FuzzResponse compares with net/http, which must read the same body in a response that is
// accepted, and end it at the same place.
func FuzzResponse(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nok\r\n0\r\nX: y\r\n\r\nHTTP/1.1",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok?",
		"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: identity\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nuntil the end",
	} {
		f.Add([]byte(text), "GET")
		f.Add([]byte(text), "HEAD")
	}
	f.Fuzz(func(t *testing.T, text []byte, method string) {
		end := HeadLen(text, 0)
		var r Response
		if end == 0 || r.Parse(text[:end], []byte(method)) != nil {
			return
		}
		body, whole := bodyOf(&r, text[end:])
		if !whole || method == "CONNECT" { // never sent to a target
			return
		}
		in := bufio.NewReader(bytes.NewReader(text))
		standard, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return // net/http refuses more
		}
		content, err := io.ReadAll(standard.Body)
		if err != nil {
			return
		}
		if standard.StatusCode != r.Status || string(content) != body {
			t.Errorf("%q: net/http reads %d %q, not %d %q", text, standard.StatusCode, content, r.Status, body)
		}
	})
}

// bodyOf returns the body of a response at the beginning of text, and whether it is whole.
func bodyOf(r *Response, text []byte) (body string, whole bool) {
	switch r.Framing {
	case NoBody:
		return "", true
	case UntilClose:
		return string(text), true
	case Sized:
		if r.Length > int64(len(text)) {
			return "", false
		}
		return string(text[:r.Length]), true
	}
	body, _, whole, err := scan(string(text), max(1, len(text)))
	return body, whole && err == nil
}
