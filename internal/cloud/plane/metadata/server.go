//go:build linux

package metadata

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"time"
)

// Server is the instance metadata service.
type Server struct {
	source Source
	tokens *tokenIssuer
	log    *slog.Logger
}

// New returns a server for the instances of source. Session tokens of an earlier server
// are invalid; clients request a new token when one is refused.
func New(source Source, log *slog.Logger) (*Server, error) {
	tokens, err := newTokenIssuer()
	if err != nil {
		return nil, err
	}
	return &Server{source: source, tokens: tokens, log: log}, nil
}

// Headers are the headers of requests that the service reads.
func Headers() []string { return []string{forwardedHeader, tokenHeader, tokenTTLHeader} }

// Handler returns the handler of requests from the VPC's machines, which it identifies by their
// addresses. Its responses limit their hops if the http.ResponseWriter has a method LimitHops.
func (s *Server) Handler(vpcID string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "EC2ws")
		instance, ipv6, ok := s.instanceOf(vpcID, r)
		switch {
		case !ok:
			writeError(w, http.StatusNotFound)
		case !instance.EndpointEnabled, ipv6 && !instance.IPv6Enabled,
			r.Header.Get(forwardedHeader) != "" && r.Method == http.MethodPut:
			// An open proxy may have forwarded the request for someone else.
			writeError(w, http.StatusForbidden)
		case r.Method == http.MethodPut && path.Clean(r.URL.Path) == "/latest/api/token":
			s.serveToken(w, r, instance)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "OPTIONS, GET, HEAD, PUT")
			writeError(w, http.StatusMethodNotAllowed)
		case !s.allowed(r, instance):
			writeError(w, http.StatusUnauthorized)
		default:
			s.serveContent(w, r, instance)
		}
	})
}

// instanceOf returns the instance that sent the request, and whether it did so over IPv6.
func (s *Server) instanceOf(vpcID string, r *http.Request) (instance Instance, ipv6, ok bool) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return Instance{}, false, false
	}
	address := from.Addr().Unmap()
	instance, ok = s.source.Instance(vpcID, address)
	return instance, address.Is6(), ok
}

// allowed reports whether the request has a valid token or needs none.
func (s *Server) allowed(r *http.Request, instance Instance) bool {
	if token := r.Header.Get(tokenHeader); token != "" {
		return s.tokens.valid(instance.ID, token, time.Now())
	}
	return !instance.TokensRequired
}

// writeError writes the error page that the service on AWS returns.
func writeError(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	title := strconv.Itoa(status) + " - " + http.StatusText(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>%s</title>
 </head>
 <body>
  <h1>%s</h1>
 </body>
</html>
`, title, title)
}
