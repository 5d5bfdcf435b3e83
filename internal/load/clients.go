package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

const (
	// clientCount is the number of simultaneous clients. A single client would send
	// all requests over one connection, to one node of a load balancer, and would not
	// notice what happens to the others.
	clientCount = 64
	// clientLifetime is how long a client keeps its connections. A new client then
	// replaces it and resolves the name again.
	clientLifetime = 30 * time.Second
	// idlePerClient is the number of idle connections that a client keeps, as
	// browsers do.
	idlePerClient = 6
)

// clients are the clients of a site. They send requests in turn.
type clients struct {
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	roots   *x509.CertPool
	turn    int
	clients [clientCount]client
}

type client struct {
	started     time.Time
	connections *http.Transport
}

// newClients creates clients whose dials end with ctx. Without ctx a dial could outlast
// its request, because several requests may wait for it.
func newClients(
	ctx context.Context, now time.Time, dial func(context.Context, string, string) (net.Conn, error),
	roots *x509.CertPool,
) *clients {
	c := &clients{roots: roots, connect: func(dialling context.Context, network, address string) (net.Conn, error) {
		dialling, cancel := context.WithCancel(dialling)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return dial(dialling, network, address)
	}}
	for i := range c.clients {
		// Spread the start times, so that clients are replaced one after another.
		c.clients[i] = client{
			started: now.Add(-clientLifetime * time.Duration(i) / clientCount), connections: c.newTransport(),
		}
	}
	return c
}

// next returns the transport of the client whose turn it is. It must not be called
// concurrently.
func (c *clients) next(now time.Time) *http.Transport {
	v := &c.clients[c.turn]
	c.turn = (c.turn + 1) % clientCount
	if now.Sub(v.started) >= clientLifetime {
		v.connections.CloseIdleConnections() // busy ones close when they become idle
		*v = client{started: now, connections: c.newTransport()}
	}
	return v.connections
}

// closeIdle closes all idle connections.
func (c *clients) closeIdle() {
	for _, v := range c.clients {
		v.connections.CloseIdleConnections()
	}
}

// newTransport returns a transport that keeps connections alive and uses HTTP/1.1, so
// that a lost connection loses one request and not many. It uses no proxy: the
// measurement is of the site.
func (c *clients) newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:           protocols,
		DisableCompression:  true,
		MaxIdleConnsPerHost: idlePerClient,
		IdleConnTimeout:     clientLifetime,
		DialContext:         c.connect,
		TLSClientConfig:     &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12},
	}
}
