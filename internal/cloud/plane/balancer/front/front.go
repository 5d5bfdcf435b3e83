//go:build linux

// Package front serves load balancers on the host's loopback. It stands in for DNS
// and the internet: it accepts connections at every port that a listener uses,
// reads which load balancer the first request or the ClientHello names, and
// connects to the public address of one of its nodes. After that it copies bytes,
// so the connection passes the internet gateway, network ACLs and security groups.
package front

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

// acceptPause is how long a port does not accept after an error, such as one for
// want of file descriptors.
const acceptPause = 100 * time.Millisecond

// Front resolves the names of load balancers and forwards connections to their
// nodes.
//
// The addresses of a name take turns. An address that does not accept costs the
// connection its connect timeout (connectTimeout), after which the front tries the
// next address; the client sees a slow connection and no failure. A node that
// fails three checks, ten seconds apart, leaves its name until it passes as many
// (dnsCheck). An established connection stays with its node: if the node falls
// silent, the connection hangs until the client gives up. On AWS a client may also
// keep an answer for the 60 seconds of the records' TTL (Elastic Load Balancing
// User Guide, "Request routing"); the front resolves the name for each connection.
type Front struct {
	log        *slog.Logger
	keeper     keeper.Sockets
	failedOver func(public netip.Addr) bool
	check      nodeCheck
	ctx        context.Context //nolint:containedctx // ends with Close
	stop       context.CancelFunc
	tasks      sync.WaitGroup
	accepting  sync.WaitGroup // ports, and the connections that they accepted

	routes atomic.Pointer[routes]

	mu    sync.Mutex
	nodes map[netip.AddrPort]*node
	ports map[uint16]*port
}

// port is a port of the loopback.
type port struct {
	listeners []net.Listener // at loopbacks; nil: not open
	err       error          // why it is not open
}

// New returns a front without ports, which will be from the keeper. failedOver reports whether too few targets of
// the node with that public address are healthy for its name to include it.
func New(log *slog.Logger, from keeper.Sockets, failedOver func(public netip.Addr) bool) *Front {
	ctx, stop := context.WithCancel(context.Background())
	f := &Front{
		log: log, keeper: from, failedOver: failedOver, check: dnsCheck, ctx: ctx, stop: stop,
		nodes: map[netip.AddrPort]*node{}, ports: map[uint16]*port{},
	}
	f.routes.Store(&routes{})
	return f
}

// Set serves these load balancers and their neighbours, and no others. A port that cannot be
// opened shows in Status; OpenPorts tries again.
func (f *Front) Set(lbs []balancer.LoadBalancer, neighbours []balancer.Neighbour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, now := *f.routes.Load(), routes{}
	nodes := map[netip.AddrPort]*node{}
	for _, lb := range lbs {
		for i := range lb.Listeners {
			l := &lb.Listeners[i]
			if len(l.Forwards) > 0 && !slices.Contains(l.Forwards, "tcp") {
				continue // a client of UDP has to use the addresses of the nodes
			}
			if of := f.nodesOf(lb, l, nodes); len(of) > 0 {
				now.add(lb.DNSName, l, of, old)
			}
		}
	}
	for _, lb := range lbs {
		now.addAliases(lb)
	}
	for _, n := range neighbours {
		now.addNeighbour(n)
	}
	for at, n := range f.nodes {
		if nodes[at] == nil {
			n.stop()
		}
	}
	f.nodes = nodes
	f.routes.Store(&now)
	for number, p := range f.ports {
		if now[number] == nil {
			f.closePort(number, p)
		}
	}
	for number := range now {
		if f.ports[number] == nil {
			f.ports[number] = &port{}
		}
	}
	f.openPorts()
}

// nodesOf returns a load balancer's nodes at the port of a listener and adds them to known.
// It starts to check new ones, unless a connection is a flow to a target. The lock is held.
func (f *Front) nodesOf(lb balancer.LoadBalancer, l *balancer.Listener, known map[netip.AddrPort]*node) []*node {
	var nodes []*node
	for _, conf := range lb.Nodes {
		if !conf.Public.IsValid() {
			continue
		}
		at := netip.AddrPortFrom(conf.Public, l.Port)
		n := f.nodes[at]
		if n == nil {
			n = known[at]
		}
		if n == nil {
			ctx, stop := context.WithCancel(f.ctx)
			n = &node{at: at, stop: stop, failedOver: func() bool { return f.failedOver(conf.Public) }}
			if len(l.Forwards) == 0 {
				f.tasks.Go(func() { n.watch(ctx, f.check) })
			}
		}
		known[at] = n
		nodes = append(nodes, n)
	}
	return nodes
}

// OpenPorts tries again to open the ports that it could not open.
func (f *Front) OpenPorts() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.openPorts()
}

func (f *Front) openPorts() {
	for number, p := range f.ports {
		if p.listeners != nil {
			continue
		}
		listeners, err := f.listen(number)
		if err != nil {
			if p.err == nil {
				f.log.Warn("cannot open a load balancer's port on the loopback", "port", number, "error", err)
			}
			p.err = err
			continue
		}
		p.listeners, p.err = listeners, nil
		for _, listener := range listeners {
			f.accepting.Go(func() { f.accept(listener, number) })
		}
	}
}

// loopbacks are the addresses at which the front listens: names below localhost resolve to
// both, to the second one first with many clients.
var loopbacks = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

// listen listens at all loopbacks that the host has, or at none: another user's program at one
// of them would get requests that are meant for the load balancer.
func (f *Front) listen(number uint16) (listeners []net.Listener, err error) {
	for _, address := range loopbacks {
		l, err := f.listenAt(netip.AddrPortFrom(address, number))
		if err != nil {
			f.closeAll(listeners, number)
			return nil, err
		}
		if l != nil {
			listeners = append(listeners, l)
		}
	}
	return listeners, nil
}

// listenAt listens at an address. It returns nil if the host does not have it.
func (f *Front) listenAt(at netip.AddrPort) (net.Listener, error) {
	fd, err := f.keeper.Listen(keeper.Namespace{}, at)
	if err != nil || fd < 0 {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer func() { _ = file.Close() }()
	return net.FileListener(file)
}

// closePort frees a port. The lock is held.
func (f *Front) closePort(number uint16, p *port) {
	delete(f.ports, number)
	f.closeAll(p.listeners, number)
}

// closeAll closes listeners and frees their port.
func (f *Front) closeAll(listeners []net.Listener, number uint16) {
	if len(listeners) == 0 {
		return
	}
	for _, l := range listeners {
		_ = l.Close()
	}
	for _, address := range loopbacks {
		if err := f.keeper.Forget(keeper.Namespace{}, netip.AddrPortFrom(address, number)); err != nil {
			f.log.Warn("close a port of the loopback", "address", address, "port", number, "error", err)
		}
	}
}

// Failing reports whether a port could not be opened.
func (f *Front) Failing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.ports {
		if p.err != nil {
			return true
		}
	}
	return false
}

// Status returns the ports' status in ascending order.
func (f *Front) Status() []balancer.FrontStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []balancer.FrontStatus
	for number, p := range f.ports {
		s := balancer.FrontStatus{Port: number}
		if p.err != nil {
			s.Error = p.err.Error()
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b balancer.FrontStatus) int { return int(a.Port) - int(b.Port) })
	return out
}

// Close ends all connections and waits for them.
func (f *Front) Close() {
	f.stop()
	f.Set(nil, nil)
	f.accepting.Wait()
	f.tasks.Wait()
}

// Retire accepts no more connections, because another process does so at the same sockets.
// Connections continue until Close.
func (f *Front) Retire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.ports {
		for _, l := range p.listeners {
			_ = l.Close() // but the keeper does not forget it
		}
	}
	clear(f.ports)
}

// Finish waits, after Retire, until all connections have ended or ctx has.
func (f *Front) Finish(ctx context.Context) {
	ended := make(chan struct{})
	f.tasks.Go(func() { f.accepting.Wait(); close(ended) })
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

func (f *Front) accept(listener net.Listener, number uint16) {
	var connections sync.WaitGroup
	defer connections.Wait()
	var failing admission.Notice
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			connections.Go(func() { f.serve(client, number) })
			continue
		}
		if times, due := failing.Due(time.Now()); due {
			f.log.Warn("accept on the loopback", "port", number, "error", err, "times", times)
		}
		select {
		case <-f.ctx.Done():
			return
		case <-time.After(acceptPause):
		}
	}
}

// serve forwards one connection.
func (f *Front) serve(client net.Conn, number uint16) {
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(f.ctx, func() { _ = client.Close() })()
	if r := (*f.routes.Load())[number].opaque(); r != nil {
		f.join(client, r, nil)
		return
	}
	host, secure, read, err := peekName(client)
	if err != nil {
		if len(read) > 0 && !secure {
			respond(client, http.StatusBadRequest, "This is not an HTTP request: "+err.Error()+"\n")
		}
		return
	}
	known := (*f.routes.Load())[number]
	r := known.find(host)
	if secure {
		r = known.forTLS(host)
	}
	switch {
	case r == nil && secure:
		f.log.Info("no load balancer has the name in a ClientHello", "name", host, "port", number)
		_, _ = client.Write(unrecognizedName)
		return
	case r == nil:
		respond(client, http.StatusNotFound, known.notFound(host, number))
		return
	}
	f.join(client, r, read)
}

// join connects a client, whose first bytes it has read, with a node of the route.
func (f *Front) join(client net.Conn, r *route, read []byte) {
	node, err := r.dial(f.ctx)
	if err != nil {
		f.log.Debug("no node accepts", "client", client.LocalAddr(), "error", err)
		return // the client sees a closed connection, as with an address that refuses
	}
	defer func() { _ = node.Close() }()
	defer context.AfterFunc(f.ctx, func() { _ = node.Close() })()
	if _, err := node.Write(read); err == nil {
		join(client, node)
	}
}
