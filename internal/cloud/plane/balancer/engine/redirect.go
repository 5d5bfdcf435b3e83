//go:build linux

package engine

import (
	"net"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// redirectURL returns the URL of a redirect, with the parts of the request's own URL in
// place of the placeholders.
func (c *connection) redirectURL(r *balancer.Redirect, req *http1.Request) string {
	host := string(req.Host)
	if _, port, err := net.SplitHostPort(host); err == nil {
		host = strings.TrimSuffix(host, ":"+port) // an IPv6 address keeps its brackets
	}
	fill := strings.NewReplacer(
		"#{protocol}", c.scheme(),
		"#{host}", host,
		"#{port}", strconv.Itoa(int(c.port.number)),
		"#{path}", strings.TrimPrefix(string(req.Path), "/"),
		"#{query}", string(req.Query),
	).Replace
	url := strings.ToLower(fill(r.Protocol)) + "://" + fill(r.Host) + ":" + fill(r.Port) + fill(r.Path)
	if query := fill(r.Query); query != "" {
		url += "?" + query
	}
	return url
}
