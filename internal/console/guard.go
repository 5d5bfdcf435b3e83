package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy lets pages load what this console serves and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect sets the headers of every response.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // without a referrer, forms would have no origin
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// refuse says why a request is refused before anything else, or "": another site sent it, or
// it used a name that is not this computer's (DNS rebinding), or no form of a page sends it.
func refuse(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return "Pages send no such requests."
	}
	if !isLoopback(r.Host) {
		return "The Host header does not name this computer's loopback interface."
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return "Requests from other sites are refused."
	}
	origin := r.Header.Get("Origin")
	if origin != "" && origin != "http://"+r.Host {
		return "Requests from other sites are refused."
	}
	if origin == "" && r.Method == http.MethodPost { // browsers send it with every form
		return "A request that changes something must say which page sent it."
	}
	return ""
}

func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}
