//go:build linux

package http1

import (
	"errors"
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
