//go:build linux

package front

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/certificate"
)

// routes are the load balancers by port.
type routes map[uint16]names

// names are the load balancers at a port by DNS name, in lower case.
type names map[string]*route

// route is one load balancer as its DNS name resolves.
type route struct {
	nodes        []*node
	turn         atomic.Uint64
	certificates []*x509.Certificate // of an HTTPS listener
	neighbour    bool                // no load balancer: what it serves is its own matter
	opaque       bool                // of a listener that passes on whatever connections carry
}

// add adds a listener. An unchanged route of old stays, and continues its turns.
func (r routes) add(dnsName string, l *balancer.Listener, nodes []*node, old routes) {
	if r[l.Port] == nil {
		r[l.Port] = names{}
	}
	name := strings.ToLower(dnsName)
	added := old[l.Port][name]
	certificates := certificatesOf(l)
	opaque := len(l.Forwards) > 0 || l.Opaque
	if added == nil || !slices.Equal(added.nodes, nodes) || added.opaque != opaque ||
		!slices.EqualFunc(added.certificates, certificates, (*x509.Certificate).Equal) {
		added = &route{nodes: nodes, certificates: certificates, opaque: opaque}
	}
	r[l.Port][name] = added
}

// addAliases adds a load balancer's names in hosted zones. They lead to its own name, which
// therefore must be there already, and never replace that of another.
func (r routes) addAliases(lb balancer.LoadBalancer) {
	for _, known := range r {
		own := known[strings.ToLower(lb.DNSName)]
		if own == nil {
			continue
		}
		for _, alias := range lb.Aliases {
			if name := strings.ToLower(alias); known[name] == nil {
				known[name] = own
			}
		}
	}
}

// addNeighbour adds a neighbour. Its name, which the local cloud has given, goes before a load
// balancer's alias.
func (r routes) addNeighbour(n balancer.Neighbour) {
	if r[n.Port] == nil {
		r[n.Port] = names{}
	}
	r[n.Port][strings.ToLower(n.DNSName)] = &route{nodes: []*node{{at: n.To}}, neighbour: true}
}

// find returns the load balancer with a name, or with the closest wildcard that covers it, or
// nil.
func (n names) find(name string) *route {
	if r := n[name]; r != nil {
		return r
	}
	for _, parent, ok := strings.Cut(name, "."); ok; _, parent, ok = strings.Cut(parent, ".") {
		if r := n["*."+parent]; r != nil {
			return r
		}
	}
	return nil
}

// opaque returns the only load balancer if it passes on connections: their first bytes may name
// no load balancer, or the server may speak first. Otherwise it returns nil.
func (n names) opaque() *route {
	var only *route
	for _, r := range n {
		if !r.opaque || only != nil && only != r {
			return nil
		}
		only = r
	}
	return only
}

// certificatesOf returns a listener's certificates. Their names may be of its users'
// own domains.
func certificatesOf(l *balancer.Listener) []*x509.Certificate {
	if l.TLS == nil {
		return nil
	}
	var out []*x509.Certificate
	for _, c := range l.TLS.Certificates {
		block, _ := pem.Decode([]byte(c.Chain))
		if block == nil {
			continue
		}
		if leaf, err := x509.ParseCertificate(block.Bytes); err == nil {
			out = append(out, leaf)
		}
	}
	return out
}

// forTLS returns the load balancer for the name in a ClientHello, or nil. The name is
// the load balancer's own, an alias of it in a hosted zone, or one in its certificate, for
// domains whose DNS is elsewhere. An exact name goes before a wildcard. A client without
// a name gets the only load balancer that there is.
func (n names) forTLS(name string) *route {
	if r := n.find(name); r != nil {
		return r
	}
	var only, exact, wildcard *route
	several := false
	for _, host := range n.sorted() {
		r := n[host]
		if len(r.certificates) == 0 {
			continue
		}
		several, only = several || only != nil && only != r, r
		for _, c := range r.certificates {
			isExact, isWildcard := certificate.Matches(c, name)
			if isExact && exact == nil {
				exact = r
			}
			if isWildcard && wildcard == nil {
				wildcard = r
			}
		}
	}
	switch {
	case exact != nil:
		return exact
	case wildcard != nil:
		return wildcard
	case name == "" && !several:
		return only
	}
	return nil
}

func (n names) sorted() []string { return slices.Sorted(maps.Keys(n)) }

// notFound returns the message for a client that names an unknown load balancer.
func (n names) notFound(host string, number uint16) string {
	var urls strings.Builder
	for _, name := range n.sorted() {
		if n[name].neighbour {
			continue
		}
		scheme := "http"
		if len(n[name].certificates) > 0 {
			scheme = "https"
		}
		fmt.Fprintf(&urls, "  %s://%s:%d/\n", scheme, name, number)
	}
	return fmt.Sprintf("The local cloud has no load balancer %q. This port serves:\n%s", host, urls.String())
}

// dial connects to the next node in turn, or to the first after it that accepts.
func (r *route) dial(ctx context.Context) (net.Conn, error) {
	nodes := resolve(r.nodes)
	first := r.turn.Add(1) - 1
	var errs []error
	for i := range uint64(len(nodes)) {
		conn, err := nodes[(first+i)%uint64(len(nodes))].connect(ctx, connectTimeout)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
