//go:build linux

package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// openPorts opens missing ports and closes those without a listener. What failed is
// in n.err.
func (n *node) openPorts() {
	n.err = n.findNamespace()
	configured := make(map[uint16]bool, len(n.lb.Listeners))
	for _, l := range n.lb.Listeners {
		if len(l.Forwards) == 0 {
			configured[l.Port] = true
		}
	}
	for number := range n.ports {
		if !configured[number] {
			n.closePort(number)
		}
	}
	if n.err != nil {
		return
	}
	if len(configured) == 0 {
		n.err = n.sockets.Load().tryBind(n.conf.Address) // it could listen
		return
	}
	for number := range configured {
		if n.ports[number] == nil {
			n.err = errors.Join(n.err, n.openPort(number))
		}
	}
}

// findNamespace finds the node's namespace, or the one that replaced it at its path.
func (n *node) findNamespace() error {
	in, err := n.engine.keeper.Find(n.conf.Namespace)
	if err != nil {
		return err
	}
	old := n.sockets.Load()
	if old != nil && old.in == in {
		return nil
	}
	if old != nil {
		n.closePorts()
		old.close()
	}
	n.sockets.Store(&nodeSockets{keeper: n.engine.keeper, in: in})
	return nil
}

func (n *node) openPort(number uint16) error {
	socket, err := n.sockets.Load().listen(netip.AddrPortFrom(n.conf.Address, number))
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", number, err)
	}
	p := newPort(n, number, socket)
	n.ports[number] = p
	p.listen()
	n.log.Info("listening", "address", socket.Addr().String())
	return nil
}

// closePort frees the port at once and lets it finish the requests in flight.
func (n *node) closePort(number uint16) {
	p := n.ports[number]
	delete(n.ports, number)
	n.engine.draining[p] = true
	_ = p.socket.Close()
	if err := n.engine.keeper.Forget(n.sockets.Load().in, p.socket.Addr()); err != nil {
		n.log.Warn("close a port", "port", number, "error", err)
	}
	n.engine.tasks.Go(func() {
		p.close(time.After(drainTimeout))
		n.engine.forgetPort(p)
	})
}

// closePorts closes all ports, and the unused connections to targets.
func (n *node) closePorts() {
	for number := range n.ports {
		n.closePort(number)
	}
	for key, pool := range n.upstreams {
		pool.close()
		delete(n.upstreams, key)
	}
}
