package load

import (
	"context"
	"net"
	"net/http"
	"time"
)

const (
	// visitors are there at a time. One client alone would put all its requests
	// on one connection, so on one node of a load balancer, and see nothing of
	// what happens to the others.
	visitors = 64
	// stay is how long a visitor keeps his connections. Then another comes, who
	// looks the name up anew.
	stay = 30 * time.Second
	// together is how many idle connections a visitor keeps, as browsers do.
	together = 6
)

// crowd are the visitors of a site. They come by in turn.
type crowd struct {
	connect  func(ctx context.Context, network, address string) (net.Conn, error)
	turn     int
	visitors [visitors]visitor
}

type visitor struct {
	came        time.Time
	connections *http.Transport
}

// newCrowd lets visitors in, whose dials end with ctx: a dial is not its
// request's alone and would outlast it.
func newCrowd(ctx context.Context, now time.Time, dial func(context.Context, string, string) (net.Conn, error)) *crowd {
	c := &crowd{connect: func(dialling context.Context, network, address string) (net.Conn, error) {
		dialling, cancel := context.WithCancel(dialling)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return dial(dialling, network, address)
	}}
	for i := range c.visitors {
		// They came one after the other, so they leave one after the other.
		c.visitors[i] = visitor{came: now.Add(-stay * time.Duration(i) / visitors), connections: c.browser()}
	}
	return c
}

// next is whose turn it is. It is not called concurrently.
func (c *crowd) next(now time.Time) *http.Transport {
	v := &c.visitors[c.turn]
	c.turn = (c.turn + 1) % visitors
	if now.Sub(v.came) >= stay {
		v.connections.CloseIdleConnections() // those in use are closed when they become idle
		*v = visitor{came: now, connections: c.browser()}
	}
	return v.connections
}

// leave closes all connections that are idle.
func (c *crowd) leave() {
	for _, v := range c.visitors {
		v.connections.CloseIdleConnections()
	}
}

// browser keeps connections alive and speaks HTTP/1.1, so that a lost connection
// is a lost request and not many. It uses no proxy: what is measured is the site.
func (c *crowd) browser() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:           protocols,
		DisableCompression:  true,
		MaxIdleConnsPerHost: together,
		IdleConnTimeout:     stay,
		DialContext:         c.connect,
	}
}
