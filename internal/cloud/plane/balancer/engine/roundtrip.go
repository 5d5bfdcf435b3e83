//go:build linux

package engine

import (
	"errors"
	"net/http"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/route"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

var errTargetClosed = errors.New("the target closed the connection")

// roundTrip sends one request to a target and passes the response to the client.
type roundTrip struct {
	c        *connection
	x        *exchange
	up       *upstream
	choice   route.Choice
	listener *listener
	keep     bool // the client's connection continues afterwards

	body *bodySender // sends the rest of the request's body; nil: it has been sent
}

// forward forwards the request to a target and the response to the client. Like AWS,
// it never tries a second target (Application Load Balancer guide, Troubleshoot your
// Application Load Balancers).
func (c *connection) forward(x *exchange, l *listener, action *route.Action, keep bool) bool {
	choice := action.Choose(&x.req, c.port.node.engine.timeAt(x.record.begun))
	if choice.Member == nil {
		return c.respondError(x, http.StatusServiceUnavailable, keep)
	}
	x.req.Upgrade = x.req.Upgrade && toWebSocket(&x.req)
	to := choice.Member.Owner.(*target)
	if !to.upstreams.accepts(c, &x.req) {
		return c.respondError(x, statusIncompatible, keep)
	}
	x.record.target = to
	to.Begin()
	c.enterPhase(connecting, nil)
	up, err := to.upstreams.acquire(c, x.record.begun)
	if err != nil {
		return c.respondError(x, statusOf(err), keep)
	}
	x.record.connected = c.port.node.engine.now()
	if !c.enterPhase(awaitingResponse, up) { // the port's drain timeout is over
		up.close()
		return false
	}
	x.roundTrip = roundTrip{c: c, x: x, up: up, choice: choice, listener: l, keep: keep}
	return x.roundTrip.run()
}

// run sends the request and receives the response.
func (t *roundTrip) run() bool {
	part, whole, err := t.x.takeBody()
	if err != nil {
		t.up.close()
		return t.c.respondError(t.x, http.StatusBadRequest, false)
	}
	t.x.out = append(t.c.appendRequest(t.x.out[:0], t.x, t.listener), part...)
	// A target that accepts no more bytes may have said why, and then its response
	// counts. So a failure to write shows when the response is read.
	if err := t.sendRequest(t.x.out, whole); err == nil && !whole {
		return t.receiveWhileSending()
	}
	return t.receive()
}

// sendRequest sends the request, or its beginning.
func (t *roundTrip) sendRequest(p []byte, whole bool) error {
	if whole && t.c.task != nil && t.up.raw != nil {
		t.up.pool.lanes[t.c.lane].batch.Write(t.up.raw, p)
		return nil
	}
	_, err := t.up.conn.Write(p)
	return err
}

// receiveWhileSending sends the rest of the request's body meanwhile, on a goroutine:
// a task cannot wait for two directions at once.
func (t *roundTrip) receiveWhileSending() (keep bool) {
	t.c.runBlocking(func() {
		t.body = startBodySender(t)
		keep = t.receive()
	})
	return keep
}

// receive passes the target's response to the client. It may suspend the connection.
func (t *roundTrip) receive() bool {
	status, err := t.readHead()
	if t.c.suspended = err == socket.ErrNotReady; t.c.suspended { //nolint:errorlint // it is never wrapped
		return true
	}
	if err != nil {
		return t.fail(status, err)
	}
	return t.sendResponse()
}

// readHead reads heads of responses up to the final one and passes interim responses
// on (RFC 9110, section 15.2). With an error, status is what the client should get if
// the error decides.
func (t *roundTrip) readHead() (status int, err error) {
	x, up := t.x, t.up
	for {
		if up.buf == nil {
			if err := up.read(t.c); err != nil {
				return 0, err
			}
		}
		end := 0
		for seen := 0; end == 0; {
			text := up.buf.unsent()
			if end = http1.HeadLen(text, seen); end > 0 {
				break
			}
			if len(up.buf.space()) == 0 || http1.HasBareLF(text, seen) {
				return http.StatusBadGateway, errTargetClosed
			}
			if seen = len(text); up.read(nil) != nil {
				return 0, errTargetClosed
			}
		}
		if err := x.resp.Parse(up.buf.unsent()[:end], x.req.Method); err != nil {
			return http.StatusBadGateway, err
		}
		up.buf.start += end
		if x.resp.Status >= 200 || x.resp.Status == http.StatusSwitchingProtocols {
			x.record.answered = t.c.port.node.engine.now()
			x.record.targetStatus = x.resp.Status
			return 0, nil
		}
		if x.req.Minor > 0 {
			x.out = appendResponse(x.out[:0], &x.resp, http1.NoBody, true, nil, nil)
			if _, err := t.c.conn.Write(x.out); err != nil {
				return 0, err
			}
		}
		if len(up.buf.unsent()) == 0 {
			up.releaseBuffer()
		}
	}
}

// fail ends a request without a response from the target.
func (t *roundTrip) fail(status int, err error) bool {
	why := t.c.interrupted()
	whole := t.stopBody()
	t.up.close()
	switch {
	case why == clientGone || why == portClosed:
		t.x.record.status = statusClientClosed
		return false
	case status != 0:
	case why == idleTimedOut:
		status = http.StatusGatewayTimeout
	case why == targetDeregistered:
		status = http.StatusBadGateway
	default:
		status = statusOf(err)
	}
	t.c.detachFailedUpstream()
	return t.c.respondError(t.x, status, t.keep && whole)
}

// sendResponse passes the response to the client.
func (t *roundTrip) sendResponse() bool {
	x, up := t.x, t.up
	if x.resp.Status == http.StatusSwitchingProtocols {
		return t.tunnel()
	}
	sent := t.body == nil || t.body.finished()
	t.keep = t.keep && sent && !t.c.ends()
	framing := t.framing()
	cookies := t.choice.Cookies
	if more := t.choice.ResponseCookies(&x.resp); len(more) > 0 {
		cookies = append(cookies, more...)
	}
	x.record.status = x.resp.Status
	t.c.enterPhase(transferring, up)
	x.out = appendResponse(x.out[:0], &x.resp, framing, t.keep, cookies, t.listener.conf)
	whole, err := t.relay(framing)
	sent = t.stopBody()
	x.record.ended = t.c.port.node.engine.now()
	t.releaseUpstream(whole && sent && err == nil)
	switch {
	case errors.Is(err, http1.ErrChunk) && x.record.sent == 0:
		return t.c.respondError(x, http.StatusBadGateway, t.keep)
	case err != nil:
		return false
	case t.keep && sent:
		return true
	}
	if x.req.KeepAlive || !sent {
		t.c.linger()
	}
	return false
}

// framing returns how the response's body ends on the client's connection.
func (t *roundTrip) framing() http1.Framing {
	framing := t.x.resp.Framing
	switch {
	case framing == http1.NoBody || framing == http1.Sized:
	case t.x.req.Minor > 0:
		framing = http1.Chunked
	default: // HTTP/1.0 has no chunks
		framing, t.keep = http1.UntilClose, false
	}
	return framing
}

// releaseUpstream ends the use of the target's connection. If the exchange is complete,
// the connection can carry another request. After a response without the body that it
// declares, it cannot: some servers send such a body, which may still come, and another
// client would get it as its response.
func (t *roundTrip) releaseUpstream(complete bool) {
	up, resp, class := t.up, &t.x.resp, t.x.req.Class
	if t.c.detachUpstream() && complete && up.buf == nil && resp.KeepAlive && !resp.OmitsBody() &&
		class != http1.Ambiguous {
		up.pool.release(up, t.c.lane, t.x.record.ended)
		return
	}
	up.close()
}

// stopBody ends the sending of the request's body. It reports whether all was sent.
func (t *roundTrip) stopBody() bool {
	if t.body == nil {
		return true
	}
	whole := t.body.stop()
	t.x.record.received += t.body.received
	return whole
}
