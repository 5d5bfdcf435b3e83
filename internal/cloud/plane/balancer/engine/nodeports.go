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
	configured := make(map[netip.AddrPort]bool, len(n.lb.Listeners))
	for _, l := range n.lb.Listeners {
		for _, address := range n.addresses() {
			if l.Accepts(address) {
				configured[netip.AddrPortFrom(address, l.Port)] = true
			}
		}
	}
	for at := range n.ports {
		if !configured[at] {
			n.closePort(at)
		}
	}
	if n.err != nil {
		return
	}
	if len(configured) == 0 {
		n.err = n.sockets.Load().tryBind(n.conf.Address) // it could listen
		return
	}
	for at := range configured {
		if n.ports[at] == nil {
			n.err = errors.Join(n.err, n.openPort(at))
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

func (n *node) openPort(at netip.AddrPort) error {
	socket, err := n.sockets.Load().listen(at)
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", at.Port(), err)
	}
	p := newPort(n, at.Port(), socket)
	n.ports[at] = p
	p.listen()
	n.log.Info("listening", "address", socket.Addr().String())
	return nil
}

// closePort frees the port at once and lets it finish the requests in flight.
func (n *node) closePort(at netip.AddrPort) {
	p := n.ports[at]
	delete(n.ports, at)
	n.engine.draining[p] = true
	_ = p.socket.Close()
	if err := n.engine.keeper.Forget(n.sockets.Load().in, p.socket.Addr()); err != nil {
		n.log.Warn("close a port", "address", at.String(), "error", err)
	}
	n.engine.tasks.Go(func() {
		p.close(time.After(drainTimeout))
		n.engine.forgetPort(p)
	})
}

// closePorts closes all ports, and the unused connections to targets.
func (n *node) closePorts() {
	for at := range n.ports {
		n.closePort(at)
	}
	for key, pool := range n.upstreams {
		pool.close()
		delete(n.upstreams, key)
	}
}
