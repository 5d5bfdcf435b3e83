package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines makes a head of its lines.
func lines(l ...string) []byte { return []byte(strings.Join(l, "\r\n") + "\r\n\r\n") }

func TestARequestIsTakenApart(t *testing.T) {
	var r Request
	if err := r.Parse(lines("POST /a/b?c=d&e HTTP/1.1", "Host: example.com:8080", "X-Odd:  spaced \t", "content-length: 12", "Connection: close, X-Odd")); err != nil {
		t.Fatal(err)
	}
	if string(r.Method) != "POST" || string(r.Path) != "/a/b" || string(r.Query) != "c=d&e" ||
		string(r.Host) != "example.com:8080" {
		t.Errorf("%s %s %s %s", r.Method, r.Path, r.Query, r.Host)
	}
	if r.Framing != Sized || r.Length != 12 || r.KeepAlive || r.Minor != 1 || r.Class != Compliant {
		t.Errorf("%+v", r)
	}
	odd, ok := r.Value("x-odd")
	if !ok || string(odd) != "spaced" || r.Fields[1].Kind != NamedByConnection {
		t.Errorf("%q %v %v", odd, ok, r.Fields[1].Kind)
	}
}

func TestTargetsHaveThreeForms(t *testing.T) {
	for _, c := range []struct{ line, path, query, host string }{
		{"GET / HTTP/1.1", "/", "", "h"},
		{"GET /?a HTTP/1.1", "/", "a", "h"},
		{"GET http://other:81/p?q HTTP/1.1", "/p", "q", "other:81"},
		{"GET HTTP://other?q HTTP/1.1", "", "q", "other"},
		{"OPTIONS * HTTP/1.1", "*", "", "h"},
	} {
		var r Request
		if err := r.Parse(lines(c.line, "Host: h")); err != nil || string(r.Path) != c.path ||
			string(r.Query) != c.query ||
			string(r.Host) != c.host {
			t.Errorf("%s: %v: path %q query %q host %q", c.line, err, r.Path, r.Query, r.Host)
		}
	}
}

// The corpus: what attackers send so that two readers see different requests,
// and what sloppy clients send. The classes are AWS's where it documents them.
func TestRequestsAreClassifiedAsOnAWS(t *testing.T) {
	const get, post, host = "GET / HTTP/1.1", "POST / HTTP/1.1", "Host: h"
	for _, c := range []struct {
		name   string
		head   []byte
		class  Class
		reason Reason
	}{
		{"plain", lines(get, host), Compliant, ""},
		{"chunked", lines(post, host, "Transfer-Encoding: chunked"), Compliant, ""},
		{"length", lines(post, host, "Content-Length: 5"), Compliant, ""},
		{"space in URI", lines("GET /a b HTTP/1.1", host), Acceptable, SpaceInURI},
		{"HTTP/1.7", lines("GET / HTTP/1.7", host), Acceptable, NonCompliantVersion},
		{"Latin-1 in a value", lines(get, host, "X: caf\xe9"), Acceptable, NonCompliantHeader},
		{"bell in a value", lines(get, host, "X: a\ab"), Acceptable, NonCompliantHeader},
		{"GET with length 0", lines(get, host, "Content-Length: 0"), Acceptable, GetHeadZeroContentLength},
		{"GET with a body", lines(get, host, "Content-Length: 3"), Ambiguous, UndefinedContentLengthSemantics},
		{"HEAD with chunks", lines("HEAD / HTTP/1.1", host, "Transfer-Encoding: chunked"), Ambiguous, UndefinedTransferEncodingSemantics},
		{"control character in URI", lines("GET /a\x01 HTTP/1.1", host), Ambiguous, AmbiguousURI},
		{"CL.TE", lines(post, host, "Content-Length: 6", "Transfer-Encoding: chunked"), Ambiguous, BothTeClPresent},
		{"TE.CL", lines(post, host, "Transfer-Encoding: chunked", "Content-Length: 6"), Ambiguous, BothTeClPresent},
		{"identity and length", lines(post, host, "Transfer-Encoding: identity", "Content-Length: 6"), Ambiguous, BothTeClPresent},
		{"the same length twice", lines(post, host, "Content-Length: 6", "Content-Length: 6"), Ambiguous, DuplicateContentLength},
		{"nameless field", lines(get, host, ": x"), Ambiguous, EmptyHeader},
		{"line of spaces", lines(get, host, "   "), Ambiguous, EmptyHeader},
		{"underscore", lines(post, host, "Transfer_Encoding: chunked"), Ambiguous, SuspiciousHeader},
		{"punctuation", lines(post, host, "Content.Length: 5"), Ambiguous, SuspiciousHeader},
		{"underscore beside a length", lines(post, host, "Content-Length: 5", "Transfer_Encoding: chunked"), Severe, SuspiciousTeClPresent},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Request
			if err := r.Parse(c.head); err != nil || r.Class != c.class || r.Reason != c.reason {
				t.Errorf("%v %v %q, want %v %q", err, r.Class, r.Reason, c.class, c.reason)
			}
		})
	}
}

func TestWhatTwoReadersCouldTakeDifferentlyIsRefused(t *testing.T) {
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
		{"length with sign", lines(post, host, "Content-Length: +5"), 400, BadContentLength},
		{"length with sign -", lines(post, host, "Content-Length: -5"), 400, BadContentLength},
		{"length in hexadecimal", lines(post, host, "Content-Length: 0x5"), 400, BadContentLength},
		{"list of lengths", lines(post, host, "Content-Length: 5, 5"), 400, BadContentLength},
		{"empty length", lines(post, host, "Content-Length:"), 400, BadContentLength},
		{"immense length", lines(post, host, "Content-Length: 99999999999999999999"), 400, BadContentLength},
		{"two lengths", lines(post, host, "Content-Length: 5", "Content-Length: 6"), 400, MultipleContentLength},
		{"chunked twice", lines(post, host, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400, MultipleTransferEncodingChunked},
		{"chunked in a list", lines(post, host, "Transfer-Encoding: chunked, identity"), 400, BadTransferEncoding},
		{"xchunked", lines(post, host, "Transfer-Encoding: xchunked"), 400, BadTransferEncoding},
		{"chunked with a vertical tab", lines(post, host, "Transfer-Encoding: \vchunked"), 400, BadTransferEncoding},
		{"cow after chunked", lines(post, host, "Transfer-Encoding: chunked", "Transfer-Encoding: cow"), 400, BadTransferEncoding},
		{"chunked of HTTP/1.0", lines("POST / HTTP/1.0", host, "Transfer-Encoding: chunked"), 400, BadTransferEncoding},
		{"gzip", lines(post, host, "Transfer-Encoding: gzip"), 501, ""},
		{"no host", lines(get), 400, ""},
		{"two hosts", lines(get, host, host), 400, ""},
		{"empty host", lines(get, "Host:"), 400, ""},
		{"host with a path", lines(get, "Host: a/b"), 400, ""},
		{"host with user", lines(get, "Host: a@b"), 400, ""},
		{"method with a space before", lines(" GET / HTTP/1.1", host), 400, BadMethod},
		{"method with a parenthesis", lines("GE(T / HTTP/1.1", host), 400, BadMethod},
		{"no version", lines("GET /", host), 400, ""},
		{"bad version", lines("GET / HTTQ/1.1", host), 400, BadVersion},
		{"long version", lines("GET / HTTP/1.10", host), 400, BadVersion},
		{"HTTP/2", lines("GET / HTTP/2.0", host), 505, ""},
		{"null in the target", lines("GET /\x00 HTTP/1.1", host), 400, BadURI},
		{"tunnel", lines("CONNECT h:80 HTTP/1.1", host), 400, ""},
		{"relative target", lines("GET a HTTP/1.1", host), 400, ""},
		{"long request line", lines("GET /"+strings.Repeat("a", MaxRequestLine)+" HTTP/1.1", host), 414, ""},
		{"long field", lines(get, host, "X: "+strings.Repeat("a", MaxField)), 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Request
			err := r.Parse(c.head)
			var p *ParseError
			if !errors.As(err, &p) || p.Status != c.status || p.Reason != c.reason {
				t.Fatalf("%v (%+v), want %d %q", err, r, c.status, c.reason)
			}
			if p.Reason != "" && (r.Class != Severe || r.Reason != p.Reason) {
				t.Errorf("class %v %q", r.Class, r.Reason)
			}
		})
	}
}

func TestAResponseIsFramed(t *testing.T) {
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
		{"to HEAD", "HEAD", lines("HTTP/1.1 200 OK", "Content-Length: 3"), NoBody, 0, true},
		{"no content", "GET", lines("HTTP/1.1 204 No Content"), NoBody, 0, true},
		{"not modified", "GET", lines("HTTP/1.1 304", "Content-Length: 3"), NoBody, 0, true},
		{"chunked", "GET", lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Connection: close"), Chunked, 0, false},
		{"until closed", "GET", lines("HTTP/1.1 200 OK"), UntilClose, 0, false},
		{"HTTP/1.0", "GET", lines("HTTP/1.0 200 OK", "Content-Length: 3"), Sized, 3, false},
		{"HTTP/1.0 that keeps", "GET", lines("HTTP/1.0 200 OK", "Content-Length: 3", "Connection: keep-alive"), Sized, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Response
			if err := r.Parse(c.head, []byte(c.method)); err != nil || r.Framing != c.framing || r.Length != c.length ||
				r.KeepAlive != c.keep {
				t.Errorf("%v %+v", err, r)
			}
		})
	}
	for _, bad := range [][]byte{
		lines("HTTP/2 200"), lines("HTTP/1.1 20"), lines("HTTP/1.1 2000 x"), lines("ICY 200 OK"),
		lines("HTTP/1.1 200 OK", "Content-Length: 3", "Transfer-Encoding: chunked"), lines("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4"),
		lines("HTTP/1.1 200 OK", "Transfer-Encoding: gzip"), lines("HTTP/1.1 200 OK", "X : y"),
	} {
		var r Response
		var p *ParseError
		if err := r.Parse(bad, []byte("GET")); !errors.As(err, &p) {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	head := lines(
		"GET /some/path?x=y HTTP/1.1",
		"Host: web-1.us-east-1.elb.localhost:3000",
		"User-Agent: wrk",
		"Accept: */*",
		"Connection: keep-alive",
		"Cookie: a=b; c=d",
		"X-Forwarded-For: 10.0.0.1",
		"Accept-Encoding: gzip",
	)
	answer := lines(
		"HTTP/1.1 200 OK",
		"Date: Mon, 01 Jan 2026 00:00:00 GMT",
		"Content-Type: text/plain",
		"Content-Length: 100",
		"Set-Cookie: a=b",
	)
	var r Request
	var a Response
	parse := func() {
		if r.Parse(head) != nil || a.Parse(answer, r.Method) != nil {
			t.Fatal("malformed")
		}
	}
	parse()
	if n := testing.AllocsPerRun(100, parse); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRequest compares with net/http: what is accepted as compliant must mean
// the same to it.
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
		if r.Parse(head[:end]) != nil || r.Class != Compliant {
			return
		}
		theirs, err := http.ReadRequest(
			bufio.NewReader(io.MultiReader(bytes.NewReader(head[:end]), strings.NewReader("0\r\n\r\n"))),
		)
		if err != nil {
			return // it refuses more: URLs that cannot be parsed, say
		}
		if theirs.Method != string(r.Method) || r.Host != nil && theirs.Host != string(r.Host) {
			t.Errorf("net/http reads %s %s, not %s %s", theirs.Method, theirs.Host, r.Method, r.Host)
		}
		length, chunked := theirs.ContentLength, len(theirs.TransferEncoding) > 0
		if chunked != (r.Framing == Chunked) || r.Framing == Sized && length != r.Length ||
			r.Framing == NoBody && length != 0 {
			t.Errorf("net/http frames %d %v, not %v %d", length, theirs.TransferEncoding, r.Framing, r.Length)
		}
	})
}

func TestTheEndOfAHeadIsFoundInPieces(t *testing.T) {
	head := lines("GET / HTTP/1.1", "Host: h")
	got := []int{}
	for i := range head {
		got = append(got, HeadLen(head[:i], max(0, i-1)))
	}
	if diff := cmp.Diff(make([]int, len(head)), got); diff != "" || HeadLen(head, len(head)-1) != len(head) {
		t.Errorf("%v", diff)
	}
	if !HasBareLF([]byte("GET / HTTP/1.1\nHost"), 0) || !HasBareLF([]byte("\n"), 0) ||
		HasBareLF([]byte("GET / HTTP/1.1\r\nHost: h\r"), 0) ||
		!HasBareLF([]byte("a\r\nb\n"), 3) {
		t.Error("a bare line feed makes a head hopeless, and nothing else does")
	}
}
