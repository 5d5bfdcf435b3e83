package balancer

import (
	"bytes"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// cookieOf finds a cookie in the request (RFC 6265, section 5.4).
func cookieOf(r *http1.Request, name string) ([]byte, bool) {
	for i := range r.Fields {
		if !http1.EqualFold(r.Fields[i].Name, "Cookie") {
			continue
		}
		for rest := r.Fields[i].Value; len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte{';'})
			if key, value, ok := bytes.Cut(bytes.TrimSpace(pair), []byte{'='}); ok && string(key) == name {
				return value, true
			}
		}
	}
	return nil, false
}

// sets tells whether the response sets the cookie.
func sets(resp *http1.Response, name string) bool {
	for i := range resp.Fields {
		if !http1.EqualFold(resp.Fields[i].Name, "Set-Cookie") {
			continue
		}
		pair, _, _ := bytes.Cut(resp.Fields[i].Value, []byte{';'})
		if key, _, ok := bytes.Cut(bytes.TrimSpace(pair), []byte{'='}); ok && string(bytes.TrimSpace(key)) == name {
			return true
		}
	}
	return false
}
