package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Signature Version 4 is described in "Create a signed AWS API request", AWS
// Identity and Access Management User Guide. The tests compare this
// implementation with the SDK's signer.
const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	basicTime  = "20060102T150405Z"
	basicDate  = "20060102"
)

// payloadHeader states the SHA-256 of the body, in hex. Few clients send it to services
// other than S3.
const payloadHeader = "X-Amz-Content-Sha256"

// sign computes the signature of a request: of its method, path, query, the
// headers that the claim lists, and the SHA-256 of the body as received, in hex.
func (c *claim) sign(r *http.Request, payload, secret string) string {
	canonical := strings.Join([]string{
		r.Method,
		c.canonicalPath(r.URL),
		canonicalQuery(r.URL.RawQuery),
		canonicalHeaders(r, c.signedHeaders),
		strings.Join(c.signedHeaders, ";"),
		payload,
	}, "\n")
	hashed := sha256.Sum256([]byte(canonical))
	return c.signText(strings.Join(
		[]string{algorithm, c.time.Format(basicTime), c.scope(), hex.EncodeToString(hashed[:])},
		"\n",
	), secret)
}

// signText returns the signature of a text, in hex.
func (c *claim) signText(text, secret string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{c.date, c.region, c.service, terminator, text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func (c *claim) scope() string {
	return strings.Join([]string{c.date, c.region, c.service, terminator}, "/")
}

// verify reports whether the secret produces the claim's signature of a request with
// this body.
func (c *claim) verify(r *http.Request, body []byte, secret string) bool {
	payload := sha256.Sum256(body)
	return c.verifyPayload(r, hex.EncodeToString(payload[:]), secret)
}

// verifyClaimed reports whether the secret can produce the claim's signature, as far as
// that is known before the body: it cannot if the request states a hash of its body and
// is not signed with that hash.
func (c *claim) verifyClaimed(r *http.Request, secret string) bool {
	if c.version2 {
		return c.verifyVersion2(r, secret)
	}
	payload := r.Header.Get(payloadHeader)
	if c.encodedOnce {
		payload = payloadOfS3(r, c.presigned)
	}
	return payload == "" || c.verifyPayload(r, payload, secret)
}

func (c *claim) verifyPayload(r *http.Request, payload, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(c.sign(r, payload, secret)), []byte(c.signature)) == 1
}

// canonicalPath encodes the path once more than it is on the wire, as every
// service but S3 does.
func (c *claim) canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	if c.encodedOnce {
		path = u.Path // what follows encodes it again
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = encodeURI(s)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery returns the query string sorted by encoded name and value,
// without the signature itself.
func canonicalQuery(raw string) string {
	var pairs [][2]string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = reencode(name), reencode(value)
		if name != "X-Amz-Signature" {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p[0] + "=" + p[1])
	}
	return b.String()
}

// reencode returns the spelling in which a component of a query string is signed.
// A component that cannot be decoded is left as it is and fails verification.
func reencode(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return encodeURI(s)
}

// encodeURI percent-encodes everything except RFC 3986's unreserved characters.
func encodeURI(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

// canonicalHeaders returns one line per signed header, with surrounding and
// repeated spaces removed from its value.
func canonicalHeaders(r *http.Request, signed []string) string {
	var b strings.Builder
	for _, name := range signed {
		values := r.Header.Values(name)
		switch {
		case name == "host":
			values = []string{r.Host}
		case name == "content-length" && len(values) == 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		b.WriteString(name + ":")
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.Fields(v), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
