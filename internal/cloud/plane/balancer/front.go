package balancer

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What the front reads of a connection before it must know where it leads.
const (
	peekBytes  = 64 << 10
	peekWithin = 10 * time.Second
)

// front stands in for DNS and the internet on the host: it accepts connections
// on the loopback at every port that some listener uses, looks which load
// balancer the first request or the ClientHello of TLS names, and passes the
// connection on to the public address of one of its nodes. From there on it only copies bytes, so that
// internet gateway, network ACLs and security groups have their say.
//
// What it stands in for, it does as follows. The addresses in a name's answer
// take turns. One that does not accept costs the connection the client's own
// connect time-out (frontConnect), after which it goes on to the next address;
// the client sees a slow connection and no failure. A node that fails three
// checks of ten seconds leaves the answers until it passes as many
// (recordCheck). A connection that stands stays with its node: when that falls
// silent, it hangs until its client gives it up. On AWS a client may besides
// keep an answer for the 60 seconds of the records' life (Elastic Load
// Balancing User Guide, "Request routing"); the front asks anew each time.
//
// Its fields are guarded by the engine's lock, but routes.
type front struct {
	owner  *Engine
	check  nodeCheck
	nodes  map[netip.AddrPort]*frontNode
	ports  map[uint16]*frontPort
	routes atomic.Pointer[map[uint16]map[string]*route]
}

type frontPort struct {
	listener net.Listener // nil: not open
	err      error
}

// route is one load balancer as its DNS name resolves.
type route struct {
	nodes        []*frontNode
	turn         atomic.Uint64
	certificates []*x509.Certificate // of an HTTPS listener
}

func newFront(owner *Engine) *front {
	f := &front{
		owner: owner,
		check: recordCheck,
		nodes: map[netip.AddrPort]*frontNode{},
		ports: map[uint16]*frontPort{},
	}
	f.routes.Store(&map[uint16]map[string]*route{})
	return f
}

func (f *front) set(lbs []LoadBalancer) {
	old := *f.routes.Load()
	routes := map[uint16]map[string]*route{}
	nodes := map[netip.AddrPort]*frontNode{}
	for _, lb := range lbs {
		for _, l := range lb.Listeners {
			of := f.nodesOf(lb, l.Port, nodes)
			if len(of) == 0 {
				continue
			}
			if routes[l.Port] == nil {
				routes[l.Port] = map[string]*route{}
			}
			name := strings.ToLower(lb.DNSName)
			r := old[l.Port][name]
			if certificates := certified(&l); r == nil || !slices.Equal(r.nodes, of) ||
				!slices.EqualFunc(r.certificates, certificates, (*x509.Certificate).Equal) {
				r = &route{nodes: of, certificates: certificates}
			}
			routes[l.Port][name] = r
		}
	}
	for at, n := range f.nodes {
		if nodes[at] == nil {
			n.stop()
		}
	}
	f.nodes = nodes
	f.routes.Store(&routes)
	for port, p := range f.ports {
		if routes[port] == nil {
			if p.listener != nil {
				_ = p.listener.Close()
			}
			delete(f.ports, port)
		}
	}
	for port := range routes {
		if f.ports[port] == nil {
			f.ports[port] = &frontPort{}
		}
	}
	f.open()
}

// nodesOf gives the public addresses of a load balancer at a port, which are
// watched from then on, and adds them to those that are known.
func (f *front) nodesOf(lb LoadBalancer, port uint16, known map[netip.AddrPort]*frontNode) []*frontNode {
	var nodes []*frontNode
	for _, conf := range lb.Nodes {
		if !conf.Public.IsValid() {
			continue
		}
		at := netip.AddrPortFrom(conf.Public, port)
		n := f.nodes[at]
		if n == nil {
			n = known[at]
		}
		if n == nil {
			ctx, stop := context.WithCancel(f.owner.ctx)
			n = &frontNode{at: at, stop: stop, unfit: func() bool { return f.owner.failsOver(conf.Public) }}
			f.owner.tasks.Go(func() { n.watch(ctx, f.check) })
		}
		known[at] = n
		nodes = append(nodes, n)
	}
	return nodes
}

// open opens the ports that are not: somebody else may hold one.
func (f *front) open() {
	for port, p := range f.ports {
		if p.listener != nil {
			continue
		}
		listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)})
		if err != nil {
			if p.err == nil {
				f.owner.log.Warn("cannot open a load balancer's port on the loopback", "port", port, "error", err)
			}
			p.err = err
			continue
		}
		p.listener, p.err = listener, nil
		f.owner.tasks.Go(func() { f.accept(listener, port) })
	}
}

func (f *front) failing() bool {
	for _, p := range f.ports {
		if p.err != nil {
			return true
		}
	}
	return false
}

func (f *front) status() []FrontStatus {
	var out []FrontStatus
	for port, p := range f.ports {
		s := FrontStatus{Port: port}
		if p.err != nil {
			s.Error = p.err.Error()
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b FrontStatus) int { return int(a.Port) - int(b.Port) })
	return out
}

func (f *front) accept(listener net.Listener, port uint16) {
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, say: let some be closed
			f.owner.log.Warn("accept on the loopback", "port", port, "error", err)
			if !wait(f.owner.ctx, time.After(mendEvery), nil) {
				return
			}
			continue
		}
		connections.Go(func() { f.carry(client, port) })
	}
}

// carry passes one connection on.
func (f *front) carry(client net.Conn, port uint16) {
	defer func() { _ = client.Close() }()
	stop := context.AfterFunc(f.owner.ctx, func() { _ = client.Close() })
	defer stop()
	host, secure, read, err := peekName(client)
	if err != nil {
		if len(read) > 0 && !secure {
			say(client, http.StatusBadRequest, "This is not an HTTP request: "+err.Error()+"\n")
		}
		return
	}
	known := (*f.routes.Load())[port]
	r := known[host]
	if secure {
		r = secureRoute(known, host)
	}
	switch {
	case r == nil && secure:
		f.owner.log.Info("no load balancer has the name that a TLS client asks for", "name", host, "port", port)
		_, _ = client.Write(unrecognizedName) // the client may be gone
		return
	case r == nil:
		say(client, http.StatusNotFound, unknownHost(host, port, known))
		return
	}
	node, err := r.dial(f.owner.ctx)
	if err != nil {
		f.owner.log.Debug("no node accepts", "host", host, "port", port, "error", err)
		return // the client sees a closed connection, as from an address that refuses
	}
	defer func() { _ = node.Close() }()
	stopNode := context.AfterFunc(f.owner.ctx, func() { _ = node.Close() })
	defer stopNode()
	if _, err := node.Write(read); err != nil {
		return
	}
	var up sync.WaitGroup
	up.Go(func() { pass(node, client) })
	pass(client, node)
	up.Wait()
}

// pass copies until the source ends and tells the destination so.
func pass(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close() // the other direction ends too
		_ = from.Close()
		return
	}
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

// dial connects to the next node in turn, or the one after it.
func (r *route) dial(ctx context.Context) (net.Conn, error) {
	nodes := resolved(r.nodes)
	first := r.turn.Add(1) - 1
	var errs []error
	for i := range uint64(len(nodes)) {
		conn, err := nodes[(first+i)%uint64(len(nodes))].connect(ctx, frontConnect)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// requestHost reads the first request's header.
func requestHost(in io.Reader) (string, error) {
	req, err := http.ReadRequest(bufio.NewReader(in))
	if err != nil {
		return "", err
	}
	if name, _, err := net.SplitHostPort(req.Host); err == nil {
		return name, nil
	}
	return req.Host, nil
}

func sortedNames(known map[string]*route) []string { return slices.Sorted(maps.Keys(known)) }

func unknownHost(host string, port uint16, known map[string]*route) string {
	names := make([]string, 0, len(known))
	for _, name := range sortedNames(known) {
		scheme := "http"
		if len(known[name].certificates) > 0 {
			scheme = "https"
		}
		names = append(names, fmt.Sprintf("  %s://%s:%d/\n", scheme, name, port))
	}
	return fmt.Sprintf(
		"No load balancer of the local cloud is called %q. On this port there are:\n%s",
		host,
		strings.Join(names, ""),
	)
}

func say(conn net.Conn, code int, text string) {
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = fmt.Fprintf(
		conn,
		"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		code,
		http.StatusText(code),
		len(text),
		text,
	) // the client may be gone
}
