package load

import (
	"context"
	"net"
	"strings"
)

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
