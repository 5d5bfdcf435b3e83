//go:build linux

package engine

import (
	"errors"
	"net/http"
	"os"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// serveExchange serves one request. It returns false if the connection ends with it. If a
// target has the request and does not respond at once, the connection is suspended,
// and its loop calls serveExchange again for the rest.
func (c *connection) serveExchange(x *exchange) (keep bool) {
	x.acquireScratch()
	defer x.releaseScratch()
	if c.suspended {
		keep = x.roundTrip.receive()
	} else {
		keep = c.readAndRoute(x)
	}
	if c.suspended {
		return true
	}
	if to := x.record.target; to != nil {
		to.End()
	}
	if x.record.status != 0 {
		if x.record.ended == 0 {
			x.record.ended = c.port.node.engine.now()
		}
		c.port.node.record(c, x)
	}
	x.next()
	return keep
}

// readAndRoute reads a request's head and handles the request.
func (c *connection) readAndRoute(x *exchange) bool {
	last := c.enterReadingHead()
	keep, ok := c.readHead(x)
	if !ok {
		return keep
	}
	return c.routeRequest(x, keep && !last)
}

// readHead reads and parses the request's head. ok is false if there is no request to
// handle; the client has then been told what is wrong with it, if it can read that.
func (c *connection) readHead(x *exchange) (keep, ok bool) {
	x.at += http1.LeadingBlankLines(x.in[x.at:])
	for seen := 0; ; {
		text := x.in[x.at:]
		end := http1.HeadLen(text, seen)
		tooLong := end > http1.MaxRequestHead || end == 0 && len(text) >= http1.MaxRequestHead
		if tooLong || end == 0 && http1.HasBareLF(text, seen) {
			return c.refuseHead(x, http.StatusBadRequest), false
		}
		if end > 0 {
			x.head = text[:end]
			x.at += end
			break
		}
		seen = len(text)
		if err := c.read(x); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && seen > 0 && c.interrupted() == idleTimedOut {
				c.refuseHead(x, http.StatusRequestTimeout)
			}
			return false, false
		}
		if seen == 0 {
			x.at += http1.LeadingBlankLines(x.in[x.at:])
		}
	}
	x.record.begun = c.port.node.engine.now()
	x.record.received = int64(len(x.head))
	if err := x.req.Parse(x.head); err != nil {
		var problem *http1.ParseError
		errors.As(err, &problem)
		x.req.Framing = http1.NoBody
		return c.respondError(x, problem.Status, false), false
	}
	x.chunks = http1.ChunkScanner{}
	return x.req.KeepAlive, true
}

// refuseHead responds to a head that has not been parsed. It forgets the request before,
// which the response and the access log would otherwise be about.
func (c *connection) refuseHead(x *exchange, code int) (keep bool) {
	x.req = http1.Request{Fields: x.req.Fields[:0]}
	x.record.begun = c.port.node.engine.now()
	x.record.received = int64(x.unread())
	return c.respondError(x, code, false)
}

// routeRequest handles the request as the load balancer's attributes and the listener's rules say.
func (c *connection) routeRequest(x *exchange, keep bool) bool {
	l := c.port.listener()
	switch {
	case l == nil: // it has just been removed
		return c.respondError(x, http.StatusServiceUnavailable, false)
	case !allowedByDesync(l.lb.Desync, x.req.Class):
		return c.respondError(x, http.StatusBadRequest, false)
	case string(x.req.Method) == http.MethodTrace:
		return c.respondError(x, http.StatusMethodNotAllowed, keep)
	case forwarders(&x.req) > maxForwarders:
		return c.respondError(x, statusTooManyForwarders, keep)
	}
	if x.req.Class == http1.Ambiguous && l.lb.Desync != "monitor" || l.pastKeepAlive(x.record.begun-c.accepted) ||
		c.port.node.engine.retiring.Load() {
		keep = false
	}
	action := l.rules.Action(&x.req, c.client.Addr())
	x.record.action = action
	switch {
	case action.FixedResponse != nil:
		return c.respondFixed(x, action.FixedResponse, keep)
	case action.Redirect != nil:
		return c.respondRedirect(x, action.Redirect, keep)
	}
	return c.forward(x, l, action, keep)
}

// allowedByDesync reports whether the desync mitigation mode lets a request of that
// class through (Application Load Balancer guide, Desync mitigation mode: Modes).
func allowedByDesync(mode string, class http1.Class) bool {
	switch mode {
	case "monitor":
		return true
	case "strictest":
		return class == http1.Compliant
	}
	return class < http1.Severe
}
