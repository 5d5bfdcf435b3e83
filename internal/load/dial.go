package load

import (
	"context"
	"net"
	"strings"
)

// Dial dials a name as everything does, except that a name under localhost is
// this machine whatever a resolver says of it (RFC 6761, section 6.3).
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if err == nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
