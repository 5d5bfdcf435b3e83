package load

import (
	"context"
	"net"
	"slices"
	"strings"
)

// Via returns a Dial that connects to another host in place of some: to a load balancer in
// place of the names that lead to it, whatever a resolver still says.
func Via(to string, instead []string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && slices.Contains(instead, host) {
			address = net.JoinHostPort(to, port)
		}
		return Dial(ctx, network, address)
	}
}

// Dial dials an address. It resolves names under localhost to loopback, whatever a
// resolver says (RFC 6761, section 6.3).
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if err == nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
