package balancer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// maxForwarders is how many addresses X-Forwarded-For may hold (Application
// Load Balancer guide, Troubleshoot: HTTP 463).
const maxForwarders = 30

var errTargetClosed = errors.New("the target closed the connection")

// exchange answers one request; false: the connection ends with it. When a target
// has been asked and does not answer at once, a loop comes back for the rest.
func (c *connection) exchange(x *exchange) (keep bool) {
	x.takeUp()
	defer x.putDown()
	if c.asked {
		keep = x.dialogue.converse()
	} else {
		keep = c.respond(x)
	}
	if c.asked {
		return true
	}
	if to := x.record.target; to != nil {
		to.end()
	}
	if x.record.status != 0 {
		if x.record.ended == 0 {
			x.record.ended = c.port.node.owner.now()
		}
		c.port.node.note(c, x)
	}
	x.next()
	return keep
}

// respond reads a request and does what becomes of it.
func (c *connection) respond(x *exchange) bool {
	last := c.begin()
	keep, ok := c.ask(x)
	if !ok {
		return keep
	}
	return c.answer(x, keep && !last)
}

// begin starts an exchange on a connection that may have been found idle for
// too long just when its bytes came: that request is the last.
func (c *connection) begin() (last bool) {
	now := c.port.node.owner.roughly()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.since, c.up = asking, now, nil
	if c.fate == idled || c.fate == left {
		last, c.fate = true, none
		_ = c.conn.SetReadDeadline(time.Time{})
	}
	return last
}

// ask reads the request's head. ok: there is one to be answered; else the
// client has been told what is wrong with it, if it is there to read that.
func (c *connection) ask(x *exchange) (keep, ok bool) {
	x.at += http1.LeadingBlankLines(x.in[x.at:])
	for seen := 0; ; {
		text := x.in[x.at:]
		end := http1.HeadLen(text, seen)
		if end > http1.MaxRequestHead || end == 0 && (len(text) >= http1.MaxRequestHead || http1.HasBareLF(text, seen)) {
			return c.refuse(x, http.StatusBadRequest, false), false
		}
		if end > 0 {
			x.head = text[:end]
			x.at += end
			break
		}
		seen = len(text)
		if err := c.fill(x); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && seen > 0 && c.why() == idled {
				c.refuse(x, http.StatusRequestTimeout, false)
			}
			return false, false
		}
		if seen == 0 {
			x.at += http1.LeadingBlankLines(x.in[x.at:])
		}
	}
	x.record.begun = c.port.node.owner.now()
	x.record.received = int64(len(x.head))
	if err := x.req.Parse(x.head); err != nil {
		var problem *http1.ParseError
		errors.As(err, &problem)
		x.req.Framing = http1.NoBody
		return c.refuse(x, problem.Status, false), false
	}
	x.chunks = http1.ChunkScanner{}
	return x.req.KeepAlive, true
}

// answer decides what becomes of the request.
func (c *connection) answer(x *exchange, keep bool) bool {
	p := (*c.port.node.table.Load())[c.port.number]
	switch {
	case p == nil: // the listener has just been removed
		return c.refuse(x, http.StatusServiceUnavailable, false)
	case !admits(p.lb.Desync, x.req.Class):
		return c.refuse(x, http.StatusBadRequest, false)
	case string(x.req.Method) == http.MethodTrace:
		return c.refuse(x, http.StatusMethodNotAllowed, keep)
	case forwarders(&x.req) > maxForwarders:
		return c.refuse(x, statusTooManyForwarders, keep)
	}
	if x.req.Class == http1.Ambiguous && p.lb.Desync != "monitor" ||
		p.lb.KeepAlive > 0 && x.record.begun-c.born >= p.lb.KeepAlive {
		keep = false
	}
	action := p.action(&x.req, c.from.Addr())
	x.record.action = action
	switch {
	case action.fixed != nil:
		return action.fixed.answer(c, x, keep)
	case action.redirect != nil:
		return action.redirect.answer(c, x, keep)
	}
	return c.forward(x, p, action, keep)
}

// admits tells whether a request of the class is routed (Application Load
// Balancer guide, Desync mitigation mode: Modes).
func admits(mode string, class http1.Class) bool {
	switch mode {
	case "monitor":
		return true
	case "strictest":
		return class == http1.Compliant
	}
	return class < http1.Severe
}

// forward passes the request on to a target and its answer back. Another target
// is never tried: AWS does not either (Application Load Balancer guide,
// Troubleshoot your Application Load Balancers).
func (c *connection) forward(x *exchange, p *plan, action *compiledAction, keep bool) bool {
	if c.stream && isGRPC(&x.req) { // target groups here speak HTTP/1.1
		return c.refuse(x, statusIncompatible, keep)
	}
	choice := action.choose(&x.req, c.port.node.owner.at(x.record.begun))
	if choice.to == nil {
		return c.refuse(x, http.StatusServiceUnavailable, keep)
	}
	to := choice.to
	x.record.target = to
	to.begin()
	c.enter(connecting, nil)
	up, err := to.upstreams.take(c, x.record.begun)
	if err != nil {
		return c.refuse(x, failure(err), keep)
	}
	x.record.connected = c.port.node.owner.now()
	if !c.enter(thinking, up) { // the port's time is over
		up.drop()
		return false
	}
	x.dialogue = dialogue{c: c, x: x, up: up, choice: choice, plan: p, keep: keep}
	return x.dialogue.run()
}

// failure is the status that tells a client of an error between the load
// balancer and the target. Nothing answers on AWS for an address that nobody
// has, so that the kernel found nobody counts as silence.
func failure(err error) int {
	var network net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout() ||
		errors.Is(err, unix.EHOSTUNREACH) {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// body is the part of the request's body that has come with the head. It is
// marked as dealt with.
func (x *exchange) body() (part []byte, whole bool, err error) {
	rest := x.in[x.at:]
	switch x.req.Framing {
	case http1.Sized:
		n := int(min(x.req.Length, int64(len(rest))))
		part, whole = rest[:n], int64(n) == x.req.Length
	case http1.Chunked:
		var n int
		n, whole, err = x.chunks.Skip(rest)
		part = rest[:n]
	default:
		whole = true
	}
	x.at += len(part)
	x.record.received += int64(len(part))
	return part, whole, err
}

// dialogue is the conversation with the target about one request.
type dialogue struct {
	c      *connection
	x      *exchange
	up     *upstream
	choice choice
	plan   *plan
	keep   bool // the client's connection goes on

	sending *sending // the rest of the request's body; nil: it is sent
}

func (d *dialogue) run() bool {
	part, whole, err := d.x.body()
	if err != nil {
		d.up.drop()
		return d.c.refuse(d.x, http.StatusBadRequest, false)
	}
	d.x.out = append(d.c.appendRequest(d.x.out[:0], d.x, d.plan), part...)
	// A target that takes no more may have said why: its answer counts, so that
	// a failure to write shows when it is looked for.
	if err := d.ask(d.x.out, whole); err == nil && !whole {
		return d.sendAndConverse()
	}
	return d.converse()
}

// ask sends a request, or its beginning.
func (d *dialogue) ask(p []byte, whole bool) error {
	if whole && d.c.task != nil && d.up.raw != nil {
		d.up.of.lanes[d.c.lane].batch.Write(d.up.raw, p)
		return nil
	}
	_, err := d.up.conn.Write(p)
	return err
}

// sendAndConverse has the rest of the request's body sent meanwhile: two directions
// at once are more than a task can wait for.
func (d *dialogue) sendAndConverse() (keep bool) {
	d.c.away(func() {
		d.sending = startSending(d)
		keep = d.converse()
	})
	return keep
}

// converse passes the target's answer on.
func (d *dialogue) converse() bool {
	status, err := d.hear()
	if d.c.asked = err == socket.ErrNotReady; d.c.asked { //nolint:errorlint // it comes bare
		return true
	}
	if err != nil {
		return d.fail(status, err)
	}
	return d.deliver()
}

// hear reads heads of answers until the final one. Interim answers are passed
// on (RFC 9110, section 15.2).
func (d *dialogue) hear() (status int, err error) {
	x, up := d.x, d.up
	for {
		if up.back == nil {
			if err := up.fill(d.c); err != nil {
				return 0, err
			}
		}
		end := 0
		for seen := 0; end == 0; {
			held := up.back.held()
			if end = http1.HeadLen(held, seen); end > 0 {
				break
			}
			if len(up.back.room()) == 0 || http1.HasBareLF(held, seen) {
				return http.StatusBadGateway, errTargetClosed
			}
			if seen = len(held); up.fill(nil) != nil {
				return 0, errTargetClosed
			}
		}
		if err := x.resp.Parse(up.back.held()[:end], x.req.Method); err != nil {
			return http.StatusBadGateway, err
		}
		up.back.start += end
		if x.resp.Status >= 200 || x.resp.Status == http.StatusSwitchingProtocols {
			x.record.answered = d.c.port.node.owner.now()
			x.record.targetStatus = x.resp.Status
			return 0, nil
		}
		if x.req.Minor > 0 {
			x.out = appendResponse(x.out[:0], &x.resp, http1.NoBody, true, nil, nil)
			if _, err := d.c.conn.Write(x.out); err != nil {
				return 0, err
			}
		}
		if len(up.back.held()) == 0 {
			up.rest()
		}
	}
}

// fail ends a request that got no answer.
func (d *dialogue) fail(status int, err error) bool {
	why := d.c.why()
	whole := d.stopSending()
	d.up.drop()
	switch {
	case why == left || why == broken:
		d.x.record.status = statusClientLeft
		return false
	case status != 0:
	case why == idled:
		status = http.StatusGatewayTimeout
	case why == expelled:
		status = http.StatusBadGateway
	default:
		status = failure(err)
	}
	d.c.forgive()
	return d.c.refuse(d.x, status, d.keep && whole)
}

// statusClientLeft is what access logs say of a client that closed the
// connection before it got an answer (Application Load Balancer guide,
// Troubleshoot: HTTP 460).
const statusClientLeft = 460

// forgive lets a connection go on whose target was to blame.
func (c *connection) forgive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.up = flowing, nil
	if c.fate == idled || c.fate == expelled {
		c.fate = none
	}
}

// deliver passes the answer on.
func (d *dialogue) deliver() bool {
	x, up := d.x, d.up
	if x.resp.Status == http.StatusSwitchingProtocols {
		return d.tunnel()
	}
	sent := d.sending == nil || d.sending.over()
	d.keep = d.keep && sent && d.c.why() == none
	framing := d.framing()
	cookies := d.choice.cookies
	if more := d.choice.answered(&x.resp); len(more) > 0 {
		cookies = append(cookies, more...)
	}
	x.record.status = x.resp.Status
	d.c.enter(flowing, up)
	x.out = appendResponse(x.out[:0], &x.resp, framing, d.keep, cookies, d.plan.listener)
	whole, err := d.relay(framing)
	sent = d.stopSending()
	x.record.ended = d.c.port.node.owner.now()
	d.letGo(whole && sent && err == nil)
	switch {
	case errors.Is(err, http1.ErrChunk) && x.record.delivered == 0:
		return d.c.refuse(x, http.StatusBadGateway, d.keep)
	case err != nil:
		return false
	case d.keep && sent:
		return true
	}
	if x.req.KeepAlive || !sent {
		d.c.linger()
	}
	return false
}

// framing is how the answer's body ends on the client's connection.
func (d *dialogue) framing() http1.Framing {
	framing := d.x.resp.Framing
	switch {
	case framing == http1.NoBody || framing == http1.Sized:
	case d.x.req.Minor > 0:
		framing = http1.Chunked
	default: // HTTP/1.0 knows no chunks
		framing, d.keep = http1.UntilClose, false
	}
	return framing
}

// letGo ends the use of the target's connection, which can take another request
// when this exchange came to its proper end.
func (d *dialogue) letGo(proper bool) {
	up := d.up
	if d.c.detach() && proper && up.back == nil && d.x.resp.KeepAlive && d.x.req.Class != http1.Ambiguous {
		up.of.give(up, d.c.lane, d.x.record.ended)
		return
	}
	up.drop()
}

// detach lets go of the target's connection; false: it was interrupted.
func (c *connection) detach() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.up = flowing, nil
	return c.fate == none
}

// stopSending ends the sending of the request's body and returns whether it was
// sent whole.
func (d *dialogue) stopSending() bool {
	if d.sending == nil {
		return true
	}
	return d.sending.stop()
}
