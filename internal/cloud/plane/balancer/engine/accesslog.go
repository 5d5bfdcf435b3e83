//go:build linux

package engine

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/accesslog"
)

// updateAccessLog opens, replaces or closes the node's access log as the load balancer
// is configured. The engine's lock is held.
func (n *node) updateAccessLog(lb *balancer.LoadBalancer) {
	old := n.accessLog.Load()
	switch {
	case old == nil && lb.LogDir == "", old != nil && old.Dir() == lb.LogDir:
		return
	case lb.LogDir == "":
		n.accessLog.Store(nil)
	default:
		address := n.conf.Address
		if n.conf.Public.IsValid() {
			address = n.conf.Public
		}
		log := accesslog.New(accesslog.Config{
			Dir: lb.LogDir, LoadBalancer: lb.ARN, DNSName: lb.DNSName, Address: address,
			Start: n.engine.started, Dropped: &n.logDropped, Log: n.log,
		})
		n.engine.logs[log] = true
		n.accessLog.Store(log)
	}
	if old != nil {
		delete(n.engine.logs, old)
		n.engine.tasks.Go(old.Close)
	}
}

// closeAccessLog closes the access log of a removed node once its last requests have
// ended. If the engine closes before that, it closes the log itself.
func (n *node) closeAccessLog() {
	if n.accessLog.Load() == nil {
		return
	}
	n.engine.tasks.Go(func() {
		if wait(n.engine.ctx, time.After(drainTimeout)) {
			n.engine.mu.Lock()
			defer n.engine.mu.Unlock()
			n.updateAccessLog(&balancer.LoadBalancer{})
		}
	})
}

// logExchange adds an exchange to the access log, or to the one that has replaced it.
func (n *node) logExchange(log *accesslog.Writer, c *connection, x *exchange) {
	entry := c.logEntry(x)
	for ; log != nil; log = n.accessLog.Load() {
		x.line = log.AppendEntry(x.line[:0], &entry)
		if log.Write(x.line) {
			return
		}
	}
}

func (c *connection) logEntry(x *exchange) accesslog.Entry {
	r := &x.record
	e := accesslog.Entry{
		Client: c.client, Port: c.port.number, ConnectionID: c.logID(), HTTP2: c.stream, TLS: c.tls,
		GRPC: c.stream && isGRPC(&x.req), Certificate: c.certificate, Request: &x.req, TraceID: c.logTraceID(x),
		Status: r.status, TargetStatus: r.targetStatus, Received: r.received, Sent: r.sent,
		Begun: r.begun, Connected: r.connected, Answered: r.answered, Ended: r.ended,
	}
	if r.target != nil {
		e.Target, e.TargetGroup = r.target.Target.AddrPort(), r.target.counts.arn
	}
	switch a := r.action; {
	case a == nil:
	case a.FixedResponse != nil:
		e.Priority, e.Action = a.Priority, "fixed-response"
	case a.Redirect != nil:
		e.Priority, e.Action, e.RedirectURL = a.Priority, "redirect", c.redirectURL(a.Redirect, &x.req)
	default:
		e.Priority, e.Action = a.Priority, "forward"
	}
	return e
}

// logTraceID returns the X-Amzn-Trace-Id that the target got, or would have got.
func (c *connection) logTraceID(x *exchange) []byte {
	switch {
	case x.record.connected != 0 && len(x.trace) > 0:
		return x.trace
	case len(x.req.Path) == 0:
		return nil
	}
	x.trace = appendTrace(x.trace[:0], &x.req, time.Now())
	return x.trace
}

// logID returns the connection's ID in the access log.
func (c *connection) logID() (id [16]byte) {
	for c.id[0] == 0 {
		c.id = [2]uint64{rand.Uint64(), rand.Uint64()}
	}
	binary.BigEndian.PutUint64(id[:8], c.id[0])
	binary.BigEndian.PutUint64(id[8:], c.id[1])
	return id
}
