//go:build linux

package engine

import (
	"context"
	"errors"
	"io"
	"net"

	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// flowBuffer is how many bytes of a flow in one direction a node holds at most.
const flowBuffer = 32 << 10

var errNoTarget = errors.New("no target can serve the connection")

// serveFlow serves a connection of a listener of a Network Load Balancer: it passes on what
// the client and one target send, and the end of either direction. If that fails, it resets both
// connections, because a proper end would say that everything has arrived.
func (c *connection) serveFlow() {
	up, err := c.connectFlow()
	if err == nil {
		err = c.joinFlow(up)
		if err != nil {
			up.socket.Reset()
			_ = up.socket.Close() // closing TLS would write an alert
		}
		up.close()
	}
	if err != nil {
		c.socket.Reset()
		_ = c.socket.Close()
	}
	c.close()
}

// connectFlow chooses a target and connects to it. It offers a target that uses TLS the protocol
// that the client negotiated by ALPN, because what follows is of that protocol.
func (c *connection) connectFlow() (*upstream, error) {
	l := c.port.listener()
	if l == nil || l.rules.Flows() == nil || !c.enterPhase(connecting, nil) {
		return nil, errNoTarget
	}
	pool := l.rules.Flows()
	member := pool.Flow(c.client)
	if member == nil {
		return nil, errNoTarget
	}
	ctx, cancel := context.WithTimeout(c.port.node.engine.ctx, connectTimeout)
	defer cancel()
	to := member.Owner.(*target).upstreams
	impersonate := pool.Settings().Impersonate && c.client.Addr().Is4() == to.at.Addr().Is4()
	conn, err := c.port.node.dialFlow(ctx, c, to, impersonate)
	if err != nil {
		return nil, err
	}
	var protocols []string
	if c.tls != nil && c.tls.NegotiatedProtocol != "" {
		protocols = []string{c.tls.NegotiatedProtocol}
	}
	return to.secure(ctx, conn, protocols...)
}

// dialFlow connects to the target, with the client's address if the node is to impersonate it.
func (n *node) dialFlow(
	ctx context.Context, c *connection, to *upstreamPool, impersonate bool,
) (*socket.Conn, error) {
	if !impersonate {
		return n.dial(ctx, nil, to.at)
	}
	sockets := n.sockets.Load()
	if sockets == nil {
		return nil, health.ErrNodeDown
	}
	return sockets.dialAs(ctx, c.client, to.at)
}

// flowProtocol returns the protocol by which the connection's flow counts.
func (c *connection) flowProtocol() flowProtocol {
	if c.tls == nil {
		return tcpFlow
	}
	return tlsFlow
}

// joinFlow copies in both directions until both have ended or one fails.
func (c *connection) joinFlow(up *upstream) error {
	if !c.enterPhase(transferring, up) {
		return errDone
	}
	n, protocol := c.port.node, c.flowProtocol()
	n.counts.lanes[c.lane%lanes].sums[newTLSFlows+int(protocol)].Add(1)
	n.counts.flows[protocol].Add(1)
	defer n.counts.flows[protocol].Add(-1)
	fromClient := make(chan error, 1)
	n.engine.tasks.Go(func() { fromClient <- c.copyFlow(up.conn, c.conn, up) })
	err := c.copyFlow(c.conn, up.conn, up)
	return errors.Join(err, <-fromClient)
}

// copyFlow copies one direction of a flow until it ends. If it fails, so does the other one.
func (c *connection) copyFlow(to, from net.Conn, up *upstream) error {
	count := &c.port.node.counts.lanes[c.lane%lanes].sums[tlsFlowBytes+int(c.flowProtocol())]
	part := make([]byte, flowBuffer)
	for {
		n, err := from.Read(part)
		if n > 0 {
			if _, failed := to.Write(part[:n]); failed != nil {
				err = failed
			}
			count.Add(uint64(n))
		}
		switch {
		case err == nil:
			continue
		// Many programs end TLS connections without saying so.
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if half, ok := to.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite() // it fails if the peer has gone, which the other direction finds
			}
			return nil
		}
		_ = c.conn.SetDeadline(past)
		_ = up.conn.SetDeadline(past)
		return err
	}
}

// endsWithTarget reports whether the connection is to end because the registration of the target
// has ended, or because the target is unhealthy. The connection's lock is held.
func (c *connection) endsWithTarget() bool {
	if !c.opaque {
		return c.up.deregistered()
	}
	l := c.port.listener()
	if l == nil || l.rules.Flows() == nil {
		return false
	}
	pool := l.rules.Flows()
	return c.up.deregistered() && pool.Settings().EndDeregistered || pool.EndsUnhealthy(c.up.pool.at)
}
