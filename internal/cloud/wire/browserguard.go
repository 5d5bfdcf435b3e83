package wire

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// refuseBrowsers refuses requests that a web page could have sent. A page in the
// user's browser can reach a loopback port, either directly, which shows in
// Origin or Sec-Fetch-Site, or under a host name of its own that resolves to
// 127.0.0.1 (DNS rebinding), which shows in Host. allowed is whether the
// configuration of a bucket allows the page's request.
func (h *handler) refuseBrowsers(r *http.Request, allowed bool) *Error {
	site := r.Header.Get("Sec-Fetch-Site")
	ownSite := site == "" || site == "none" || site == "same-origin"
	if !allowed && (r.Header.Get("Origin") != "" || !ownSite) {
		return forbidden("Requests from web pages are refused.")
	}
	return h.refuseHost(r)
}

func (h *handler) refuseHost(r *http.Request) *Error {
	if endpointOf(r).ID == "" && !h.isOwnHost(r.Host) {
		return forbidden("The Host header does not name this machine's loopback interface.")
	}
	return nil
}

func (h *handler) isOwnHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(h.Hosts, host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func forbidden(why string) *Error {
	return &Error{Code: "AccessDenied", Message: why, Status: http.StatusForbidden}
}
