//go:build linux

package cloud

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// securePort is where clients expect AWS's own names, and dial whatever endpoint they are told.
const securePort = 443

// ownNames are the names at which the local cloud itself serves TLS at port 443, beside load
// balancers. The loopback front, which has that port, forwards connections to the daemon.
type ownNames struct {
	store  *store.Store
	issuer *issuer
}

// ofStore returns the names: those of EC2 Instance Connect Endpoints, and where subscribers fetch
// the certificate for the signatures of Amazon SNS.
func (*ownNames) ofStore(r store.Reader) []string {
	var names []string
	for _, row := range store.InstanceConnectEndpoints.List(r) {
		names = append(names, row.DNSName)
	}
	for _, row := range store.Subscriptions.List(r) {
		if row.Protocol != "email" { // its messages have no signature
			names = append(names, notification.Endpoint(row.Region.Name()))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// certificate returns the certificate for the name in a ClientHello.
func (n *ownNames) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(hello.ServerName)
	if !slices.Contains(n.ofStore(n.store.View()), name) {
		return nil, fmt.Errorf("the local cloud does not serve the name %q", hello.ServerName)
	}
	c, err := n.issuer.certificate(name)
	if err != nil {
		return nil, err
	}
	return c.Certificate, nil
}

// listen returns the listener to which the loopback front forwards.
func (*ownNames) listen(ctx context.Context) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the local cloud's own names: %w", err)
	}
	return l, nil
}

// neighbours returns what the loopback front forwards to the listener's address.
func (n *ownNames) neighbours(to net.Addr) func(r store.Reader) []balancer.Neighbour {
	at := netip.MustParseAddrPort(to.String()) // of TCP
	return func(r store.Reader) []balancer.Neighbour {
		var out []balancer.Neighbour
		for _, name := range n.ofStore(r) {
			out = append(out, balancer.Neighbour{DNSName: name, Port: securePort, To: at})
		}
		return out
	}
}
