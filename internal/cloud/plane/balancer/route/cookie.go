//go:build linux

package route

import (
	"bytes"
	"net/http"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// requestCookie returns the value of a cookie in the request (RFC 6265, section 5.4).
func requestCookie(r *http1.Request, name string) ([]byte, bool) {
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

// setsCookie reports whether the response sets the cookie.
func setsCookie(resp *http1.Response, name string) bool {
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

// appendCookie appends a Set-Cookie line. Like AWS's, it has Expires and no Max-Age.
func appendCookie(lines []byte, name, value string, now time.Time, attributes string) []byte {
	lines = append(append(append(append(lines, "Set-Cookie: "...), name...), '='), value...)
	lines = now.Add(cookieLife).UTC().AppendFormat(append(lines, "; Expires="...), http.TimeFormat)
	lines = append(append(lines, "; Path=/"...), attributes...)
	return append(lines, "\r\n"...)
}

// appendCookiePair appends the lines of a cookie and of its twin for cross-site
// requests. On HTTPS listeners the twin is Secure, without which browsers reject
// SameSite=None.
func appendCookiePair(lines []byte, name, twin, value string, now time.Time, https bool) []byte {
	attributes := "; SameSite=None"
	if https {
		attributes += "; Secure"
	}
	return appendCookie(appendCookie(lines, name, value, now, ""), twin, value, now, attributes)
}
