//go:build linux

package engine

import (
	"io"
	"net"
	"net/http"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// toWebSocket reports whether a request to upgrade asks for a WebSocket and nothing else.
// Application Load Balancers support no other protocol: they strip the header, and the
// target sees an ordinary request (Application Load Balancer guide, Listeners: WebSockets;
// github.com/lstoll/grpce, pull request 19). A tunnel to a target that upgrades to h2c would
// carry requests past the listener's rules.
func toWebSocket(r *http1.Request) bool {
	to, _ := r.Value("upgrade")
	return http1.EqualFold(to, "websocket")
}

// tunnel joins client and target after an upgrade until one of them closes (Application
// Load Balancer guide, Listeners: WebSockets).
func (t *roundTrip) tunnel() bool {
	x, up := t.x, t.up
	defer up.close()
	if !x.req.Upgrade {
		t.c.detachFailedUpstream()
		return t.c.respondError(x, http.StatusBadGateway, false)
	}
	x.record.status = x.resp.Status
	t.c.enterPhase(transferring, up)
	x.out = appendSwitchingProtocols(x.out[:0], &x.resp)
	if t.writeHead(up.buf.unsent()) != nil {
		return false
	}
	if rest := x.in[x.at:]; len(rest) > 0 {
		x.at = len(x.in)
		if _, err := up.conn.Write(rest); err != nil {
			return false
		}
	}
	t.c.runBlocking(t.join)
	return false
}

// join copies in both directions until one of them ends.
func (t *roundTrip) join() {
	x, up := t.x, t.up
	received := make(chan int64, 1)
	t.c.port.node.engine.tasks.Go(func() {
		n, _ := io.Copy(up.conn, t.c.conn)
		t.closeWrite(up.conn)
		received <- n
	})
	n, _ := io.Copy(t.c.conn, up.conn)
	x.record.sent += n
	t.closeWrite(t.c.conn)
	x.record.received += <-received
}

// closeWrite closes one direction of the tunnel and bounds how long the other may last.
func (t *roundTrip) closeWrite(to net.Conn) {
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	end := time.Now().Add(halfClosed)
	_ = t.c.conn.SetDeadline(end)
	_ = t.up.conn.SetDeadline(end)
}
