//go:build linux

package http1

import (
	"testing"
)

// Attackers send such requests to make two parsers see different messages; careless clients
// send others. The classes are AWS's where it documents them.
func TestRequestClassification(t *testing.T) {
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
		{
			"HEAD with chunks", lines("HEAD / HTTP/1.1", host, "Transfer-Encoding: chunked"), Ambiguous,
			UndefinedTransferEncodingSemantics,
		},
		{"control character in URI", lines("GET /a\x01 HTTP/1.1", host), Ambiguous, AmbiguousURI},
		{"CL.TE", lines(post, host, "Content-Length: 6", "Transfer-Encoding: chunked"), Ambiguous, BothTeClPresent},
		{"TE.CL", lines(post, host, "Transfer-Encoding: chunked", "Content-Length: 6"), Ambiguous, BothTeClPresent},
		{
			"identity and length", lines(post, host, "Transfer-Encoding: identity", "Content-Length: 6"), Ambiguous,
			BothTeClPresent,
		},
		{
			"the same length twice", lines(post, host, "Content-Length: 6", "Content-Length: 6"), Ambiguous,
			DuplicateContentLength,
		},
		{"nameless field", lines(get, host, ": x"), Ambiguous, EmptyHeader},
		{"line of spaces", lines(get, host, "   "), Ambiguous, EmptyHeader},
		{"underscore", lines(post, host, "Transfer_Encoding: chunked"), Ambiguous, SuspiciousHeader},
		{"punctuation", lines(post, host, "Content.Length: 5"), Ambiguous, SuspiciousHeader},
		{
			"underscore beside a length", lines(post, host, "Content-Length: 5", "Transfer_Encoding: chunked"), Severe,
			SuspiciousTeClPresent,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Request
			if err := r.Parse(c.head); err != nil || r.Class != c.class || r.Reason != c.reason {
				t.Errorf("got %v, %v %q; want %v %q", err, r.Class, r.Reason, c.class, c.reason)
			}
		})
	}
}
