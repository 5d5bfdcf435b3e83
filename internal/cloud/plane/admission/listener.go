//go:build linux

package admission

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// The wait after an error of accept(2), which doubles from one error to the next.
const (
	minAcceptWait = 5 * time.Millisecond
	maxAcceptWait = time.Second
)

// Listen returns a listener whose Accept returns the connections of l that the gate admits.
// They leave the gate when they are closed. Others are reset at once.
//
// Accept returns an error only when the listener is closed. All other errors pass: they are
// a lack of descriptors or memory, or belong to a connection that has failed meanwhile
// (accept(2), "Error handling").
func (g *Gate) Listen(vpcID string, l net.Listener) net.Listener {
	return &listener{Listener: l, gate: g, vpc: vpcID, closed: make(chan struct{})}
}

type listener struct {
	net.Listener
	gate   *Gate
	vpc    string
	once   sync.Once
	closed chan struct{} // by Close
}

// Accept waits for the next connection that the gate admits.
func (l *listener) Accept() (net.Conn, error) {
	wait := minAcceptWait
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			wait = minAcceptWait
			if admitted, ok := l.admit(conn); ok {
				return admitted, nil
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if others, due := l.gate.notices.Due(Source{VPC: l.vpc}); due {
			l.gate.log.Error("accept a connection; try again", "service", l.gate.service, "vpc", l.vpc,
				"error", err, "errors-before", others)
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.closed:
			timer.Stop()
			return nil, net.ErrClosed
		case <-timer.C:
		}
		wait = min(2*wait, maxAcceptWait)
	}
}

// admit returns the connection if the gate admits it, and resets it otherwise.
func (l *listener) admit(conn net.Conn) (net.Conn, bool) {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	tcp, ok := conn.(*net.TCPConn)
	if err != nil || !ok {
		_ = conn.Close()
		return nil, false
	}
	source := Source{VPC: l.vpc, Address: from.Addr().Unmap()}
	if !l.gate.Enter(source) {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
		return nil, false
	}
	return &Conn{TCPConn: tcp, Source: source, leave: sync.OnceFunc(func() { l.gate.Leave(source) })}, true
}

// Close closes the listener and ends Accept.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Conn is a connection that a gate admitted.
type Conn struct {
	*net.TCPConn
	Source Source
	leave  func()
}

// Close closes the connection, which leaves the gate.
func (c *Conn) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}
